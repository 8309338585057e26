//! Operations of each NFS mount and their duration: `/proc/self/mountstats`.

mod columns;
mod parse;

use std::collections::BTreeSet;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::families::Families;

use self::columns::{MOUNTPOINT, MOUNTS, OPERATIONS, TRANSPORTS};
use self::parse::{Mount, addresses, mounts};
use super::Definition;
use crate::filter::Filter;
use crate::host::{Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("mountstats", "NFS mounts", |host, flags| {
        let filter = Filter::default().of_mount_points(flags)?;
        Ok(Source::blocking(Mountstats { host: host.clone(), filter }))
    })
    .cost("one file with about 100 lines per NFS mount")
    .rights("no rights, but the mounts have to be visible")
    .off_by_default()
    .reads(&["/proc/self/mountstats", "/proc/self/mountinfo"])
    .metrics(&[&MOUNTPOINT, &MOUNTS, &TRANSPORTS, &OPERATIONS]);

struct Mountstats {
    host: Host,
    filter: Filter,
}

impl Collector for Mountstats {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file =
            self.host.proc_long_lines("self/mountstats").or_absent("statistics of mounts")?;
        let mut mounts = mounts(&file)?;
        mounts.retain(|mount| !self.filter.ignores(mount.mountpoint));
        if mounts.is_empty() {
            return Ok(());
        }
        let mountinfo = self.host.proc_long_lines("self/mountinfo")?;
        let addresses = addresses(&mountinfo);
        let address = |mount: &Mount<'_>| {
            let key = (mount.source, mount.mountpoint, mount.fstype);
            addresses.get(&key).copied().unwrap_or_default()
        };

        let mut mountpoints = BTreeSet::new();
        // An export that is mounted twice has one connection, and both mounts have its statistics.
        let mut exports = BTreeSet::new();
        let mut distinct = Vec::new();
        for mount in &mounts {
            for transport in &mount.transports {
                let labels = [mount.source, transport.protocol, address(mount)];
                mountpoints.insert((labels, mount.mountpoint));
                if !exports.insert(labels) {
                    break;
                }
                distinct.push((labels, mount));
            }
        }

        let mut family = out.family(&MOUNTPOINT);
        for ([source, protocol, address], mountpoint) in mountpoints {
            family.sample([source, protocol, address, mountpoint], 1.0);
        }
        let rows: Vec<_> = distinct.iter().map(|(labels, mount)| (*labels, mount.totals)).collect();
        out.table(&MOUNTS, &rows);

        let max_transports = distinct.iter().map(|(_, mount)| mount.transports.len()).max();
        let numbers: Vec<_> =
            (0..max_transports.unwrap_or_default()).map(|index| index.to_string()).collect();
        let mut rows = Vec::new();
        for ([source, protocol, address], mount) in &distinct {
            for (number, transport) in numbers.iter().zip(&mount.transports) {
                rows.push(([*source, protocol, address, number.as_str()], transport.counts));
            }
        }
        out.table(&TRANSPORTS, &rows);

        let mut rows = Vec::new();
        for ([source, protocol, address], mount) in &distinct {
            for (name, operation) in &mount.operations {
                rows.push(([*source, protocol, address, *name], *operation));
            }
        }
        out.table(&OPERATIONS, &rows);
        Ok(())
    }
}
