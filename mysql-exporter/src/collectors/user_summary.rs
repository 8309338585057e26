//! Activity of each user: `sys.x$user_summary`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector, PICOSECOND};
use crate::db::{Db, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "sys.user_summary",
        "Statements, I/O, connections and memory of each user",
        |db, _| Ok(Source::asynchronous(UserSummary(db.clone()))),
    )
    .off_by_default()
    .reads(&["sys.x$user_summary"])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| {
        vec![Privilege::new("SELECT", "sys.*"), Privilege::new("SELECT", "performance_schema.*")]
    },
};

const SQL: &str = "SELECT user, statements, statement_latency, table_scans, file_ios, \
                   file_io_latency, current_connections, total_connections, unique_hosts, \
                   current_memory, total_memory_allocated FROM sys.`x$user_summary`";

const USER: [&str; 1] = ["user"];

static COLUMNS: [Column<Row, 1>; 10] = [
    Desc::counter("mysql_sys_statements_total", "Statements of a user.", USER)
        .column(|row| row.number(1)),
    Desc::counter(
        "mysql_sys_statement_latency",
        "Time that statements of a user took, in seconds.",
        USER,
    )
    .column(|row| Some(row.number(2)? * PICOSECOND)),
    Desc::counter("mysql_sys_table_scans_total", "Table scans of a user.", USER)
        .column(|row| row.number(3)),
    Desc::counter("mysql_sys_file_ios_total", "File I/O operations for a user.", USER)
        .column(|row| row.number(4)),
    Desc::counter("mysql_sys_file_io_seconds_total", "Time of file I/O for a user.", USER)
        .column(|row| Some(row.number(5)? * PICOSECOND)),
    Desc::gauge("mysql_sys_current_connections", "Connections of a user.", USER)
        .column(|row| row.number(6)),
    Desc::counter("mysql_sys_connections_total", "Connections that a user has made.", USER)
        .column(|row| row.number(7)),
    Desc::counter("mysql_sys_unique_hosts_total", "Hosts that a user came from.", USER)
        .column(|row| row.number(8)),
    Desc::gauge("mysql_sys_current_memory_bytes", "Memory allocated for a user.", USER)
        .column(|row| row.number(9)),
    Desc::counter(
        "mysql_sys_memory_allocated_bytes_total",
        "Total memory allocated for a user so far.",
        USER,
    )
    .column(|row| row.number(10)),
];

struct UserSummary(Db);

#[async_trait]
impl AsyncCollector for UserSummary {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        self.0.query(SQL).await?.table(out, &COLUMNS, [0]);
        Ok(())
    }
}
