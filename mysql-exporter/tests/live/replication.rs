//! Replicas of real servers: running, stopped, broken and delayed.

use std::thread;
use std::time::{Duration, Instant};

use exporter_core::testing::{Exporter, MAX_WAIT, until};

use crate::server::Server;
use crate::{start, value};

/// The labels of a connection of a replica to a source.
struct Channel<'a> {
    exporter: &'a Exporter,
    uuid: &'a str,
    name: &'a str,
    connection: &'a str,
}

impl Channel<'_> {
    fn value(&self, name: &str) -> Option<f64> {
        let page = self.exporter.get("/metrics?collect[]=slave_status").body;
        let Self { uuid, name: channel, connection, .. } = self;
        let labels = format!(
            "master_host=\"127.0.0.1\",master_uuid=\"{uuid}\",channel_name=\"{channel}\",\
             connection_name=\"{connection}\""
        );
        value(&page, &format!("mysql_slave_status_{name}{{{labels}}}"))
    }

    /// Waits until each of these families has its value.
    fn wait_for(&self, expected: &[(&str, Option<f64>)]) {
        let since = Instant::now();
        loop {
            let found: Vec<_> =
                expected.iter().map(|(name, _)| (*name, self.value(name))).collect();
            if found == expected {
                return;
            }
            assert!(since.elapsed() < MAX_WAIT, "{found:?}, not {expected:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until replication is running, and the replica is up to date.
    fn wait_until_current(&self) {
        self.wait_for(&[
            ("slave_io_running", Some(1.0)),
            ("slave_sql_running", Some(1.0)),
            ("seconds_behind_master", Some(0.0)),
        ]);
        self.until("lag_seconds", |lag| lag == Some(0.0));
        self.until("pending_transactions", |pending| pending.is_none_or(|count| count == 0.0));
    }

    /// The value of a family of the collector `replica`.
    fn replica_value(&self, name: &str) -> Option<f64> {
        let page = self.exporter.get("/metrics?collect[]=replica").body;
        let channel = [self.name, self.connection].concat();
        value(&page, &format!("mysql_replica_{name}{{channel=\"{channel}\"}}"))
    }

    /// Waits until a family of the collector `replica` has an expected value.
    fn until(&self, name: &str, is_expected: impl Fn(Option<f64>) -> bool) {
        until(
            || is_expected(self.replica_value(name)),
            || format!("{name}: {:?}", self.replica_value(name)),
        );
    }

    /// Waits until the lag has grown.
    fn wait_until_lag_grows(&self) {
        let before = self.replica_value("lag_seconds");
        assert!(before.is_some(), "no lag: {}", self.exporter.log());
        self.until("lag_seconds", |lag| lag > before);
    }
}

/// Waits until an exporter exposes a series with this value.
fn wait_for(exporter: &Exporter, series: &str, expected: f64) {
    let page = || exporter.get("/metrics").body;
    until(
        || value(&page(), series) == Some(expected),
        || format!("{series} is not {expected}: {}\n{}", page(), exporter.log()),
    );
}

const COLLECTORS: [&str; 2] = ["--collect.replica", "--collect.semi_sync"];

const SOURCE_SQL: &str = "CREATE USER repl@'%' IDENTIFIED BY 'p'; GRANT REPLICATION SLAVE ON *.* TO \
                      repl@'%'; CREATE TABLE app.numbers (id INT PRIMARY KEY)";

/// A replica with a named connection to each of two sources, with GTIDs.
#[test]
fn mariadb_replicates() {
    let semi_sync = "--rpl-semi-sync-master-enabled=ON";
    let Some(a) = Server::mariadb(&["--server-id=11", "--gtid-domain-id=1", semi_sync]) else {
        return;
    };
    let Some(b) = Server::mariadb(&["--server-id=12", "--gtid-domain-id=2"]) else { return };
    let flags = ["--server-id=13", "--gtid-domain-id=3", "--slave-parallel-threads=2"];
    let flags = [&flags[..], &["--rpl-semi-sync-slave-enabled=ON"]].concat();
    let Some(replica) = Server::mariadb(&flags) else { return };
    let mut positions = Vec::new();
    for source in [&a, &b] {
        source.sql(SOURCE_SQL);
        positions.push(source.sql("SELECT @@gtid_binlog_pos").trim().to_owned());
    }
    replica.sql(&format!(
        "CREATE TABLE app.numbers (id INT PRIMARY KEY); SET GLOBAL gtid_slave_pos = '{}'",
        positions.join(",")
    ));
    for (name, source) in [("a", &a), ("b", &b)] {
        replica.sql(&format!(
            "CHANGE MASTER '{name}' TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, MASTER_USER = \
             'repl', MASTER_PASSWORD = 'p', MASTER_USE_GTID = slave_pos; START SLAVE '{name}'",
            source.port
        ));
    }
    let dir = tempfile::tempdir().unwrap();
    let exporter = start(&replica, dir.path(), &COLLECTORS);
    let [first, second] = ["a", "b"].map(|connection| Channel {
        exporter: &exporter,
        uuid: "",
        name: "",
        connection,
    });
    first.wait_until_current();
    second.wait_until_current();
    wait_for(&exporter, "mysql_semi_sync_active{role=\"replica\"}", 1.0);
    wait_for(&exporter, "mysql_replica_worker_running{channel=\"\",worker=\"1\"}", 1.0);
    wait_for(&exporter, "mysql_replica_workers{channel=\"\"}", 2.0);
    let source_dir = tempfile::tempdir().unwrap();
    let source_exporter = start(&a, source_dir.path(), &COLLECTORS);
    wait_for(&source_exporter, "mysql_semi_sync_replicas", 1.0);

    a.sql("INSERT INTO app.numbers VALUES (1)");
    let since = Instant::now();
    while replica.sql("SELECT COUNT(*) FROM app.numbers").trim() != "1" {
        assert!(since.elapsed() < MAX_WAIT, "the row does not arrive");
        thread::sleep(Duration::from_millis(50));
    }
    // The source had switched to asynchronous replication before the replica existed.
    wait_for(&source_exporter, "mysql_semi_sync_active{role=\"source\"}", 1.0);
    let sequence = a.sql("SELECT @@gtid_binlog_pos");
    let sequence = sequence.trim().rsplit('-').next().unwrap().parse().unwrap();
    // The replica's own position may follow the row.
    for name in ["gtid_io_pos", "gtid_slave_pos"] {
        let labels = "master_host=\"127.0.0.1\",master_uuid=\"\",channel_name=\"\",\
                      connection_name=\"a\",domain_id=\"1\",server_id=\"11\"";
        wait_for(&exporter, &format!("mysql_slave_status_{name}{{{labels}}}"), sequence);
    }

    replica.sql("STOP SLAVE 'a' SQL_THREAD");
    first.wait_for(&[
        ("slave_io_running", Some(1.0)),
        ("slave_sql_running", Some(0.0)),
        ("seconds_behind_master", None),
    ]);
    first.wait_until_lag_grows();
    a.sql("INSERT INTO app.numbers VALUES (3)");
    first.until("pending_transactions", |pending| pending == Some(1.0));
    replica.sql("START SLAVE 'a'");
    first.wait_until_current();

    replica.sql("INSERT INTO app.numbers VALUES (2)");
    a.sql("INSERT INTO app.numbers VALUES (2)");
    first.wait_for(&[("slave_sql_running", Some(0.0)), ("last_sql_errno", Some(1062.0))]);
    second.wait_until_current();

    replica.sql("STOP SLAVE 'b'; CHANGE MASTER 'b' TO MASTER_DELAY = 100; START SLAVE 'b'");
    second.wait_for(&[("slave_sql_running", Some(1.0)), ("sql_delay", Some(100.0))]);
}

/// A replica with a named channel. Alerts use the former names of columns, which MySQL 8.4 has removed.
#[test]
fn mysql_replicates() {
    let gtid = ["--gtid-mode=ON", "--enforce-gtid-consistency=ON"];
    let plugins = ["--plugin-load-add=semisync_source.so;semisync_replica.so"];
    let flags = |more: [&'static str; 2]| [&gtid[..], &plugins, &more].concat();
    let source = flags(["--server-id=21", "--loose-rpl-semi-sync-source-enabled=ON"]);
    let Some(source) = Server::mysql_with(&source) else { return };
    let replica = flags(["--server-id=22", "--loose-rpl-semi-sync-replica-enabled=ON"]);
    let Some(replica) = Server::mysql_with(&replica) else { return };
    source.sql(SOURCE_SQL);
    let position = source.sql("SHOW BINARY LOG STATUS");
    let mut position = position.split_whitespace();
    let (file, position) = (position.next().unwrap(), position.next().unwrap());
    replica.sql(&format!(
        "CREATE TABLE app.numbers (id INT PRIMARY KEY); CHANGE REPLICATION SOURCE TO SOURCE_HOST = \
         '127.0.0.1', SOURCE_PORT = {}, SOURCE_USER = 'repl', SOURCE_PASSWORD = 'p', \
         GET_SOURCE_PUBLIC_KEY = 1, SOURCE_LOG_FILE = '{file}', SOURCE_LOG_POS = {position} FOR \
         CHANNEL 'c'; START REPLICA FOR CHANNEL 'c'",
        source.port
    ));
    let dir = tempfile::tempdir().unwrap();
    let exporter = start(&replica, dir.path(), &COLLECTORS);
    let uuid = source.sql("SELECT @@server_uuid");
    let channel = Channel { exporter: &exporter, uuid: uuid.trim(), name: "c", connection: "" };
    channel.wait_for(&[("slave_io_running", Some(1.0)), ("replica_io_running", Some(1.0))]);
    channel.wait_until_current();
    wait_for(&exporter, "mysql_semi_sync_active{role=\"replica\"}", 1.0);
    wait_for(&exporter, "mysql_replica_worker_running{channel=\"c\",worker=\"1\"}", 1.0);
    let workers: f64 = replica.sql("SELECT @@replica_parallel_workers").trim().parse().unwrap();
    wait_for(&exporter, "mysql_replica_workers{channel=\"c\"}", workers);
    let source_dir = tempfile::tempdir().unwrap();
    let source_exporter = start(&source, source_dir.path(), &COLLECTORS);
    wait_for(&source_exporter, "mysql_semi_sync_active{role=\"source\"}", 1.0);
    wait_for(&source_exporter, "mysql_semi_sync_replicas", 1.0);

    replica.sql("STOP REPLICA IO_THREAD FOR CHANNEL 'c'");
    channel.wait_for(&[("slave_io_running", Some(0.0)), ("seconds_behind_master", None)]);
    channel.wait_until_lag_grows();
    replica.sql("START REPLICA FOR CHANNEL 'c'");
    channel.wait_until_current();

    replica.sql("STOP REPLICA SQL_THREAD FOR CHANNEL 'c'");
    channel.wait_for(&[
        ("slave_io_running", Some(1.0)),
        ("slave_sql_running", Some(0.0)),
        ("seconds_behind_master", None),
    ]);
    source.sql("INSERT INTO app.numbers VALUES (3); INSERT INTO app.numbers VALUES (4)");
    channel.until("pending_transactions", |pending| pending == Some(2.0));
    channel.wait_until_lag_grows();
    replica.sql("START REPLICA FOR CHANNEL 'c'");
    channel.wait_until_current();

    replica.sql(
        "STOP REPLICA SQL_THREAD FOR CHANNEL 'c'; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 100 \
         FOR CHANNEL 'c'; START REPLICA FOR CHANNEL 'c'",
    );
    channel.wait_for(&[("slave_sql_running", Some(1.0)), ("sql_delay", Some(100.0))]);
    source.sql("INSERT INTO app.numbers VALUES (5)");
    channel.until("pending_transactions", |pending| pending == Some(1.0));
    channel.wait_until_lag_grows();
    replica.sql(
        "STOP REPLICA SQL_THREAD FOR CHANNEL 'c'; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 0 \
         FOR CHANNEL 'c'; START REPLICA FOR CHANNEL 'c'",
    );
    channel.wait_until_current();

    replica.sql("INSERT INTO app.numbers VALUES (2)");
    source.sql("INSERT INTO app.numbers VALUES (2)");
    channel.wait_for(&[("slave_sql_running", Some(0.0)), ("last_sql_errno", Some(1062.0))]);
    // Any worker may have the error.
    let error = |line: &str| {
        line.starts_with("mysql_replica_worker_error_number{channel=\"c\"")
            && line.ends_with(" 1062")
    };
    until(|| exporter.get("/metrics").body.lines().any(error), || exporter.get("/metrics").body);
    channel.wait_until_lag_grows();
}
