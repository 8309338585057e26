//! Page compression: `information_schema.INNODB_CMP`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.innodb_cmp",
        "Compression of InnoDB pages",
        |db, _| Ok(Source::asynchronous(InnodbCmp(db.clone()))),
    )
    .reads(&["information_schema.INNODB_CMP"])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

const SQL: &str = "SELECT page_size, compress_ops, compress_ops_ok, compress_time, \
                   uncompress_ops, uncompress_time FROM information_schema.INNODB_CMP";

const SIZE: [&str; 1] = ["page_size"];

static COLUMNS: [Column<Row, 1>; 5] = [
    Desc::counter(
        "mysql_info_schema_innodb_cmp_compress_ops_total",
        "Attempts to compress a page of this size.",
        SIZE,
    )
    .column(|row| row.number(1)),
    Desc::counter(
        "mysql_info_schema_innodb_cmp_compress_ops_ok_total",
        "Successful compressions of a page of this size.",
        SIZE,
    )
    .column(|row| row.number(2)),
    Desc::counter(
        "mysql_info_schema_innodb_cmp_compress_time_seconds_total",
        "Time spent compressing pages of this size.",
        SIZE,
    )
    .column(|row| row.number(3)),
    Desc::counter(
        "mysql_info_schema_innodb_cmp_uncompress_ops_total",
        "Times a page of this size was uncompressed.",
        SIZE,
    )
    .column(|row| row.number(4)),
    Desc::counter(
        "mysql_info_schema_innodb_cmp_uncompress_time_seconds_total",
        "Time spent uncompressing pages of this size.",
        SIZE,
    )
    .column(|row| row.number(5)),
];

struct InnodbCmp(Db);

#[async_trait]
impl AsyncCollector for InnodbCmp {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.0.query(SQL).await?;
        result_set.table(out, &COLUMNS, [0]);
        Ok(())
    }
}
