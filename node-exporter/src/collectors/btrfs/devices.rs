//! The devices of a file system, from sysfs or from the mounted file system.

use exporter_core::collector::Error;
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;

use crate::host::{self, Device, Host, if_exists};
use crate::proc::mounts;
use crate::system::{self, BtrfsDevice};

const SIZE: &str = "node_btrfs_device_size_bytes";
const SIZE_HELP: &str = "Size of a device of the file system.";

/// A family that has the label `btrfs_dev_uuid` only for file systems that were queried.
pub(super) struct Sizes;

impl Describe for Sizes {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        visit(DynDesc::new(SIZE, SIZE_HELP, Kind::Gauge, &QUERIED_LABELS));
    }
}

const QUERIED_LABELS: [&str; 3] = ["device", "btrfs_dev_uuid", "uuid"];
const SYSFS_LABELS: [&str; 2] = ["device", "uuid"];

pub(super) static UNUSED: Desc<3> = Desc::gauge(
    "node_btrfs_device_unused_bytes",
    "Space of a device that is not allocated.",
    QUERIED_LABELS,
);
pub(super) static ERRORS: Desc<4> = Desc::counter(
    "node_btrfs_device_errors_total",
    "Errors of a device since they were last reset.",
    ["type", "device", "btrfs_dev_uuid", "uuid"],
);

pub(super) enum Devices {
    /// By name, with the size in bytes.
    Sysfs(Vec<(String, f64)>),
    Queried(Vec<BtrfsDevice>),
}

impl Devices {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Sysfs(devices) => devices.len(),
            Self::Queried(devices) => devices.len(),
        }
    }
}

pub(super) fn read_sysfs(system: &Device) -> Result<Devices, Error> {
    let mut found = Vec::new();
    let directory = if_exists(system.device("devices"))?;
    for (name, device) in directory.map_or_else(|| Ok(Vec::new()), |all| all.devices())? {
        // A missing device has no size.
        let sectors = if_exists(device.number::<u64>("size", "a number of sectors"))?;
        found.push((name, sectors.unwrap_or_default() as f64 * 512.0));
    }
    Ok(Devices::Sysfs(found))
}

/// Queries the devices of mounted file systems, by UUID. File systems that cannot be queried, for
/// example because of missing privileges, are left out; sysfs is used for them.
pub(super) fn query_mounted(host: &Host) -> Vec<(String, Devices)> {
    let mut queried = Vec::<(String, Devices)>::new();
    let Ok(table) = mounts::read(host) else { return queried };
    let (mounts, _) = table.mounts();
    let mut sources = Vec::new();
    for mount in mounts.iter().filter(|mount| mount.fstype == b"btrfs") {
        // There may be many mounts of subvolumes. They have different device numbers, but the same
        // source.
        if sources.contains(&mount.source) {
            continue;
        }
        sources.push(mount.source);
        let point = mount.point_unescaped();
        let Ok(file) = host.open_root(host::path_of(&point)) else { continue };
        if let Ok((uuid, devices)) = system::btrfs(&file)
            && !queried.iter().any(|(known, _)| *known == uuid)
        {
            queried.push((uuid, Devices::Queried(devices)));
        }
    }
    queried
}

pub(super) fn expose(out: &mut Families, systems: &[(&str, &Devices)]) {
    for (uuid, devices) in systems {
        let desc = |labels| DynDesc::new(SIZE, SIZE_HELP, Kind::Gauge, labels);
        match devices {
            Devices::Sysfs(devices) => {
                let mut sizes = out.open(desc(&SYSFS_LABELS));
                for (device, size) in devices {
                    sizes.sample(&[device, uuid], *size);
                }
            }
            Devices::Queried(devices) => {
                let mut sizes = out.open(desc(&QUERIED_LABELS));
                for device in devices {
                    sizes.sample(&[&device.name, &device.uuid, uuid], device.size as f64);
                }
            }
        }
    }
    let queried = || {
        systems.iter().flat_map(|(uuid, devices)| {
            let devices = if let Devices::Queried(devices) = devices { &devices[..] } else { &[] };
            devices.iter().map(move |device| (*uuid, device))
        })
    };
    let mut unused = out.family(&UNUSED);
    for (uuid, device) in queried() {
        let bytes = device.size.saturating_sub(device.used);
        unused.sample([&device.name, &device.uuid, uuid], bytes as f64);
    }
    let mut errors = out.family(&ERRORS);
    for (uuid, device) in queried() {
        for (kind, count) in
            ["write", "read", "flush", "corruption", "generation"].into_iter().zip(device.errors)
        {
            errors.sample([kind, &device.name, &device.uuid, uuid], count as f64);
        }
    }
}
