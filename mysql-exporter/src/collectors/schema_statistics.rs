//! Usage of schemas: sums over `information_schema.TABLE_STATISTICS`, with `userstat=1`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use super::userstat;
use crate::db::{Db, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.schemastats",
        "Use of schemas, on MariaDB and Percona Server with userstat=1",
        |db, _| Ok(Source::asynchronous(SchemaStatistics(db.clone()))),
    )
    .off_by_default()
    .reads(&["information_schema.TABLE_STATISTICS"])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "*.*")],
};

const SQL: &str = "SELECT TABLE_SCHEMA, SUM(ROWS_READ), SUM(ROWS_CHANGED), \
                   SUM(ROWS_CHANGED_X_INDEXES) FROM information_schema.TABLE_STATISTICS GROUP BY \
                   TABLE_SCHEMA";

const SCHEMA: [&str; 1] = ["schema"];

static COLUMNS: [Column<Row, 1>; 3] = [
    Desc::counter(
        "mysql_info_schema_schema_statistics_rows_read_total",
        "Rows read from the tables of a schema.",
        SCHEMA,
    )
    .column(|row| row.number(1)),
    Desc::counter(
        "mysql_info_schema_schema_statistics_rows_changed_total",
        "Rows changed in the tables of a schema.",
        SCHEMA,
    )
    .column(|row| row.number(2)),
    Desc::counter(
        "mysql_info_schema_schema_statistics_rows_changed_x_indexes_total",
        "Rows changed in the tables of a schema, times the number of indexes that changed.",
        SCHEMA,
    )
    .column(|row| row.number(3)),
];

struct SchemaStatistics(Db);

#[async_trait]
impl AsyncCollector for SchemaStatistics {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        userstat::query(&self.0, SQL).await?.table(out, &COLUMNS, [0]);
        Ok(())
    }
}
