//! Usage of tables: `information_schema.TABLE_STATISTICS`, with `userstat=1`.

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
        "info_schema.tablestats",
        "Use of tables, on MariaDB and Percona Server with userstat=1",
        |db, _| Ok(Source::asynchronous(TableStatistics(db.clone()))),
    )
    .off_by_default()
    .reads(&["information_schema.TABLE_STATISTICS"])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "*.*")],
};

const SQL: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, ROWS_READ, ROWS_CHANGED, \
                   ROWS_CHANGED_X_INDEXES FROM information_schema.TABLE_STATISTICS";

const LABELS: [&str; 2] = ["schema", "table"];

static COLUMNS: [Column<Row, 2>; 3] = [
    Desc::counter(
        "mysql_info_schema_table_statistics_rows_read_total",
        "Rows read from a table.",
        LABELS,
    )
    .column(|row| row.number(2)),
    Desc::counter(
        "mysql_info_schema_table_statistics_rows_changed_total",
        "Rows changed in a table.",
        LABELS,
    )
    .column(|row| row.number(3)),
    Desc::counter(
        "mysql_info_schema_table_statistics_rows_changed_x_indexes_total",
        "Rows changed in a table, times the number of its indexes that changed.",
        LABELS,
    )
    .column(|row| row.number(4)),
];

struct TableStatistics(Db);

#[async_trait]
impl AsyncCollector for TableStatistics {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        userstat::query(&self.0, SQL).await?.table(out, &COLUMNS, [0, 1]);
        Ok(())
    }
}
