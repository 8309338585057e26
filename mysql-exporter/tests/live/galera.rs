//! A real Galera node in a cluster of one.

use std::path::Path;

use exporter_core::testing::{skip, until};

use crate::server::{Server, free_port};
use crate::{start, value};

/// The paths of the provider in MariaDB's packages.
const PROVIDERS: [&str; 2] =
    ["/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so"];

#[test]
fn a_galera_node_is_exposed() {
    let Some(provider) = PROVIDERS.iter().find(|path| Path::new(path).exists()) else {
        skip("no Galera provider; install galera-4");
        return;
    };
    let [base, transfer] = [free_port(), free_port()];
    let options = format!(
        "--wsrep-provider-options=base_port={base};gmcast.listen_addr=tcp://127.0.0.1:{base};\
         ist.recv_addr=127.0.0.1:{transfer}"
    );
    let provider = format!("--wsrep-provider={provider}");
    let flags = [
        "--wsrep-on=ON",
        "--wsrep-cluster-address=gcomm://",
        "--wsrep-node-address=127.0.0.1",
        "--wsrep-cluster-name=test",
        "--binlog-format=ROW",
        "--innodb-autoinc-lock-mode=2",
        &provider,
        &options,
    ];
    let Some(server) = Server::mariadb(&flags) else { return };
    let dir = tempfile::tempdir().unwrap();
    let exporter = start(&server, dir.path(), &["--collect.galera"]);
    let page = || exporter.get("/metrics").body;
    let wait_for = |series: &str, expected: f64| {
        until(
            || value(&page(), series) == Some(expected),
            || format!("{series} is not {expected}: {}\n{}", page(), exporter.log()),
        );
    };
    for (series, expected) in [
        ("mysql_galera_ready", 1.0),
        ("mysql_galera_connected", 1.0),
        ("mysql_galera_primary_component", 1.0),
        ("mysql_galera_state", 4.0),
        ("mysql_galera_nodes", 1.0),
        ("mysql_galera_flow_control_active", 0.0),
        ("mysql_global_status_wsrep_ready", 1.0),
        ("mysql_global_status_wsrep_local_state", 4.0),
        ("mysql_global_variables_wsrep_desync", 0.0),
        ("mysql_galera_variables_info{wsrep_cluster_name=\"test\"}", 1.0),
    ] {
        wait_for(series, expected);
    }
    server.sql("SET GLOBAL wsrep_desync = ON");
    wait_for("mysql_galera_state", 2.0);
    wait_for("mysql_global_variables_wsrep_desync", 1.0);
    server.sql("SET GLOBAL wsrep_desync = OFF");
    wait_for("mysql_galera_state", 4.0);
}
