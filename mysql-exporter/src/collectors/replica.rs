//! Lag of a replica and the state of its workers: `performance_schema` of MySQL 8.0 and later, or
//! `SHOW ALL SLAVES STATUS` and similar statements on other servers.

mod channel;
mod last_known;
mod metrics;
mod status;

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::families::Families;

use self::channel::{Channel, transactions};
use self::last_known::LastKnown;
use self::metrics::{LAG, PENDING, WORKER_COUNT, WORKERS};
use super::collector::{Definition, MysqlCollector};
use super::slave_status;
use crate::db::{self, Db, ResultSet, Session};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "replica",
        "Lag of a replica, and the state of its workers",
        |db, _| {
            let last_known = LastKnown::default();
            Ok(Source::asynchronous(Replica { db: db.clone(), last_known }))
        },
    )
    .off_by_default()
    .reads(&[
        "performance_schema.replication_connection_status",
        "performance_schema.replication_applier_status_by_worker",
        "SHOW ALL SLAVES STATUS",
        "SHOW REPLICA STATUS",
    ])
    .metrics(&[&LAG, &PENDING, &WORKER_COUNT, &WORKERS]),
    privileges: |server, flags| {
        let mut privileges = vec![Privilege::new("SELECT", "performance_schema.*")];
        if !server.is_mysql_since((8, 0, 0)) {
            privileges.extend((slave_status::COLLECTOR.privileges)(server, flags));
        }
        privileges
    },
};

// The channel group_replication_recovery is excluded, because it is only active while a member joins.
// The server aggregates the workers, so that the lag does not depend on the maximum number of exposed
// workers.
const CHANNELS: &str = "SELECT c.CHANNEL_NAME, c.SERVICE_STATE, UNIX_TIMESTAMP(NOW(6)), \
     UNIX_TIMESTAMP(c.LAST_HEARTBEAT_TIMESTAMP), \
     UNIX_TIMESTAMP(c.LAST_QUEUED_TRANSACTION_END_QUEUE_TIMESTAMP), \
     UNIX_TIMESTAMP(c.LAST_QUEUED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP), \
     GTID_SUBTRACT(c.RECEIVED_TRANSACTION_SET, @@GLOBAL.gtid_executed), \
     COALESCE(w.workers, 0), COALESCE(w.running, 0), w.applied, w.age \
     FROM performance_schema.replication_connection_status c LEFT JOIN (SELECT CHANNEL_NAME, \
     COUNT(*) AS workers, SUM(SERVICE_STATE = 'ON') AS running, \
     MAX(UNIX_TIMESTAMP(LAST_APPLIED_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP)) AS applied, \
     MAX(IF(APPLYING_TRANSACTION = '', NULL, UNIX_TIMESTAMP(NOW(6)) - \
     UNIX_TIMESTAMP(APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP))) AS age \
     FROM performance_schema.replication_applier_status_by_worker GROUP BY CHANNEL_NAME) w \
     ON w.CHANNEL_NAME = c.CHANNEL_NAME WHERE c.CHANNEL_NAME <> 'group_replication_recovery'";
// The limit is needed because a server can have 1,024 workers for each of 256 channels. Workers with
// errors come first.
const MYSQL_WORKERS: &str = "SELECT CHANNEL_NAME, WORKER_ID, SERVICE_STATE, LAST_ERROR_NUMBER, \
     IF(APPLYING_TRANSACTION = '', NULL, UNIX_TIMESTAMP(NOW(6)) - \
     UNIX_TIMESTAMP(APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP)) \
     FROM performance_schema.replication_applier_status_by_worker \
     WHERE CHANNEL_NAME <> 'group_replication_recovery' \
     ORDER BY LAST_ERROR_NUMBER <> 0 DESC, CHANNEL_NAME, WORKER_ID LIMIT 1000";
// All channels share the workers. The label is not the thread ID, which changes with each start, but
// its rank, which does not.
const MARIADB_WORKERS: &str = "SELECT '', ROW_NUMBER() OVER (ORDER BY THREAD_ID), \
     SERVICE_STATE, LAST_ERROR_NUMBER, NULL, COUNT(*) OVER () \
     FROM performance_schema.replication_applier_status_by_worker LIMIT 1000";

struct Replica {
    db: Db,
    last_known: LastKnown,
}

#[async_trait]
impl AsyncCollector for Replica {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.db.session().await?;
        let server = session.server().clone();
        if server.performance_schema && server.is_mysql_since((8, 0, 0)) {
            return Ok(self.read_performance_schema(&mut session, out).await?);
        }
        let result_set = session.query(slave_status::statement(&server)).await?;
        status::write(out, &result_set, &mut self.last_known);
        if server.performance_schema && server.is_mariadb_since((10, 6, 0)) {
            let workers = session.query(MARIADB_WORKERS).await?;
            if let Some(count) = workers.rows.first().and_then(|row| row.number(5)) {
                out.family(&WORKER_COUNT).sample([""], count);
            }
            workers.table(out, &WORKERS, [0, 1]);
        }
        Ok(())
    }
}

impl Replica {
    async fn read_performance_schema(
        &mut self,
        session: &mut Session,
        out: &mut Families,
    ) -> Result<(), db::Error> {
        let channels = session.query(CHANNELS).await?;
        // Most servers are not replicas.
        if channels.rows.is_empty() {
            return Ok(());
        }
        let workers = session.query(MYSQL_WORKERS).await?;
        write(out, &channels, &workers, &mut self.last_known);
        Ok(())
    }
}

fn write(
    out: &mut Families,
    channels: &ResultSet,
    workers: &ResultSet,
    last_known: &mut LastKnown,
) {
    let names: Vec<_> = channels.rows.iter().map(|row| row.text(0)).collect();
    last_known.retain(&names);
    let mut lag = out.family(&LAG);
    for row in &channels.rows {
        let reported = Channel::new(row).lag();
        if let Some(seconds) = last_known.lag(row.text(0), reported) {
            lag.sample([row.text(0)], seconds);
        }
    }
    let mut pending = out.family(&PENDING);
    for row in &channels.rows {
        if let Some(set) = row.value(6) {
            pending.sample([row.text(0)], transactions(set) as f64);
        }
    }
    let mut count = out.family(&WORKER_COUNT);
    for row in &channels.rows {
        if let Some(workers) = row.number(7) {
            count.sample([row.text(0)], workers);
        }
    }
    workers.table(out, &WORKERS, [0, 1]);
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;
    use crate::db::Row;

    /// A channel that is broken by a duplicate key, recorded from MySQL 9.7, and one of a group.
    #[test]
    fn lag_is_exposed_by_channel() {
        let channels = [
            [
                "c", "ON", "1000.5", "1000.1", "990.5", "990.25", "aaaa:6-7", "2", "0", "980.0",
                "10.5",
            ],
            [
                "group_replication_applier",
                "ON",
                "1000.5",
                "0.000000",
                "998.5",
                "998.25",
                "",
                "1",
                "1",
                "998.25",
                "",
            ],
        ];
        let workers = [
            ["c", "1", "OFF", "0", ""],
            ["c", "2", "OFF", "1062", "10.5"],
            ["group_replication_applier", "1", "ON", "0", ""],
        ];
        let result_set = |rows| ResultSet { columns: Vec::new(), rows };
        let mut out = Families::default();
        write(
            &mut out,
            &result_set(channels.iter().map(|row| Row::from_values(row)).collect()),
            &result_set(workers.iter().map(|row| Row::from_values(row)).collect()),
            &mut LastKnown::default(),
        );
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        testing::golden(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/replica.prom"), &page);
        testing::declared_is_exposed(&COLLECTOR.definition, &page);
    }
}
