//! Replicas of real servers: running, stopped, broken and delayed.

use std::thread;
use std::time::{Duration, Instant};

use exporter_core::testing::{Exporter, PATIENCE};

use crate::server::Server;
use crate::{start, value};

/// One connection of a replica to a source, as its metrics are labelled.
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

    /// Waits until each of these has its value.
    fn wait_for(&self, expected: &[(&str, Option<f64>)]) {
        let since = Instant::now();
        loop {
            let found: Vec<_> =
                expected.iter().map(|(name, _)| (*name, self.value(name))).collect();
            if found == expected {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{found:?}, not {expected:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn runs(&self) {
        self.wait_for(&[
            ("slave_io_running", Some(1.0)),
            ("slave_sql_running", Some(1.0)),
            ("seconds_behind_master", Some(0.0)),
        ]);
    }
}

const SOURCE: &str = "CREATE USER repl@'%' IDENTIFIED BY 'p'; GRANT REPLICATION SLAVE ON *.* TO \
                      repl@'%'; CREATE TABLE app.numbers (id INT PRIMARY KEY)";

/// A replica with a named connection to each of two sources, by GTID.
#[test]
fn mariadb_replicates() {
    let Some(a) = Server::mariadb(&["--server-id=11", "--gtid-domain-id=1"]) else { return };
    let Some(b) = Server::mariadb(&["--server-id=12", "--gtid-domain-id=2"]) else { return };
    let Some(replica) = Server::mariadb(&["--server-id=13", "--gtid-domain-id=3"]) else { return };
    let mut positions = Vec::new();
    for source in [&a, &b] {
        source.sql(SOURCE);
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
    let exporter = start(&replica, dir.path(), &[]);
    let [first, second] = ["a", "b"].map(|connection| Channel {
        exporter: &exporter,
        uuid: "",
        name: "",
        connection,
    });
    first.runs();
    second.runs();

    a.sql("INSERT INTO app.numbers VALUES (1)");
    let since = Instant::now();
    while replica.sql("SELECT COUNT(*) FROM app.numbers").trim() != "1" {
        assert!(since.elapsed() < PATIENCE, "the row does not arrive");
        thread::sleep(Duration::from_millis(50));
    }
    let page = exporter.get("/metrics?collect[]=slave_status").body;
    let position = |name: &str| {
        let labels = "master_host=\"127.0.0.1\",master_uuid=\"\",channel_name=\"\",\
                      connection_name=\"a\",domain_id=\"1\",server_id=\"11\"";
        value(&page, &format!("mysql_slave_status_{name}{{{labels}}}"))
    };
    let sequence = a.sql("SELECT @@gtid_binlog_pos");
    let sequence = sequence.trim().rsplit('-').next().unwrap().parse().ok();
    assert_eq!((position("gtid_io_pos"), position("gtid_slave_pos")), (sequence, sequence));

    replica.sql("STOP SLAVE 'a' SQL_THREAD");
    first.wait_for(&[
        ("slave_io_running", Some(1.0)),
        ("slave_sql_running", Some(0.0)),
        ("seconds_behind_master", None),
    ]);
    replica.sql("START SLAVE 'a'");
    first.runs();

    replica.sql("INSERT INTO app.numbers VALUES (2)");
    a.sql("INSERT INTO app.numbers VALUES (2)");
    first.wait_for(&[("slave_sql_running", Some(0.0)), ("last_sql_errno", Some(1062.0))]);
    second.runs();

    replica.sql("STOP SLAVE 'b'; CHANGE MASTER 'b' TO MASTER_DELAY = 100; START SLAVE 'b'");
    second.wait_for(&[("slave_sql_running", Some(1.0)), ("sql_delay", Some(100.0))]);
}

/// A replica with a channel. Alerts ask for the names that MySQL 8.4 has dropped.
#[test]
fn mysql_replicates() {
    let Some(source) = Server::mysql_with(&["--server-id=21"]) else { return };
    let Some(replica) = Server::mysql_with(&["--server-id=22"]) else { return };
    source.sql(SOURCE);
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
    let exporter = start(&replica, dir.path(), &[]);
    let uuid = source.sql("SELECT @@server_uuid");
    let channel = Channel { exporter: &exporter, uuid: uuid.trim(), name: "c", connection: "" };
    channel.wait_for(&[("slave_io_running", Some(1.0)), ("replica_io_running", Some(1.0))]);
    channel.runs();

    replica.sql("STOP REPLICA SQL_THREAD FOR CHANNEL 'c'");
    channel.wait_for(&[
        ("slave_io_running", Some(1.0)),
        ("slave_sql_running", Some(0.0)),
        ("seconds_behind_master", None),
    ]);
    replica.sql("START REPLICA FOR CHANNEL 'c'");
    channel.runs();

    replica.sql(
        "STOP REPLICA SQL_THREAD FOR CHANNEL 'c'; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 100 \
         FOR CHANNEL 'c'; START REPLICA FOR CHANNEL 'c'",
    );
    channel.wait_for(&[("slave_sql_running", Some(1.0)), ("sql_delay", Some(100.0))]);
    replica.sql(
        "STOP REPLICA SQL_THREAD FOR CHANNEL 'c'; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 0 \
         FOR CHANNEL 'c'; START REPLICA FOR CHANNEL 'c'",
    );
    channel.runs();

    replica.sql("INSERT INTO app.numbers VALUES (2)");
    source.sql("INSERT INTO app.numbers VALUES (2)");
    channel.wait_for(&[("slave_sql_running", Some(0.0)), ("last_sql_errno", Some(1062.0))]);
}
