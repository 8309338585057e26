//! Allocation of the space of a file system to data, metadata and system, each in one or more RAID
//! profiles.

use exporter_core::collector::Error;
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use crate::host::{Device, if_exists};

pub(super) static RESERVED: Desc<2> = Desc::gauge(
    "node_btrfs_reserved_bytes",
    "Space reserved for writes in progress.",
    ["block_group_type", "uuid"],
);

const LABELS: [&str; 3] = ["block_group_type", "mode", "uuid"];

pub(super) static COLUMNS: [Column<Profile, 3>; 3] = [
    Desc::gauge("node_btrfs_used_bytes", "Space in use.", LABELS)
        .column(|profile| Some(profile.used)),
    Desc::gauge("node_btrfs_size_bytes", "Space allocated.", LABELS)
        .column(|profile| Some(profile.size)),
    Desc::gauge("node_btrfs_allocation_ratio", "Bytes on devices per byte of data.", LABELS)
        .column(|profile| Some(profile.ratio)),
];

#[derive(Clone, Copy)]
pub(super) struct Profile {
    used: f64,
    size: f64,
    ratio: f64,
}

#[derive(Default)]
pub(super) struct Allocation {
    /// By type of block group.
    reserved: Vec<(&'static str, f64)>,
    /// By type of block group and profile.
    profiles: Vec<(&'static str, String, Profile)>,
}

impl Allocation {
    /// For a file system on this number of devices.
    pub(super) fn read(system: &Device, devices: usize) -> Result<Self, Error> {
        let mut allocation = Self::default();
        for kind in ["data", "metadata", "system"] {
            let Some(group) = if_exists(system.device(format!("allocation/{kind}")))? else {
                continue;
            };
            let reserved: u64 = group.number("bytes_reserved", "a number of bytes")?;
            allocation.reserved.push((kind, reserved as f64));
            for (mode, profile) in group.devices()? {
                let bytes = |name| profile.number::<u64>(name, "a number of bytes");
                let (used, size) = (bytes("used_bytes")? as f64, bytes("total_bytes")? as f64);
                let ratio = ratio(&mode, devices);
                allocation.profiles.push((kind, mode, Profile { used, size, ratio }));
            }
        }
        Ok(allocation)
    }
}

pub(super) fn expose(out: &mut Families, allocations: &[(&str, &Allocation)]) {
    let mut reserved = out.family(&RESERVED);
    for (uuid, allocation) in allocations {
        for (kind, bytes) in &allocation.reserved {
            reserved.sample([kind, uuid], *bytes);
        }
    }
    let rows: Vec<_> = allocations
        .iter()
        .flat_map(|(uuid, allocation)| {
            let profiles = allocation.profiles.iter();
            profiles.map(|(kind, mode, profile)| ([*kind, mode.as_str(), *uuid], *profile))
        })
        .collect();
    out.table(&COLUMNS, &rows);
}

/// The number of bytes on all devices per byte of data. For profiles with parity, it depends on the
/// number of devices.
fn ratio(mode: &str, devices: usize) -> f64 {
    let devices = devices as f64;
    match mode {
        "dup" | "raid1" | "raid10" => 2.0,
        "raid1c3" => 3.0,
        "raid1c4" => 4.0,
        "raid5" if devices > 1.0 => devices / (devices - 1.0),
        "raid6" if devices > 2.0 => devices / (devices - 2.0),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_depend_on_profile_and_devices() {
        for (mode, devices, expected) in [
            ("single", 1, 1.0),
            ("raid0", 2, 1.0),
            ("dup", 1, 2.0),
            ("raid10", 4, 2.0),
            ("raid1c4", 4, 4.0),
            ("raid5", 4, 4.0 / 3.0),
            ("raid6", 4, 2.0),
            ("raid5", 0, 1.0),
            ("raid6", 2, 1.0),
            ("raid7", 2, 1.0),
        ] {
            assert_eq!(ratio(mode, devices).to_bits(), f64::to_bits(expected), "{mode}");
        }
    }
}
