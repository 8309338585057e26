//! Open transactions of InnoDB: `information_schema.INNODB_TRX`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.innodb_trx",
        "Open InnoDB transactions",
        |db, flags| {
            let long_seconds = flags.parsed(&LONG, "a number of seconds")?;
            Ok(Source::asynchronous(InnodbTrx { db: db.clone(), long_seconds }))
        },
    )
    .off_by_default()
    .reads(&["information_schema.INNODB_TRX"])
    .flags(&[&LONG])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

static LONG: Flag = Flag::text(
    "collect.info_schema.innodb_trx.long",
    "60",
    "Seconds after which an open transaction counts as long.",
);

const STATE: [&str; 1] = ["state"];
/// The states of a transaction.
const STATES: [&str; 4] = ["COMMITTING", "LOCK WAIT", "ROLLING BACK", "RUNNING"];

static COLUMNS: [Column<Row, 1>; 6] = [
    Desc::gauge("mysql_info_schema_innodb_trx_transactions", "Open transactions.", STATE)
        .column(|row| row.number(1)),
    Desc::gauge(
        "mysql_info_schema_innodb_trx_long_transactions",
        "Open transactions older than --collect.info_schema.innodb_trx.long.",
        STATE,
    )
    .column(|row| row.number(2)),
    Desc::gauge(
        "mysql_info_schema_innodb_trx_idle_transactions",
        "Open transactions without a running statement.",
        STATE,
    )
    .column(|row| row.number(3)),
    Desc::gauge(
        "mysql_info_schema_innodb_trx_oldest_age_seconds",
        "Age of the oldest open transaction; 0 if there is none.",
        STATE,
    )
    .column(|row| row.number(4)),
    Desc::gauge(
        "mysql_info_schema_innodb_trx_rows_locked",
        "Approximate number of rows locked by open transactions.",
        STATE,
    )
    .column(|row| row.number(5)),
    Desc::gauge(
        "mysql_info_schema_innodb_trx_rows_modified",
        "Rows changed by open transactions.",
        STATE,
    )
    .column(|row| row.number(6)),
];

struct InnodbTrx {
    db: Db,
    long_seconds: u32,
}

#[async_trait]
impl AsyncCollector for InnodbTrx {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.db.query(&statement(self.long_seconds)).await?;
        write(out, &result_set);
        Ok(())
    }
}

/// One row for each state, including states without transactions.
fn statement(long_seconds: u32) -> String {
    let age = "TIMESTAMPDIFF(SECOND, t.trx_started, NOW())";
    let states = STATES.map(|state| format!("SELECT '{state}' AS state")).join(" UNION ALL ");
    format!(
        "SELECT s.state, COUNT(t.trx_id), COALESCE(SUM({age} > {long_seconds}), 0), \
         COUNT(t.trx_id) - COUNT(t.trx_query), COALESCE(MAX({age}), 0), \
         COALESCE(SUM(t.trx_rows_locked), 0), COALESCE(SUM(t.trx_rows_modified), 0) FROM \
         ({states}) s LEFT JOIN information_schema.INNODB_TRX t ON t.trx_state = s.state GROUP BY \
         s.state ORDER BY s.state"
    )
}

fn write(out: &mut Families, result_set: &ResultSet) {
    result_set.table(out, &COLUMNS, [0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::tests::assert_golden;

    #[test]
    fn transactions_are_exposed_by_state() {
        assert_golden(
            &COLLECTOR,
            &[
                &["LOCK WAIT", "1", "0", "0", "3", "1", "0"],
                &["RUNNING", "2", "1", "1", "90", "7", "2"],
            ],
            write,
        );
    }
}
