//! A node of a Galera cluster: the `wsrep_` variables of `SHOW GLOBAL STATUS`, as numbers.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new("galera", "State of a Galera node and of its cluster", |db, _| {
        Ok(Source::asynchronous(Galera(db.clone())))
    })
    .off_by_default()
    .reads(&["SHOW GLOBAL STATUS LIKE 'wsrep_%'"])
    .metrics(&[
        &READY,
        &CONNECTED,
        &PRIMARY,
        &STATE,
        &NODES,
        &ADDRESSES,
        &CONFIGURATION,
        &RECEIVE_QUEUE,
        &SEND_QUEUE,
        &PAUSED,
        &FLOW_CONTROL,
        &CERTIFICATION_FAILURES,
        &ABORTED,
    ]),
    privileges: |_, _| Vec::new(),
};

static READY: Desc =
    Desc::gauge("mysql_galera_ready", "Whether the node accepts statements (wsrep_ready).", []);
static CONNECTED: Desc = Desc::gauge(
    "mysql_galera_connected",
    "Whether the node is connected to its cluster (wsrep_connected).",
    [],
);
static PRIMARY: Desc = Desc::gauge(
    "mysql_galera_primary_component",
    "Whether the node is in the primary component, the part of the cluster with a quorum.",
    [],
);
static STATE: Desc = Desc::gauge(
    "mysql_galera_state",
    "State of the node: 0 undefined, 1 joining, 2 donor or desynced, 3 joined, 4 synced, 5 error.",
    [],
);
static NODES: Desc = Desc::gauge(
    "mysql_galera_nodes",
    "Nodes in the component of this node (wsrep_cluster_size).",
    [],
);
static ADDRESSES: Desc = Desc::gauge(
    "mysql_galera_incoming_addresses",
    "Nodes that accept clients, counted by their announced addresses.",
    [],
);
static CONFIGURATION: Desc = Desc::gauge(
    "mysql_galera_configuration",
    "Configuration number of the cluster, which differs between the parts of a split cluster.",
    [],
);
static RECEIVE_QUEUE: Desc = Desc::gauge(
    "mysql_galera_receive_queue",
    "Write sets received and not applied (wsrep_local_recv_queue).",
    [],
);
static SEND_QUEUE: Desc = Desc::gauge(
    "mysql_galera_send_queue",
    "Write sets waiting to be sent (wsrep_local_send_queue).",
    [],
);
static PAUSED: Desc = Desc::counter(
    "mysql_galera_flow_control_paused_seconds_total",
    "Time that flow control has paused replication.",
    [],
);
static FLOW_CONTROL: Desc = Desc::gauge(
    "mysql_galera_flow_control_active",
    "Whether flow control is pausing replication.",
    [],
);
static CERTIFICATION_FAILURES: Desc = Desc::counter(
    "mysql_galera_certification_failures_total",
    "Transactions of this node that failed at commit because of a conflict with another node.",
    [],
);
static ABORTED: Desc = Desc::counter(
    "mysql_galera_aborted_transactions_total",
    "Transactions of this node aborted in favour of a replicated one.",
    [],
);

struct Galera(Db);

#[async_trait]
impl AsyncCollector for Galera {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        write(out, &self.0.query(r"SHOW GLOBAL STATUS LIKE 'wsrep\_%'").await?)
    }
}

fn write(out: &mut Families, result_set: &ResultSet) -> Result<(), Error> {
    let text = |name: &str| {
        let row = result_set.variable(name);
        row.map(|row| row.text(1)).filter(|text| !text.is_empty())
    };
    // MariaDB has some of the variables even without a provider.
    if text("wsrep_provider_name").is_none() {
        return Err(Error::Absent("Galera"));
    }
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    let is = |name: &str, yes: &str| {
        text(name).map(|text| f64::from(u8::from(text.eq_ignore_ascii_case(yes))))
    };
    // Nodes that accept no clients have an empty entry.
    let addresses = text("wsrep_incoming_addresses")
        .map(|list| list.split(',').filter(|address| !address.trim().is_empty()).count());
    for (desc, value) in [
        (&READY, is("wsrep_ready", "ON")),
        (&CONNECTED, is("wsrep_connected", "ON")),
        (&PRIMARY, is("wsrep_cluster_status", "Primary")),
        (&STATE, number("wsrep_local_state")),
        (&NODES, number("wsrep_cluster_size")),
        (&ADDRESSES, addresses.map(|count| count as f64)),
        // Outside of a primary component, the ID is the maximum 64-bit number.
        (&CONFIGURATION, number("wsrep_cluster_conf_id").filter(|id| *id < 1e18)),
        (&RECEIVE_QUEUE, number("wsrep_local_recv_queue")),
        (&SEND_QUEUE, number("wsrep_local_send_queue")),
        (&PAUSED, number("wsrep_flow_control_paused_ns").map(|nanoseconds| nanoseconds / 1e9)),
        (&FLOW_CONTROL, is("wsrep_flow_control_active", "true")),
        (&CERTIFICATION_FAILURES, number("wsrep_local_cert_failures")),
        (&ABORTED, number("wsrep_local_bf_aborts")),
    ] {
        if let Some(value) = value {
            out.family(desc).sample([], value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;
    use crate::db::Row;

    fn rows(variables: &[[&str; 2]]) -> ResultSet {
        let rows = variables.iter().map(|row| Row::from_values(row)).collect();
        ResultSet { columns: Vec::new(), rows }
    }

    /// A donor in a cluster of three nodes with MariaDB 10.11 and Galera 26.4.
    #[test]
    fn the_state_of_a_node_is_exposed() {
        let result_set = rows(&[
            ["wsrep_local_state_uuid", "2ff53b98-e906-11f1-9327-762be017ff8a"],
            ["wsrep_local_cert_failures", "3"],
            ["wsrep_local_send_queue", "1"],
            ["wsrep_local_recv_queue", "25"],
            ["wsrep_flow_control_paused_ns", "2500000000"],
            ["wsrep_flow_control_active", "true"],
            ["wsrep_local_state", "2"],
            ["wsrep_local_state_comment", "Donor/Desynced"],
            ["wsrep_incoming_addresses", "10.0.0.1:3306,,10.0.0.3:3306"],
            ["wsrep_cluster_conf_id", "7"],
            ["wsrep_cluster_size", "3"],
            ["wsrep_cluster_status", "Primary"],
            ["wsrep_connected", "ON"],
            ["wsrep_local_bf_aborts", "4"],
            ["wsrep_provider_name", "Galera"],
            ["wsrep_ready", "OFF"],
        ]);
        let mut out = Families::default();
        write(&mut out, &result_set).unwrap();
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        testing::golden(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/galera.prom"), &page);
        testing::declared_is_exposed(&COLLECTOR.definition, &page);
    }

    #[test]
    fn a_node_without_quorum_has_no_configuration() {
        let result_set = rows(&[
            ["wsrep_cluster_conf_id", "18446744073709551615"],
            ["wsrep_cluster_status", "non-Primary"],
            ["wsrep_incoming_addresses", ""],
            ["wsrep_provider_name", "Galera"],
        ]);
        let mut out = Families::default();
        write(&mut out, &result_set).unwrap();
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        assert!(page.contains("\nmysql_galera_primary_component 0\n"), "{page}");
        assert!(!page.contains("mysql_galera_configuration "), "{page}");
    }

    #[test]
    fn a_server_without_a_provider_is_no_node() {
        for variables in [&[][..], &[["wsrep_ready", "OFF"], ["wsrep_provider_name", ""]]] {
            let result = write(&mut Families::default(), &rows(variables));
            assert!(matches!(result, Err(Error::Absent("Galera"))), "{result:?}");
        }
    }
}
