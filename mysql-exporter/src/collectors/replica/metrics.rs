//! Metrics of the collector `replica`.

use exporter_core::desc::{Column, Desc};

use crate::db::Row;

pub(super) static LAG: Desc<1> = Desc::gauge(
    "mysql_replica_lag_seconds",
    "Maximum age of changes on the source that this replica lacks, by channel, including while \
     replication is stopped or delayed.",
    ["channel"],
);
pub(super) static PENDING: Desc<1> = Desc::gauge(
    "mysql_replica_pending_transactions",
    "Transactions received but not applied by the replica, counted by GTIDs.",
    ["channel"],
);

pub(super) static WORKER_COUNT: Desc<1> = Desc::gauge(
    "mysql_replica_workers",
    "Workers of the replica, by channel. At most 1,000 of all channels are exposed singly, those with \
     errors first. On MariaDB, all channels share them.",
    ["channel"],
);

const WORKER: [&str; 2] = ["channel", "worker"];

/// The columns of the workers: channel, worker, state, error, age of the transaction.
pub(super) static WORKERS: [Column<Row, 2>; 3] = [
    Desc::gauge(
        "mysql_replica_worker_running",
        "Whether a worker of the replica is running.",
        WORKER,
    )
    .column(|row| Some(f64::from(u8::from(row.text(2) == "ON")))),
    Desc::gauge(
        "mysql_replica_worker_error_number",
        "Code of the last error of a worker; 0 if there was none.",
        WORKER,
    )
    .column(|row| row.number(3)),
    Desc::gauge(
        "mysql_replica_worker_transaction_age_seconds",
        "Time since the transaction that a worker is applying was committed on its original source. \
     MySQL only.",
        WORKER,
    )
    .column(|row| row.number(4)),
];
