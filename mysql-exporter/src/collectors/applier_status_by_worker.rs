//! The last and current transactions of each worker of a replica:
//! `performance_schema.replication_applier_status_by_worker`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.replication_applier_status_by_worker",
        "Times of the transactions that replication workers apply",
        |db, _| Ok(Source::asynchronous(ApplierStatusByWorker(db.clone()))),
    )
    .off_by_default()
    .reads(&["performance_schema.replication_applier_status_by_worker"])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

// The server's times are in the session's time zone; the original reads them as UTC.
const SQL: &str = "SELECT CHANNEL_NAME, WORKER_ID, \
     UNIX_TIMESTAMP(LAST_APPLIED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP), \
     UNIX_TIMESTAMP(LAST_APPLIED_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP), \
     UNIX_TIMESTAMP(LAST_APPLIED_TRANSACTION_START_APPLY_TIMESTAMP), \
     UNIX_TIMESTAMP(LAST_APPLIED_TRANSACTION_END_APPLY_TIMESTAMP), \
     UNIX_TIMESTAMP(APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP), \
     UNIX_TIMESTAMP(APPLYING_TRANSACTION_IMMEDIATE_COMMIT_TIMESTAMP), \
     UNIX_TIMESTAMP(APPLYING_TRANSACTION_START_APPLY_TIMESTAMP) \
     FROM performance_schema.replication_applier_status_by_worker";

/// As in the original, the number of the worker is in `member_id`.
const LABELS: [&str; 2] = ["channel_name", "member_id"];

macro_rules! time {
    ($column:literal, $name:literal, $help:literal) => {
        Desc::gauge(
            concat!("mysql_perf_schema_", $name, "_timestamp_seconds"),
            concat!($help, ", in seconds since 1970; 0 if there is none."),
            LABELS,
        )
        .column(|row| row.number($column))
    };
}

static COLUMNS: [Column<Row, 2>; 7] = [
    time!(
        2,
        "last_applied_transaction_original_commit",
        "When the last transaction applied was committed on its original source"
    ),
    time!(
        3,
        "last_applied_transaction_immediate_commit",
        "When the last transaction applied was committed on the immediate source"
    ),
    time!(
        4,
        "last_applied_transaction_start_apply",
        "When a worker began to apply its last transaction"
    ),
    time!(5, "last_applied_transaction_end_apply", "When a worker finished its last transaction"),
    time!(
        6,
        "applying_transaction_original_commit",
        "When the transaction being applied was committed on its original source"
    ),
    time!(
        7,
        "applying_transaction_immediate_commit",
        "When the transaction being applied was committed on the immediate source"
    ),
    time!(
        8,
        "applying_transaction_start_apply",
        "When a worker began to apply its current transaction"
    ),
];

struct ApplierStatusByWorker(Db);

#[async_trait]
impl AsyncCollector for ApplierStatusByWorker {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        if !session.server().is_mysql_since((8, 0, 0)) {
            return Err(Error::Absent("replication workers with times"));
        }
        session.query(SQL).await?.table(out, &COLUMNS, [0, 1]);
        Ok(())
    }
}
