//! Requests of the NFS client: `/proc/net/rpc/nfs`, which the kernel's
//! `net/sunrpc/stats.c` writes.

pub(super) mod calls;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use self::calls::{VERSION_2, VERSION_3, count, counts, numbers};
use super::Definition;
use crate::host::{File, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("nfs", "NFS client", |host, _| Ok(Source::blocking(Nfs(host.clone()))))
        .cost("one file")
        .reads(&["/proc/net/rpc/nfs"])
        .metrics(&[&PACKETS, &CONNECTIONS, &RPCS, &RETRANSMISSIONS, &REFRESHES, &REQUESTS]);

static PACKETS: Desc<1> =
    Desc::counter("node_nfs_packets_total", "Packets by transport protocol.", ["protocol"]);
static CONNECTIONS: Desc = Desc::counter("node_nfs_connections_total", "TCP connections made.", []);
static RPCS: Desc = Desc::counter("node_nfs_rpcs_total", "Remote procedure calls made.", []);
static RETRANSMISSIONS: Desc =
    Desc::counter("node_nfs_rpc_retransmissions_total", "Calls that were sent again.", []);
static REFRESHES: Desc = Desc::counter(
    "node_nfs_rpc_authentication_refreshes_total",
    "Times that credentials were renewed.",
    [],
);
static REQUESTS: Desc<2> = Desc::counter(
    "node_nfs_requests_total",
    "Calls by version of the protocol and procedure.",
    ["proto", "method"],
);

/// The procedures of version 4 in the order of the client's table, which differs from that of the
/// protocol. Two are swapped, because dashboards and rules rely on it.
static VERSION_4: [&str; 59] = [
    "Null",
    "Read",
    "Write",
    "Commit",
    "Open",
    "OpenConfirm",
    "OpenNoattr",
    "OpenDowngrade",
    "Close",
    "Setattr",
    "FsInfo",
    "Renew",
    "SetClientID",
    "SetClientIDConfirm",
    "Lock",
    "Lockt",
    "Locku",
    "Access",
    "Getattr",
    "Lookup",
    "LookupRoot",
    "Remove",
    "Rename",
    "Link",
    "Symlink",
    "Create",
    "Pathconf",
    "StatFs",
    "ReadLink",
    "ReadDir",
    "ServerCaps",
    "DelegReturn",
    "GetACL",
    "SetACL",
    "FsLocations",
    "ReleaseLockowner",
    "Secinfo",
    "FsidPresent",
    "ExchangeID",
    "CreateSession",
    "DestroySession",
    "Sequence",
    "GetLeaseTime",
    "ReclaimComplete",
    "GetDeviceInfo",
    "LayoutGet",
    "LayoutCommit",
    "LayoutReturn",
    "SecinfoNoName",
    "TestStateID",
    "FreeStateID",
    "GetDeviceList",
    "BindConnToSession",
    "DestroyClientID",
    "Seek",
    "Allocate",
    "DeAllocate",
    "LayoutStats",
    "Clone",
];

struct Nfs(Host);

impl Collector for Nfs {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let statistics = parse(&self.0.proc("net/rpc/nfs").or_absent("NFS client")?)?;
        let [_, udp, tcp, connections] = statistics.net;
        let mut packets = out.family(&PACKETS);
        packets.sample(["udp"], udp);
        packets.sample(["tcp"], tcp);
        out.family(&CONNECTIONS).sample([], connections);
        for (desc, value) in [&RPCS, &RETRANSMISSIONS, &REFRESHES].into_iter().zip(statistics.rpc) {
            out.family(desc).sample([], value);
        }
        let mut requests = out.family(&REQUESTS);
        let [version_2, version_3, version_4] = &statistics.calls;
        for (proto, methods, calls) in [
            ("2", &VERSION_2[..], version_2),
            ("3", &VERSION_3[..], version_3),
            ("4", &VERSION_4[..], version_4),
        ] {
            for (index, method) in methods.iter().enumerate() {
                requests.sample([proto, method], count(calls, index));
            }
        }
        Ok(())
    }
}

/// Values that a kernel does not have are 0.
#[derive(Debug, Default, PartialEq)]
struct Statistics {
    /// All packets, those by UDP, those by TCP, TCP connections.
    net: [f64; 4],
    /// Calls, retransmissions, refreshed credentials.
    rpc: [f64; 3],
    /// Of versions 2, 3 and 4.
    calls: [Vec<f64>; 3],
}

fn parse(file: &File) -> Result<Statistics, Error> {
    let mut statistics = Statistics::default();
    let [version_2, version_3, version_4] = &mut statistics.calls;
    for mut line in file.lines() {
        match line.optional() {
            Some("net") => statistics.net = numbers(line)?,
            Some("rpc") => statistics.rpc = numbers(line)?,
            Some("proc2") => *version_2 = counts(line)?,
            Some("proc3") => *version_3 = counts(line)?,
            Some("proc4") => *version_4 = counts(line)?,
            Some(_) => return Err(line.parse_error("net, rpc, proc2, proc3 or proc4")),
            None => {}
        }
    }
    Ok(statistics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_all_kernels_are_parsed() {
        let statistics =
            parse(&File::from_text("net 3 1 2 4\nrpc 5 6 7\n\nproc4 2 8 9\n")).unwrap();
        assert_eq!(statistics.net[3].to_bits(), f64::to_bits(4.0));
        assert_eq!(statistics.rpc[2].to_bits(), f64::to_bits(7.0));
        assert_eq!(statistics.calls, [vec![], vec![], vec![8.0, 9.0]]);
        assert_eq!(parse(&File::from_text("")).unwrap(), Statistics::default());
        for text in ["net 1 2 3", "rpc 1 2 x", "proc3", "proc3 2 1", "proc3 1 1 2", "else 1"] {
            assert!(parse(&File::from_text(text)).is_err(), "{text}");
        }
    }
}
