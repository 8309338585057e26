//! Statements by account: `performance_schema.events_statements_summary_by_account_by_event_name`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::collector::{Definition, MysqlCollector, PICOSECOND};
use crate::db::{Db, ResultSet, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.eventsstatements_by_account",
        "Statements by account, for the accounts that take the most time",
        |db, flags| {
            let accounts = flags.parsed(&LIMIT, "a number")?;
            Ok(Source::asynchronous(AccountStatements { db: db.clone(), accounts }))
        },
    )
    .off_by_default()
    .reads(&["performance_schema.events_statements_summary_by_account_by_event_name"])
    .flags(&[&LIMIT])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

static LIMIT: Flag = Flag::text(
    "collect.perf_schema.eventsstatements_by_account.limit",
    "100",
    "Maximum number of accounts (user and host): those whose statements took the most time.",
);

const ACCOUNT: [&str; 2] = ["user", "host"];

static COLUMNS: [Column<Row, 2>; 8] = [
    Desc::counter(
        "mysql_perf_schema_account_statements_total",
        "Statements of an account.",
        ACCOUNT,
    )
    .column(|row| row.number(2)),
    Desc::counter(
        "mysql_perf_schema_account_statements_seconds_total",
        "Time that statements of an account took.",
        ACCOUNT,
    )
    .column(|row| Some(row.number(3)? * PICOSECOND)),
    Desc::counter(
        "mysql_perf_schema_account_statements_lock_time_seconds_total",
        "Time that statements of an account waited for table locks.",
        ACCOUNT,
    )
    .column(|row| Some(row.number(4)? * PICOSECOND)),
    Desc::counter(
        "mysql_perf_schema_account_statements_errors_total",
        "Errors of statements of an account.",
        ACCOUNT,
    )
    .column(|row| row.number(5)),
    Desc::counter(
        "mysql_perf_schema_account_statements_rows_affected_total",
        "Rows that statements of an account changed.",
        ACCOUNT,
    )
    .column(|row| row.number(6)),
    Desc::counter(
        "mysql_perf_schema_account_statements_rows_sent_total",
        "Rows that statements of an account returned.",
        ACCOUNT,
    )
    .column(|row| row.number(7)),
    Desc::counter(
        "mysql_perf_schema_account_statements_rows_examined_total",
        "Rows that statements of an account read.",
        ACCOUNT,
    )
    .column(|row| row.number(8)),
    Desc::counter(
        "mysql_perf_schema_account_statements_no_index_used_total",
        "Times a statement of an account read a table without an index.",
        ACCOUNT,
    )
    .column(|row| row.number(9)),
];

struct AccountStatements {
    db: Db,
    accounts: u32,
}

#[async_trait]
impl AsyncCollector for AccountStatements {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.db.query(&statement(self.accounts)).await?;
        write(out, &result_set);
        Ok(())
    }
}

/// Background threads have no user, and are excluded.
fn statement(accounts: u32) -> String {
    format!(
        "SELECT USER, HOST, SUM(COUNT_STAR), SUM(SUM_TIMER_WAIT) AS time, SUM(SUM_LOCK_TIME), \
         SUM(SUM_ERRORS), SUM(SUM_ROWS_AFFECTED), SUM(SUM_ROWS_SENT), SUM(SUM_ROWS_EXAMINED), \
         SUM(SUM_NO_INDEX_USED) FROM \
         performance_schema.events_statements_summary_by_account_by_event_name WHERE USER IS NOT \
         NULL GROUP BY USER, HOST ORDER BY time DESC LIMIT {accounts}"
    )
}

fn write(out: &mut Families, result_set: &ResultSet) {
    result_set.table(out, &COLUMNS, [0, 1]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::tests::assert_golden;

    #[test]
    fn accounts_are_exposed() {
        let row = ["app", "10.0.0.1", "7", "1500000000000", "0", "1", "2", "3", "4", "5"];
        assert_golden(&COLLECTOR, &[&row], write);
        assert!(statement(9).ends_with("LIMIT 9"));
    }
}
