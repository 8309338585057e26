//! Requests to the NFS server: `/proc/net/rpc/nfsd`, which the kernel's `fs/nfsd/stats.c`
//! writes.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use super::nfs::calls::{VERSION_2, VERSION_3, count, counts, numbers};
use crate::host::{File, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("nfsd", "NFS server", |host, _| Ok(Source::blocking(Nfsd(host.clone()))))
        .cost("one file")
        .reads(&["/proc/net/rpc/nfsd"])
        .metrics(&[
            &REPLY_CACHE_HITS,
            &REPLY_CACHE_MISSES,
            &REPLY_CACHE_NOCACHE,
            &FILE_HANDLES_STALE,
            &DISK_BYTES_READ,
            &DISK_BYTES_WRITTEN,
            &SERVER_THREADS,
            &READ_AHEAD_CACHE_SIZE,
            &READ_AHEAD_CACHE_NOT_FOUND,
            &PACKETS,
            &CONNECTIONS,
            &RPC_ERRORS,
            &SERVER_RPCS,
            &REQUESTS,
        ]);

static REPLY_CACHE_HITS: Desc =
    Desc::counter("node_nfsd_reply_cache_hits_total", "Replies that came from the cache.", []);
static REPLY_CACHE_MISSES: Desc = Desc::counter(
    "node_nfsd_reply_cache_misses_total",
    "Requests whose reply was added to the cache.",
    [],
);
static REPLY_CACHE_NOCACHE: Desc = Desc::counter(
    "node_nfsd_reply_cache_nocache_total",
    "Requests whose reply need not be cached.",
    [],
);
static FILE_HANDLES_STALE: Desc =
    Desc::counter("node_nfsd_file_handles_stale_total", "File handles that were stale.", []);
static DISK_BYTES_READ: Desc =
    Desc::counter("node_nfsd_disk_bytes_read_total", "Bytes read for clients.", []);
static DISK_BYTES_WRITTEN: Desc =
    Desc::counter("node_nfsd_disk_bytes_written_total", "Bytes written for clients.", []);
static SERVER_THREADS: Desc = Desc::gauge("node_nfsd_server_threads", "Threads of the server.", []);
static READ_AHEAD_CACHE_SIZE: Desc =
    Desc::gauge("node_nfsd_read_ahead_cache_size_blocks", "Size of the read-ahead cache.", []);
static READ_AHEAD_CACHE_NOT_FOUND: Desc = Desc::counter(
    "node_nfsd_read_ahead_cache_not_found_total",
    "Reads for which there was nothing in the read-ahead cache.",
    [],
);
static PACKETS: Desc<1> =
    Desc::counter("node_nfsd_packets_total", "Packets by transport protocol.", ["proto"]);
static CONNECTIONS: Desc =
    Desc::counter("node_nfsd_connections_total", "TCP connections accepted.", []);
static RPC_ERRORS: Desc<1> =
    Desc::counter("node_nfsd_rpc_errors_total", "Calls that were refused, by reason.", ["error"]);
static SERVER_RPCS: Desc =
    Desc::counter("node_nfsd_server_rpcs_total", "Remote procedure calls received.", []);
static REQUESTS: Desc<2> = Desc::counter(
    "node_nfsd_requests_total",
    "Calls by version of the protocol and procedure.",
    ["proto", "method"],
);

/// Operations of version 4 by their numbers in the protocol (RFC 7530). 23 and 24 (PUTPUBFH and
/// PUTROOTFH) have no series, as in the original.
static VERSION_4: [(usize, &str); 35] = [
    (3, "Access"),
    (4, "Close"),
    (5, "Commit"),
    (6, "Create"),
    (7, "DelegPurge"),
    (8, "DelegReturn"),
    (9, "GetAttr"),
    (10, "GetFH"),
    (11, "Link"),
    (12, "Lock"),
    (13, "Lockt"),
    (14, "Locku"),
    (15, "Lookup"),
    (16, "LookupRoot"),
    (17, "Nverify"),
    (18, "Open"),
    (19, "OpenAttr"),
    (20, "OpenConfirm"),
    (21, "OpenDgrd"),
    (22, "PutFH"),
    (25, "Read"),
    (26, "ReadDir"),
    (27, "ReadLink"),
    (28, "Remove"),
    (29, "Rename"),
    (30, "Renew"),
    (31, "RestoreFH"),
    (32, "SaveFH"),
    (33, "SecInfo"),
    (34, "SetAttr"),
    (35, "SetClientID"),
    (36, "SetClientIDConfirm"),
    (37, "Verify"),
    (38, "Write"),
    (39, "RelLockOwner"),
];

struct Nfsd(Host);

impl Collector for Nfsd {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let statistics = parse(&self.0.proc("net/rpc/nfsd").or_absent("NFS server")?)?;
        let [hits, misses, nocache] = statistics.reply_cache;
        let [cache_size, not_found] = statistics.read_ahead;
        let [read, written] = statistics.io;
        let [_, udp, tcp, connections] = statistics.net;
        let [rpcs, _, format, authentication, client] = statistics.rpc;
        for (desc, value) in [
            (&REPLY_CACHE_HITS, hits),
            (&REPLY_CACHE_MISSES, misses),
            (&REPLY_CACHE_NOCACHE, nocache),
            (&FILE_HANDLES_STALE, statistics.stale),
            (&DISK_BYTES_READ, read),
            (&DISK_BYTES_WRITTEN, written),
            (&SERVER_THREADS, statistics.threads),
            (&READ_AHEAD_CACHE_SIZE, cache_size),
            (&READ_AHEAD_CACHE_NOT_FOUND, not_found),
            (&CONNECTIONS, connections),
            (&SERVER_RPCS, rpcs),
        ] {
            out.family(desc).sample([], value);
        }
        let mut packets = out.family(&PACKETS);
        packets.sample(["udp"], udp);
        packets.sample(["tcp"], tcp);
        let mut errors = out.family(&RPC_ERRORS);
        for (error, value) in [("fmt", format), ("auth", authentication), ("cInt", client)] {
            errors.sample([error], value);
        }
        let mut requests = out.family(&REQUESTS);
        let [version_2, version_3, version_4] = &statistics.calls;
        for (index, method) in VERSION_2.iter().enumerate().skip(1) {
            requests.sample(["2", method], count(version_2, index));
        }
        for (index, method) in VERSION_3.iter().enumerate().skip(1) {
            requests.sample(["3", method], count(version_3, index));
        }
        for (index, method) in VERSION_4 {
            requests.sample(["4", method], count(version_4, index));
        }
        requests.sample(["4", "WdelegGetattr"], statistics.delegated);
        Ok(())
    }
}

/// Values that a kernel does not have are 0.
#[derive(Debug, Default, PartialEq)]
struct Statistics {
    /// Hits, misses, requests that are not cached.
    reply_cache: [f64; 3],
    stale: f64,
    /// Bytes read and written.
    io: [f64; 2],
    threads: f64,
    /// Cache size and misses.
    read_ahead: [f64; 2],
    /// All packets, those by UDP, those by TCP, TCP connections.
    net: [f64; 4],
    /// Calls, and bad ones: all, by format, by authentication, by client.
    rpc: [f64; 5],
    /// Of versions 2 and 3, and the operations of version 4.
    calls: [Vec<f64>; 3],
    /// GETATTR callbacks to clients that hold a write delegation.
    delegated: f64,
}

fn parse(file: &File) -> Result<Statistics, Error> {
    let mut statistics = Statistics::default();
    let [version_2, version_3, version_4] = &mut statistics.calls;
    for mut line in file.lines() {
        match line.optional() {
            Some("rc") => statistics.reply_cache = numbers(line)?,
            Some("fh") => [statistics.stale] = numbers(line)?,
            Some("io") => statistics.io = numbers(line)?,
            Some("th") => [statistics.threads] = numbers(line)?,
            // Between the two is a histogram of the depth of cache hits, with ten steps.
            Some("ra") => {
                let [size, .., not_found]: [f64; 12] = numbers(line)?;
                statistics.read_ahead = [size, not_found];
            }
            Some("net") => statistics.net = numbers(line)?,
            Some("rpc") => statistics.rpc = numbers(line)?,
            Some("proc2") => *version_2 = counts(line)?,
            Some("proc3") => *version_3 = counts(line)?,
            Some("proc4ops") => *version_4 = counts(line)?,
            Some("wdeleg_getattr") => [statistics.delegated] = numbers(line)?,
            Some("proc4") | None => {}
            Some(_) => {
                return Err(line.parse_error("a line such as rc, fh, io, th, ra, net or rpc"));
            }
        }
    }
    Ok(statistics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_all_kernels_are_parsed() {
        let file = File::from_text(
            "rc 0 6 18622\nth 8 0 0.000\nra 32 0 0 0 0 0 0 0 0 0 0 5\nproc4 2 1 1\n",
        );
        let statistics = parse(&file).unwrap();
        let read_ahead = [32.0, 5.0];
        let reply_cache = [0.0, 6.0, 18622.0];
        let expected =
            Statistics { reply_cache, threads: 8.0, read_ahead, ..Statistics::default() };
        assert_eq!(statistics, expected);
        assert_eq!(parse(&File::from_text("\n")).unwrap(), Statistics::default());
        for text in ["rc 1 2", "fh", "io -1 2", "ra 32 0", "rpc 1 2 3 4", "proc4ops 3 1", "x"] {
            assert!(parse(&File::from_text(text)).is_err(), "{text}");
        }
    }
}
