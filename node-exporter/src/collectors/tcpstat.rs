//! TCP sockets by state: netlink's `TCPDIAG_GETSOCK`.
//!
//! The kernel iterates over all sockets: with a million of them this takes seconds.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::Host;
use crate::netlink::Netlink;
use crate::netlink::socket;

pub(super) static DEFINITION: Definition =
    Definition::new("tcpstat", "TCP sockets by state", |host, _| {
        Ok(Source::blocking(Tcpstat { host: host.clone(), netlink: Netlink::sock_diag() }))
    })
    .cost("one dump of all TCP sockets: half a second for 100,000")
    .off_by_default()
    .reads(&["/proc/net/tcp6"])
    .metrics(&[&STATES]);

static STATES: Desc<1> = Desc::gauge(
    "node_tcp_connection_states",
    "TCP sockets in each state that any is in, and the bytes in their queues.",
    ["state"],
);

/// By `TCP_*`, which begin with 1.
const NAMES: [&str; socket::STATES] = [
    "unknown",
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
];

struct Tcpstat {
    host: Host,
    netlink: Netlink,
}

impl Collector for Tcpstat {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let found = socket::tcp(&mut self.netlink, self.host.has_proc("net/tcp6"))?;
        let mut family = out.family(&STATES);
        for (name, count) in NAMES.into_iter().zip(found.states).filter(|(_, count)| *count > 0) {
            family.sample([name], count as f64);
        }
        if found.states.iter().any(|count| *count > 0) {
            family.sample(["rx_queued_bytes"], found.received as f64);
            family.sample(["tx_queued_bytes"], found.sent as f64);
        }
        Ok(())
    }
}
