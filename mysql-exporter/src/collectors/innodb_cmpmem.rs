//! Compressed pages in the buffer pool: `information_schema.INNODB_CMPMEM`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.innodb_cmpmem",
        "Compressed pages in the InnoDB buffer pool",
        |db, _| Ok(Source::asynchronous(InnodbCmpmem(db.clone()))),
    )
    .reads(&["information_schema.INNODB_CMPMEM"])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

const SQL: &str = "SELECT page_size, buffer_pool_instance, pages_used, pages_free, \
                   relocation_ops, relocation_time FROM information_schema.INNODB_CMPMEM";

const PAGE: [&str; 2] = ["page_size", "buffer_pool"];

static COLUMNS: [Column<Row, 2>; 4] = [
    Desc::counter(
        "mysql_info_schema_innodb_cmpmem_pages_used_total",
        "Pages of this size in use; the value can decrease.",
        PAGE,
    )
    .column(|row| row.number(2)),
    Desc::counter(
        "mysql_info_schema_innodb_cmpmem_pages_free_total",
        "Free pages of this size; the value can decrease.",
        PAGE,
    )
    .column(|row| row.number(3)),
    Desc::counter(
        "mysql_info_schema_innodb_cmpmem_relocation_ops_total",
        "Times a page of this size was moved.",
        PAGE,
    )
    .column(|row| row.number(4)),
    // The server counts microseconds. The original divides them by 1000, and dashboards expect that.
    Desc::counter(
        "mysql_info_schema_innodb_cmpmem_relocation_time_seconds_total",
        "Time spent moving pages of this size, in units of a millisecond for a microsecond.",
        PAGE,
    )
    .column(|row| Some(row.number(5)? / 1e3)),
];

struct InnodbCmpmem(Db);

#[async_trait]
impl AsyncCollector for InnodbCmpmem {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        self.0.query(SQL).await?.table(out, &COLUMNS, [0, 1]);
        Ok(())
    }
}
