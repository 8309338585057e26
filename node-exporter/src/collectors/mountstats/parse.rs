//! Parses `mountstats` of NFS, and the addresses of servers in `mountinfo`.
//!
//! See `nfs_show_stats` and `xs_tcp_print_stats` in the kernel.

use std::collections::HashMap;

use exporter_core::collector::Error;

use crate::host::{Fields, File};

/// An NFS mount.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Mount<'a> {
    /// Server and path.
    pub(super) source: &'a str,
    pub(super) mountpoint: &'a str,
    pub(super) fstype: &'a str,
    pub(super) totals: Totals,
    pub(super) transports: Vec<Connection<'a>>,
    pub(super) operations: Vec<(&'a str, Operation)>,
}

/// The statistics of a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Totals {
    /// In seconds.
    pub(super) age: u64,
    pub(super) bytes: [u64; 8],
    pub(super) events: [u64; 27],
}

/// A connection to the server.
#[derive(Debug, PartialEq)]
pub(super) struct Connection<'a> {
    /// Such as `tcp`.
    pub(super) protocol: &'a str,
    pub(super) counts: Transport,
}

/// The statistics of a connection. Values that its protocol does not have are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Transport {
    pub(super) bind: u64,
    pub(super) connect: u64,
    /// In seconds.
    pub(super) idle: u64,
    pub(super) sends: u64,
    pub(super) receives: u64,
    pub(super) bad_ids: u64,
    pub(super) backlog: u64,
    /// This field and the following: since statistics version 1.1.
    pub(super) slots: u64,
    pub(super) sending: u64,
    pub(super) pending: u64,
}

/// The statistics of an operation such as `READ`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Operation {
    pub(super) requests: u64,
    pub(super) transmissions: u64,
    pub(super) timeouts: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) queue_ms: u64,
    pub(super) response_ms: u64,
    pub(super) request_ms: u64,
    /// Since Linux 5.3.
    pub(super) errors: Option<u64>,
}

/// The NFS mounts of `mountstats`.
pub(super) fn mounts(file: &File) -> Result<Vec<Mount<'_>>, Error> {
    let mut mounts: Vec<Mount<'_>> = Vec::new();
    let mut devices = 0;
    let mut current: Option<Mount<'_>> = None;
    let mut in_operations = false;
    for mut line in file.lines() {
        let Some(key) = line.optional() else { continue };
        if key == "device" {
            mounts.extend(current.take());
            current = device(&mut line)?;
            devices += 1;
            in_operations = false;
            continue;
        }
        let Some(mount) = &mut current else { continue };
        match key {
            _ if in_operations => {
                let name = key.strip_suffix(':');
                let name = name.ok_or_else(|| line.parse_error("an operation and a colon"))?;
                mount.operations.push((name, operation(&mut line)?));
            }
            "age:" => mount.totals.age = line.number("seconds")?,
            "bytes:" => {
                mount.totals.bytes = numbers(&mut line, "eight numbers of bytes and pages")?;
            }
            "events:" => mount.totals.events = numbers(&mut line, "27 numbers of events")?,
            "xprt:" => mount.transports.push(transport(&mut line)?),
            "per-op" => in_operations = true,
            _ => {}
        }
    }
    mounts.extend(current);
    if devices == 0 {
        Err(file.parse_error("lines such as `device x mounted on /`"))
    } else {
        Ok(mounts)
    }
}

/// Parses the rest of a line such as `device x mounted on /mnt with fstype nfs4 statvers=1.1`.
/// `None` for other file systems than NFS.
fn device<'a>(line: &mut Fields<'a>) -> Result<Option<Mount<'a>>, Error> {
    const EXPECTED: &str = "a line such as `device x mounted on / with fstype y`";
    let source = line.word(EXPECTED)?;
    line.skip(2);
    let mountpoint = line.word(EXPECTED)?;
    line.skip(2);
    let fstype = line.word(EXPECTED)?;
    let is_nfs = matches!(fstype, "nfs" | "nfs4") && line.optional().is_some();
    Ok(is_nfs.then(|| Mount { source, mountpoint, fstype, ..Mount::default() }))
}

fn numbers<const N: usize>(
    line: &mut Fields<'_>,
    expected: &'static str,
) -> Result<[u64; N], Error> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = line.number(expected)?;
    }
    Ok(numbers)
}

fn transport<'a>(line: &mut Fields<'a>) -> Result<Connection<'a>, Error> {
    const EXPECTED: &str = "a transport protocol and its counts";
    let protocol = line.word(EXPECTED)?;
    line.skip(1); // the port
    let mut counts = Transport { bind: line.number(EXPECTED)?, ..Transport::default() };
    // UDP has no connections.
    if protocol != "udp" {
        counts.connect = line.number(EXPECTED)?;
        line.skip(1); // time spent connecting
        counts.idle = line.number(EXPECTED)?;
    }
    counts.sends = line.number(EXPECTED)?;
    counts.receives = line.number(EXPECTED)?;
    counts.bad_ids = line.number(EXPECTED)?;
    line.skip(1); // active requests, added up
    counts.backlog = line.number(EXPECTED)?;
    // RDMA has other fields here.
    if matches!(protocol, "tcp" | "udp") {
        counts.slots = line.optional_number(EXPECTED)?.unwrap_or_default();
        counts.sending = line.optional_number(EXPECTED)?.unwrap_or_default();
        counts.pending = line.optional_number(EXPECTED)?.unwrap_or_default();
    }
    Ok(Connection { protocol, counts })
}

fn operation(line: &mut Fields<'_>) -> Result<Operation, Error> {
    const EXPECTED: &str = "eight counts or more";
    Ok(Operation {
        requests: line.number(EXPECTED)?,
        transmissions: line.number(EXPECTED)?,
        timeouts: line.number(EXPECTED)?,
        sent: line.number(EXPECTED)?,
        received: line.number(EXPECTED)?,
        queue_ms: line.number(EXPECTED)?,
        response_ms: line.number(EXPECTED)?,
        request_ms: line.number(EXPECTED)?,
        errors: line.optional_number(EXPECTED)?,
    })
}

/// Source, mount point and type of a mount.
type Key<'a> = (&'a str, &'a str, &'a str);

/// The addresses of servers in `mountinfo`, which `mountstats` does not have.
pub(super) fn addresses(file: &File) -> HashMap<Key<'_>, &str> {
    file.lines().filter_map(address).collect()
}

fn address(mut line: Fields<'_>) -> Option<(Key<'_>, &str)> {
    line.skip(4);
    let mountpoint = line.optional()?;
    while line.optional()? != "-" {}
    let (fstype, source, options) = (line.optional()?, line.optional()?, line.optional()?);
    let address = options.split(',').find_map(|option| option.strip_prefix("addr="))?;
    Some(((source, mountpoint, fstype), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_are_parsed() {
        let tcp = Transport {
            bind: 1,
            connect: 2,
            idle: 4,
            sends: 5,
            receives: 6,
            bad_ids: 7,
            backlog: 9,
            ..Transport::default()
        };
        let newer = Transport { slots: 10, sending: 11, pending: 12, ..tcp };
        for (line, counts) in [
            ("tcp 832 1 2 3 4 5 6 7 8 9", tcp),
            ("tcp 832 1 2 3 4 5 6 7 8 9 10 11 12", newer),
            ("udp 832 1 5 6 7 8 9", Transport { connect: 0, idle: 0, ..tcp }),
            ("udp 832 1 5 6 7 8 9 10 11 12", Transport { connect: 0, idle: 0, ..newer }),
            ("rdma 832 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", tcp),
        ] {
            assert_eq!(transport(&mut Fields::from_line(line)).unwrap().counts, counts, "{line}");
        }
        for line in ["", "tcp", "tcp 832 1 2 3 4 5 6 7 8", "udp 832 1 5 6 7 8", "tcp 832 1 x"] {
            assert!(transport(&mut Fields::from_line(line)).is_err(), "{line}");
        }
    }

    #[test]
    fn operations_are_parsed() {
        let of = |line| {
            operation(&mut Fields::from_line(line)).map(|row| (row.request_ms, row.errors)).ok()
        };
        for (line, expected) in [
            ("1 2 3 4 5 6 7 8", Some((8, None))),
            ("1 2 3 4 5 6 7 8 9", Some((8, Some(9)))),
            ("1 2 3 4 5 6 7", None),
            ("1 2 3 4 5 6 7 x", None),
        ] {
            assert_eq!(of(line), expected, "{line}");
        }
    }

    #[test]
    fn other_file_systems_are_ignored() {
        for (line, expected) in [
            ("srv:/a mounted on /mnt with fstype nfs4 statvers=1.1", Some(Some("/mnt"))),
            ("srv:/a mounted on /mnt with fstype nfs", Some(None)),
            ("/dev/sda1 mounted on / with fstype ext4", Some(None)),
            ("srv:/a mounted on /mnt with", None),
        ] {
            let mount = device(&mut Fields::from_line(line)).ok();
            assert_eq!(mount.map(|mount| mount.map(|mount| mount.mountpoint)), expected, "{line}");
        }
    }

    #[test]
    fn server_addresses_are_found() {
        let line = "194 21 0:42 / /mnt/a rw shared:144 - nfs4 srv:/a rw,addr=192.0.2.1,x=y";
        let expected = (("srv:/a", "/mnt/a", "nfs4"), "192.0.2.1");
        assert_eq!(address(Fields::from_line(line)), Some(expected));
        for line in ["", "1 1 0:5 / /root rw - rootfs rootfs rw", "1 1 0:5 / /root rw nfs x addr=y"]
        {
            assert_eq!(address(Fields::from_line(line)), None, "{line}");
        }
    }
}
