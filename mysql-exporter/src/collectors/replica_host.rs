//! The replicas of an Aurora cluster: `information_schema.replica_host_status`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector, table_exists};
use crate::db::{Db, Row};

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.replica_host",
        "Load and lag of the instances of an Aurora cluster",
        |db, _| Ok(Source::asynchronous(ReplicaHost(db.clone()))),
    )
    .off_by_default()
    .reads(&["information_schema.REPLICA_HOST_STATUS"])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| Vec::new(),
};

const SQL: &str = "SELECT SERVER_ID, IF(SESSION_ID = 'MASTER_SESSION_ID', 'writer', 'reader'), \
                   CPU, MASTER_SLAVE_LATENCY_IN_MICROSECONDS, REPLICA_LAG_IN_MILLISECONDS, \
                   LOG_STREAM_SPEED_IN_KiB_PER_SECOND, CURRENT_REPLAY_LATENCY_IN_MICROSECONDS FROM \
                   information_schema.REPLICA_HOST_STATUS";

const LABELS: [&str; 2] = ["server_id", "role"];

static COLUMNS: [Column<Row, 2>; 5] = [
    Desc::gauge(
        "mysql_info_schema_replica_host_cpu_percent",
        "CPU usage of an instance, in percent.",
        LABELS,
    )
    .column(|row| row.number(2)),
    Desc::gauge(
        "mysql_info_schema_replica_host_replica_latency_seconds",
        "Latency between the writer and an instance.",
        LABELS,
    )
    .column(|row| Some(row.number(3)? / 1e6)),
    Desc::gauge(
        "mysql_info_schema_replica_host_lag_seconds",
        "Lag of an instance behind the writer.",
        LABELS,
    )
    .column(|row| Some(row.number(4)? / 1e3)),
    Desc::gauge(
        "mysql_info_schema_replica_host_log_stream_speed",
        "Rate of the log stream to an instance, in KiB per second.",
        LABELS,
    )
    .column(|row| row.number(5)),
    Desc::gauge(
        "mysql_info_schema_replica_host_replay_latency_seconds",
        "Time that an instance takes to apply changes.",
        LABELS,
    )
    .column(|row| Some(row.number(6)? / 1e6)),
];

struct ReplicaHost(Db);

#[async_trait]
impl AsyncCollector for ReplicaHost {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        // Only Aurora has this table. Its absence is not a failure in the original.
        if table_exists(&mut session, "information_schema", "REPLICA_HOST_STATUS").await? {
            session.query(SQL).await?.table(out, &COLUMNS, [0, 1]);
        }
        Ok(())
    }
}
