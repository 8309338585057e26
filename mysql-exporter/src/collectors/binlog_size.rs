//! Size of the binary logs: `SHOW BINARY LOGS`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::Db;
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new("binlog_size", "Number and size of the binary logs", |db, _| {
        Ok(Source::asynchronous(BinlogSize(db.clone())))
    })
    .off_by_default()
    .reads(&["SHOW BINARY LOGS"])
    .metrics(&[&SIZE, &FILES, &NUMBER]),
    privileges: |server, _| {
        let since_10_5 = server.is_mariadb_since((10, 5, 2));
        vec![Privilege::global(if since_10_5 { "BINLOG MONITOR" } else { "REPLICATION CLIENT" })]
    },
};

static SIZE: Desc = Desc::gauge("mysql_binlog_size_bytes", "Bytes of all binary logs.", []);
static FILES: Desc = Desc::gauge("mysql_binlog_files", "Number of binary logs.", []);
static NUMBER: Desc =
    Desc::gauge("mysql_binlog_file_number", "The number of the newest binary log.", []);

struct BinlogSize(Db);

#[async_trait]
impl AsyncCollector for BinlogSize {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        let log_bin = session.query("SELECT @@log_bin").await?;
        if log_bin.rows.first().is_none_or(|row| row.text(0) != "1") {
            return Ok(());
        }
        let logs = session.query("SHOW BINARY LOGS").await?.rows;
        out.family(&SIZE).sample([], logs.iter().filter_map(|log| log.number(1)).sum());
        out.family(&FILES).sample([], logs.len() as f64);
        if let Some(number) = logs.last().and_then(|log| number(log.text(0))) {
            out.family(&NUMBER).sample([], number);
        }
        Ok(())
    }
}

/// The number at the end of a log's name, which may contain other dots.
pub(super) fn number(file: &str) -> Option<f64> {
    let (_, number) = file.rsplit_once('.')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn log_numbers_are_parsed() {
        for (file, expected) in [
            ("mysql-bin.000123", Some(123.0)),
            ("db.example.com-bin.000007", Some(7.0)),
            ("binlog", None),
            ("binlog.", None),
            ("binlog.x1", None),
            ("", None),
        ] {
            assert_eq!(number(file), expected, "{file}");
        }
    }
}
