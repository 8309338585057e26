//! Transactions that wait for row locks of others: `performance_schema.data_lock_waits`, or
//! `information_schema.INNODB_LOCK_WAITS` on MariaDB and before MySQL 8.0.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet, Row};
use crate::grants::Privilege;
use crate::version::Server;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.data_lock_waits",
        "Transactions that wait for row locks",
        |db, flags| {
            let tables = flags.parsed(&LIMIT, "a number")?;
            Ok(Source::asynchronous(DataLockWaits { db: db.clone(), tables }))
        },
    )
    .off_by_default()
    .reads(&["performance_schema.data_lock_waits", "information_schema.INNODB_LOCK_WAITS"])
    .flags(&[&LIMIT])
    .metrics(&[&TOTALS, &TABLES]),
    privileges: |server, _| {
        let process = Privilege::global("PROCESS");
        if has_table(server) {
            vec![process, Privilege::new("SELECT", "performance_schema.*")]
        } else {
            vec![process]
        }
    },
};

static LIMIT: Flag = Flag::text(
    "collect.perf_schema.data_lock_waits.limit",
    "50",
    "Maximum number of tables: those with the most waiting transactions.",
);

static TOTALS: [Column<Row, 0>; 3] = [
    Desc::gauge(
        "mysql_perf_schema_data_lock_waiting_transactions",
        "Transactions that wait for row locks.",
        [],
    )
    .column(|row| row.number(0)),
    Desc::gauge(
        "mysql_perf_schema_data_lock_blocking_transactions",
        "Transactions that block others.",
        [],
    )
    .column(|row| row.number(1)),
    Desc::gauge(
        "mysql_perf_schema_data_lock_longest_wait_seconds",
        "Time that the longest waiting transaction has waited; 0 if there is none.",
        [],
    )
    .column(|row| row.number(2)),
];
static TABLES: [Column<Row, 2>; 1] = [Desc::gauge(
    "mysql_perf_schema_data_lock_waits",
    "Transactions that wait for row locks of a table.",
    ["schema", "table"],
)
.column(|row| row.number(2))];

struct DataLockWaits {
    db: Db,
    tables: u32,
}

#[async_trait]
impl AsyncCollector for DataLockWaits {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.db.session().await?;
        let [totals, tables] = statements(session.server(), self.tables);
        let totals = session.query(&totals).await?;
        let tables = session.query(&tables).await?;
        drop(session);
        write(out, &totals, &tables);
        Ok(())
    }
}

fn has_table(server: &Server) -> bool {
    server.is_mysql_since((8, 0, 1))
}

fn statements(server: &Server, limit: u32) -> [String; 2] {
    // The table, its column with the waiting transaction, and its column with the blocking one.
    let (waits, waiting, blocking) = if has_table(server) {
        (
            "performance_schema.data_lock_waits",
            "REQUESTING_ENGINE_TRANSACTION_ID",
            "BLOCKING_ENGINE_TRANSACTION_ID",
        )
    } else {
        ("information_schema.INNODB_LOCK_WAITS", "requesting_trx_id", "blocking_trx_id")
    };
    let totals = format!(
        "SELECT COUNT(DISTINCT w.{waiting}), COUNT(DISTINCT w.{blocking}), \
         COALESCE(MAX(TIMESTAMPDIFF(SECOND, t.trx_wait_started, NOW())), 0) FROM {waits} w LEFT \
         JOIN information_schema.INNODB_TRX t ON t.trx_id = w.{waiting}"
    );
    let tables = if has_table(server) {
        format!(
            "SELECT l.OBJECT_SCHEMA, l.OBJECT_NAME, COUNT(DISTINCT w.{waiting}) AS waits FROM \
             {waits} w JOIN performance_schema.data_locks l ON l.ENGINE = w.ENGINE AND \
             l.ENGINE_LOCK_ID = w.REQUESTING_ENGINE_LOCK_ID GROUP BY l.OBJECT_SCHEMA, \
             l.OBJECT_NAME ORDER BY waits DESC LIMIT {limit}"
        )
    } else {
        // The name of the table is `schema`.`table`.
        let part =
            |part: i8| format!("REPLACE(SUBSTRING_INDEX(l.lock_table, '`.`', {part}), '`', '')");
        format!(
            "SELECT {}, {}, COUNT(DISTINCT w.{waiting}) AS waits FROM {waits} w JOIN \
             information_schema.INNODB_LOCKS l ON l.lock_id = w.requested_lock_id GROUP BY \
             l.lock_table ORDER BY waits DESC LIMIT {limit}",
            part(1),
            part(-1)
        )
    };
    [totals, tables]
}

fn write(out: &mut Families, totals: &ResultSet, tables: &ResultSet) {
    totals.table(out, &TOTALS, []);
    tables.table(out, &TABLES, [0, 1]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::tests::{assert_golden, result_set};

    #[test]
    fn waits_are_exposed() {
        let tables = result_set(&[&["app", "things", "2"]]);
        assert_golden(&COLLECTOR, &[&["2", "1", "14"]], |out, totals| write(out, totals, &tables));
    }

    #[test]
    fn the_tables_depend_on_the_server() {
        for (version, table) in [
            ("9.7.4", "performance_schema.data_locks"),
            ("5.7.44", "information_schema.INNODB_LOCKS"),
            ("10.11.6-MariaDB", "information_schema.INNODB_LOCKS"),
        ] {
            let [_, tables] = statements(&Server::new(version, "", true), 7);
            assert!(tables.contains(table) && tables.ends_with("LIMIT 7"), "{version}: {tables}");
        }
    }
}
