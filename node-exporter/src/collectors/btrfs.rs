//! Btrfs file systems: `/sys/fs/btrfs`, and the devices of mounted file systems by
//! `ioctl(2)`.

mod allocation;
mod devices;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use self::allocation::Allocation;
use self::devices::{Devices, ERRORS, Sizes, UNUSED};
use super::Definition;
use crate::attributes::each;
use crate::host::{Device, File, Host, if_exists};

pub(super) static DEFINITION: Definition =
    Definition::new("btrfs", "Btrfs file systems", |host, _| {
        Ok(Source::blocking(Btrfs(host.clone())))
    })
    .cost("about 20 small files per file system, and a system call per device")
    .rights("no rights, but the mount has to be visible")
    .reads(&[
        "/sys/fs/btrfs/*/{commit_stats,label,allocation/*,devices/*/size}",
        "/proc/1/mountinfo",
    ])
    .metrics(&[
        &INFO,
        &COLUMNS,
        &allocation::RESERVED,
        &allocation::COLUMNS,
        &Sizes,
        &UNUSED,
        &ERRORS,
    ]);

static INFO: Desc<2> =
    Desc::gauge("node_btrfs_info", "A file system with its label; always 1.", ["label", "uuid"]);

static COLUMNS: [Column<Summary, 1>; 5] = [
    Desc::gauge(
        "node_btrfs_global_rsv_size_bytes",
        "Size of the reserve for metadata of operations that have to succeed.",
        ["uuid"],
    )
    .column(|summary| summary.reserve),
    Desc::counter("node_btrfs_commits_total", "Commits done.", ["uuid"])
        .column(|summary| Some(summary.commits)),
    Desc::gauge("node_btrfs_last_commit_seconds", "How long the last commit took.", ["uuid"])
        .column(|summary| Some(summary.last_commit)),
    Desc::gauge("node_btrfs_max_commit_seconds", "How long the longest commit took.", ["uuid"])
        .column(|summary| Some(summary.longest_commit)),
    Desc::counter("node_btrfs_commit_seconds_total", "Total time of all commits.", ["uuid"])
        .column(|summary| Some(summary.total_commit_time)),
];

struct Btrfs(Host);

impl Collector for Btrfs {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        // Without the module the directory does not exist, and there is nothing to report.
        let mut systems = if_exists(self.0.devices("fs/btrfs"))?.unwrap_or_default();
        // Directories of file systems are named by UUID; no other directory has a dash in its name.
        systems.retain(|(name, _)| name.contains('-'));
        let mut queried =
            if systems.is_empty() { Vec::new() } else { devices::query_mounted(&self.0) };
        let (systems, result) =
            each(systems, |uuid, device| System::read(uuid, device, &mut queried));

        let mut info = out.family(&INFO);
        for (uuid, system) in &systems {
            info.sample([&system.label, uuid], 1.0);
        }
        let summaries: Vec<_> =
            systems.iter().map(|(uuid, system)| ([uuid.as_str()], system.summary)).collect();
        out.table(&COLUMNS, &summaries);
        let allocations = systems.iter().map(|(uuid, system)| (uuid.as_str(), &system.allocation));
        allocation::expose(out, &allocations.collect::<Vec<_>>());
        let devices = systems.iter().map(|(uuid, system)| (uuid.as_str(), &system.devices));
        devices::expose(out, &devices.collect::<Vec<_>>());
        result
    }
}

struct System {
    label: String,
    summary: Summary,
    allocation: Allocation,
    devices: Devices,
}

impl System {
    fn read(
        uuid: &str,
        device: &Device,
        queried: &mut Vec<(String, Devices)>,
    ) -> Result<Self, Error> {
        let from_sysfs = devices::read_sysfs(device)?;
        let count = from_sysfs.len();
        let found = queried.iter().position(|(queried, _)| queried == uuid);
        let devices = found.map_or(from_sysfs, |index| queried.swap_remove(index).1);
        let commits = if_exists(device.file("commit_stats"))?;
        let commits =
            commits.map_or_else(|| Ok(Summary::default()), |file| parse_commits(&file))?;
        let reserve = device.number::<u64>("allocation/global_rsv_size", "a size in bytes");
        let reserve = if_exists(reserve)?.map(|size| size as f64);
        Ok(Self {
            label: if_exists(device.string("label"))?.unwrap_or_default(),
            summary: Summary { reserve, ..commits },
            allocation: Allocation::read(device, count)?,
            devices,
        })
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Summary {
    reserve: Option<f64>,
    commits: f64,
    /// In seconds, as are the others.
    last_commit: f64,
    longest_commit: f64,
    total_commit_time: f64,
}

/// Parses lines of a name and a number.
fn parse_commits(file: &File) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    for mut line in file.lines() {
        let Some(name) = line.optional() else { continue };
        let number: u64 = line.number("a name and a number")?;
        let number = number as f64;
        match name {
            "commits" => summary.commits = number,
            "last_commit_ms" => summary.last_commit = number / 1000.0,
            "max_commit_ms" => summary.longest_commit = number / 1000.0,
            "total_commit_ms" => summary.total_commit_time = number / 1000.0,
            _ => {}
        }
    }
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_statistics_are_parsed() {
        let file = File::from_text(
            "commits 3\nlast_commit_ms 1000\n\nnew_thing 5\ntotal_commit_ms 1500\n",
        );
        let expected = Summary {
            commits: 3.0,
            last_commit: 1.0,
            total_commit_time: 1.5,
            ..Summary::default()
        };
        assert_eq!(parse_commits(&file).unwrap(), expected);
        for text in ["commits", "commits x", "commits -1"] {
            assert!(parse_commits(&File::from_text(text)).is_err(), "{text}");
        }
    }
}
