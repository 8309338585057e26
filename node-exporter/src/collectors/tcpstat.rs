//! TCP sockets by state: netlink's `SOCK_DIAG_BY_FAMILY`.
//!
//! The kernel iterates over all sockets: with a million of them this takes seconds.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::Host;
use crate::netlink::Netlink;
use crate::netlink::socket::{self, Family, Sockets};

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
        let mut found = vec![socket::tcp(&mut self.netlink, Family::V4)?];
        if self.host.has_proc("net/tcp6") {
            found.push(socket::tcp(&mut self.netlink, Family::V6)?);
        }
        let sum = |count: &dyn Fn(&Sockets) -> u64| found.iter().map(count).sum::<u64>() as f64;
        let mut family = out.family(&STATES);
        let mut any = false;
        for (state, name) in NAMES.iter().enumerate() {
            let count = sum(&|sockets| sockets.states.get(state).copied().unwrap_or_default());
            if count > 0.0 {
                family.sample([name], count);
                any = true;
            }
        }
        if any {
            family.sample(["rx_queued_bytes"], sum(&|sockets| sockets.received));
            family.sample(["tx_queued_bytes"], sum(&|sockets| sockets.sent));
        }
        Ok(())
    }
}
