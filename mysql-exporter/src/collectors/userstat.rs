//! Shared code for the tables of user statistics, which MariaDB and Percona Server fill with
//! `userstat=1`.

use exporter_core::collector::Error;
use exporter_core::desc::{Describe, DynDesc, Kind};
use exporter_core::families::Families;

use crate::db::{Db, ResultSet};
use crate::version::Flavour;

/// The families of a table with one row for each user or client.
pub(super) struct StatisticsTable {
    /// The prefix of the families.
    pub(super) prefix: &'static str,
    /// The label.
    pub(super) labels: &'static [&'static str],
    /// The columns with a known type: name, suffix of the family, type. Other columns are untyped, under
    /// their own name.
    pub(super) known_columns: &'static [(&'static str, &'static str, Kind)],
}

/// The columns that both tables have, with the suffixes of their families' names.
pub(super) const COMMON: [(&str, &str, Kind); 25] = [
    ("TOTAL_CONNECTIONS", "total_connections", Kind::Counter),
    ("CONCURRENT_CONNECTIONS", "concurrent_connections", Kind::Gauge),
    ("CONNECTED_TIME", "connected_time_seconds_total", Kind::Counter),
    ("BUSY_TIME", "busy_seconds_total", Kind::Counter),
    ("CPU_TIME", "cpu_time_seconds_total", Kind::Counter),
    ("BYTES_RECEIVED", "bytes_received_total", Kind::Counter),
    ("BYTES_SENT", "bytes_sent_total", Kind::Counter),
    ("BINLOG_BYTES_WRITTEN", "binlog_bytes_written_total", Kind::Counter),
    ("ROWS_READ", "rows_read_total", Kind::Counter),
    ("ROWS_SENT", "rows_sent_total", Kind::Counter),
    ("ROWS_DELETED", "rows_deleted_total", Kind::Counter),
    ("ROWS_INSERTED", "rows_inserted_total", Kind::Counter),
    ("ROWS_FETCHED", "rows_fetched_total", Kind::Counter),
    ("ROWS_UPDATED", "rows_updated_total", Kind::Counter),
    ("TABLE_ROWS_READ", "table_rows_read_total", Kind::Counter),
    ("SELECT_COMMANDS", "select_commands_total", Kind::Counter),
    ("UPDATE_COMMANDS", "update_commands_total", Kind::Counter),
    ("OTHER_COMMANDS", "other_commands_total", Kind::Counter),
    ("COMMIT_TRANSACTIONS", "commit_transactions_total", Kind::Counter),
    ("ROLLBACK_TRANSACTIONS", "rollback_transactions_total", Kind::Counter),
    ("DENIED_CONNECTIONS", "denied_connections_total", Kind::Counter),
    ("LOST_CONNECTIONS", "lost_connections_total", Kind::Counter),
    ("ACCESS_DENIED", "access_denied_total", Kind::Counter),
    ("EMPTY_QUERIES", "empty_queries_total", Kind::Counter),
    ("TOTAL_SSL_CONNECTIONS", "total_ssl_connections_total", Kind::Counter),
];

const HELP: &str = "A column of the user statistics.";

impl Describe for StatisticsTable {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for (_, suffix, kind) in self.known_columns {
            let name = format!("{}{suffix}", self.prefix);
            visit(DynDesc::new(&name, HELP, *kind, self.labels));
        }
        let name = format!("{}<column>", self.prefix);
        visit(DynDesc::new(&name, HELP, Kind::Untyped, self.labels));
    }
}

impl StatisticsTable {
    /// Writes a family for each column. The first column has the label value.
    pub(super) fn write(&self, out: &mut Families, result_set: &ResultSet) {
        for (index, column) in result_set.columns.iter().enumerate().skip(1) {
            let known =
                self.known_columns.iter().find(|(name, ..)| column.eq_ignore_ascii_case(name));
            let lower = column.to_ascii_lowercase();
            let (suffix, kind) =
                known.map_or((lower.as_str(), Kind::Untyped), |(_, suffix, kind)| (suffix, *kind));
            let name = format!("{}{suffix}", self.prefix);
            let desc = DynDesc::new(&name, HELP, kind, self.labels);
            let mut family = out.open(desc);
            for row in &result_set.rows {
                if let Some(value) = row.number(index) {
                    family.sample(&[row.text(0)], value);
                }
            }
        }
    }
}

/// Runs a statement on user statistics, if the server supports them. The result set is empty if they
/// are disabled.
pub(super) async fn query(db: &Db, sql: &str) -> Result<ResultSet, Error> {
    let mut session = db.session().await?;
    match session.server().flavour {
        Flavour::MariaDb | Flavour::Percona => Ok(session.query(sql).await?),
        // Success without rows, as in the original.
        Flavour::MySql => Ok(ResultSet::default()),
    }
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;
    use crate::db::Row;

    #[test]
    fn columns_become_families() {
        let accounts = StatisticsTable {
            prefix: "mysql_info_schema_x_",
            labels: &["user"],
            known_columns: &COMMON,
        };
        let result_set = ResultSet {
            columns: ["USER", "TOTAL_CONNECTIONS", "Busy_time", "NEW_COLUMN", "NOT_A_NUMBER"]
                .map(str::to_owned)
                .into(),
            rows: vec![Row::from_values(&["ada", "3", "0.5", "7", "x"])],
        };
        let mut out = Families::default();
        accounts.write(&mut out, &result_set);
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        let lines: Vec<_> = page.lines().filter(|line| !line.starts_with("# HELP")).collect();
        assert_eq!(
            lines,
            [
                "# TYPE mysql_info_schema_x_total_connections counter",
                "mysql_info_schema_x_total_connections{user=\"ada\"} 3",
                "# TYPE mysql_info_schema_x_busy_seconds_total counter",
                "mysql_info_schema_x_busy_seconds_total{user=\"ada\"} 0.5",
                "# TYPE mysql_info_schema_x_new_column untyped",
                "mysql_info_schema_x_new_column{user=\"ada\"} 7",
            ]
        );
    }
}
