//! Bytes read from and written to the devices that have a mounted file system: `sysinfo` lists no
//! others.

use std::collections::BTreeMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use sysinfo::{DiskRefreshKind, DiskUsage, Disks};

use super::Definition;
use crate::filter::Filter;

pub(super) static DEFINITION: Definition =
    Definition::new("diskstats", "Block device I/O", |(), flags| {
        Ok(Source::blocking(Diskstats(Filter::one_of(flags, &INCLUDE, &EXCLUDE)?)))
    })
    .flags(&[&EXCLUDE, &INCLUDE])
    .metrics(&[&COLUMNS]);

static EXCLUDE: Flag = Flag::text(
    "collector.diskstats.device-exclude",
    "",
    "Block devices to leave out (pattern); not together with device-include.",
);
static INCLUDE: Flag = Flag::text(
    "collector.diskstats.device-include",
    "",
    "Block devices to expose, and no others (pattern); not together with device-exclude.",
);

static COLUMNS: [Column<DiskUsage, 1>; 2] = [
    Desc::counter("node_disk_read_bytes_total", "Bytes read.", DEVICE)
        .column(|usage| Some(usage.total_read_bytes as f64)),
    Desc::counter("node_disk_written_bytes_total", "Bytes written.", DEVICE)
        .column(|usage| Some(usage.total_written_bytes as f64)),
];

const DEVICE: [&str; 1] = ["device"];

struct Diskstats(Filter);

impl Collector for Diskstats {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let kind = DiskRefreshKind::nothing().with_io_usage();
        let disks = Disks::new_with_refreshed_list_specifics(kind).map_err(Error::other)?;
        // By device: one may have several mounts.
        let mut usages = BTreeMap::new();
        for disk in &disks {
            let name = disk.name().to_string_lossy();
            let device = name.strip_prefix("/dev/").unwrap_or(&name).to_owned();
            let usage = disk.usage();
            // Both are 0 if the system has no statistics, or if the mount has no device.
            let is_counted = usage.total_read_bytes > 0 || usage.total_written_bytes > 0;
            if is_counted && !self.0.ignores(&device) {
                usages.insert(device, usage);
            }
        }
        let rows: Vec<_> =
            usages.iter().map(|(device, usage)| ([device.as_str()], *usage)).collect();
        out.table(&COLUMNS, &rows);
        Ok(())
    }
}
