//! A real replication group, of one member and of three.

use exporter_core::testing::{Exporter, until};
use tempfile::TempDir;

use crate::server::{Server, free_port};
use crate::{start, value};

const NAME: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

struct Member {
    server: Server,
    exporter: Exporter,
    _dir: TempDir,
}

impl Member {
    /// Starts a server that has not joined the group yet.
    fn new(number: usize, ports: &[u16]) -> Option<Self> {
        let seeds: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let flags = [
            format!("--server-id=3{number}"),
            format!("--loose-group-replication-group-name={NAME}"),
            format!("--loose-group-replication-group-seeds={}", seeds.join(",")),
            format!("--loose-group-replication-local-address={}", seeds[number]),
        ];
        let common = [
            "--gtid-mode=ON",
            "--enforce-gtid-consistency=ON",
            "--plugin-load-add=group_replication.so",
            "--loose-group-replication-start-on-boot=OFF",
            "--loose-group-replication-recovery-get-public-key=ON",
            "--report-host=127.0.0.1",
        ];
        let flags: Vec<_> = common.into_iter().chain(flags.iter().map(String::as_str)).collect();
        let server = Server::mysql_with(&flags)?;
        // The server must not have transactions that the group does not have.
        server.sql(
            "SET sql_log_bin = 0; CREATE USER repl@'%' IDENTIFIED BY 'p'; GRANT REPLICATION SLAVE, \
             BACKUP_ADMIN, CONNECTION_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO repl@'%'; RESET \
             BINARY LOGS AND GTIDS",
        );
        let dir = tempfile::tempdir().unwrap();
        let flags = [
            "--collect.perf_schema.replication_group_members",
            "--collect.perf_schema.replication_group_member_stats",
            "--collect.perf_schema.replication_applier_status_by_worker",
            "--collect.replica",
        ];
        let exporter = start(&server, dir.path(), &flags);
        Some(Self { server, exporter, _dir: dir })
    }

    fn join(&self) {
        self.server.sql("START GROUP_REPLICATION USER = 'repl', PASSWORD = 'p'");
    }

    fn page(&self) -> String {
        self.exporter.get("/metrics").body
    }

    /// The values of a family by port of the member, as exposed for this member.
    fn member_values(&self, name: &str) -> Vec<(u16, f64)> {
        let page = self.page();
        let prefix = format!("mysql_perf_schema_replication_group_member_{name}{{");
        let found = page.lines().filter_map(|line| {
            let (labels, value) = line.strip_prefix(&prefix)?.rsplit_once("} ")?;
            let (_, port) = labels.split_once("member_port=\"")?;
            Some((port.trim_end_matches('"').parse().ok()?, value.parse().ok()?))
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|(port, _)| *port);
        found
    }

    /// Waits until a family has these values.
    fn wait_for(&self, name: &str, mut expected: Vec<(u16, f64)>) {
        expected.sort_by_key(|(port, _)| *port);
        until(
            || self.member_values(name) == expected,
            || format!("{name}: {:?}, not {expected:?}", self.member_values(name)),
        );
    }
}

#[test]
fn a_replication_group_is_exposed() {
    let ports = [free_port(), free_port(), free_port()];
    let Some(first) = Member::new(0, &ports) else { return };
    let port = first.server.port;
    first.server.sql(
        "SET GLOBAL group_replication_bootstrap_group = ON; START GROUP_REPLICATION; SET GLOBAL \
         group_replication_bootstrap_group = OFF; CREATE TABLE app.members (id INT PRIMARY KEY)",
    );
    first.wait_for("state", vec![(port, 1.0)]);
    first.wait_for("primary", vec![(port, 1.0)]);

    let (Some(second), Some(third)) = (Member::new(1, &ports), Member::new(2, &ports)) else {
        return;
    };
    let others = [second.server.port, third.server.port];
    let all =
        |states: [f64; 3]| vec![(port, states[0]), (others[0], states[1]), (others[1], states[2])];
    second.join();
    third.join();
    for member in [&first, &second, &third] {
        member.wait_for("state", all([1.0, 1.0, 1.0]));
        member.wait_for("primary", all([1.0, 0.0, 0.0]));
    }
    first.server.sql("INSERT INTO app.members VALUES (1)");
    let applied = "mysql_perf_schema_transactions_remote_applied_total";
    until(|| value(&second.page(), applied) > Some(0.0), || second.page());
    let lag = "mysql_replica_lag_seconds{channel=\"group_replication_applier\"}";
    until(|| value(&second.page(), lag) == Some(0.0), || second.page());
    // The idle recovery channel does not count as a stopped replica.
    let page = second.page();
    assert!(
        !page.contains("mysql_replica_lag_seconds{channel=\"group_replication_recovery\"}"),
        "{page}"
    );

    // A member that freezes is unreachable before it is expelled.
    third.server.signal("STOP");
    let state = |member: &Member| {
        member.member_values("state").into_iter().find(|(port, _)| *port == others[1])
    };
    until(
        || [None, Some((others[1], 3.0))].contains(&state(&first)),
        || format!("{:?}", first.member_values("state")),
    );
    third.server.signal("CONT");
    // A member that leaves is offline in its own view, and missing in that of the others.
    second.server.sql("STOP GROUP_REPLICATION");
    second.wait_for("state", vec![(others[0], 0.0)]);
    until(
        || first.member_values("state").iter().all(|(port, _)| *port != others[0]),
        || format!("{:?}", first.member_values("state")),
    );
}
