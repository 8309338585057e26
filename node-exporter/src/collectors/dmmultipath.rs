//! Multipath devices and their paths: `/sys/block/dm-*`, see
//! `Documentation/ABI/testing/sysfs-block-dm`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::attributes::each;
use crate::host::{Device, Host, OrAbsent, if_exists, if_supported};

pub(super) static DEFINITION: Definition =
    Definition::new("dmmultipath", "Multipath devices", |host, _| {
        Ok(Source::blocking(Multipath(host.clone())))
    })
    .cost("a few small files per multipath device and path")
    .reads(&[
        "/sys/block/dm-*/{size,dm/name,dm/suspended,dm/uuid}",
        "/sys/block/dm-*/slaves",
        "/sys/block/*/device/state",
    ])
    .metrics(&[&INFO, &COLUMNS, &PATH_STATE]);

static INFO: Desc<3> = Desc::gauge(
    "node_dmmultipath_device_info",
    "A multipath device with its identifier; always 1.",
    ["device", "sysfs_name", "uuid"],
);

const DEVICE: [&str; 2] = ["device", "sysfs_name"];

static COLUMNS: [Column<Row, 2>; 5] = [
    Desc::gauge("node_dmmultipath_device_active", "Whether the device is active.", DEVICE)
        .column(|row| Some(f64::from(!row.is_suspended))),
    Desc::gauge("node_dmmultipath_device_size_bytes", "Size of the device.", DEVICE)
        .column(|row| Some(row.size)),
    Desc::gauge("node_dmmultipath_device_paths", "Paths to the device.", DEVICE)
        .column(|row| Some(row.paths as f64)),
    Desc::gauge("node_dmmultipath_device_paths_active", "Paths that can be used.", DEVICE)
        .column(|row| Some(row.active as f64)),
    Desc::gauge("node_dmmultipath_device_paths_failed", "Paths that cannot be used.", DEVICE)
        .column(|row| Some((row.paths - row.active) as f64)),
];

static PATH_STATE: Desc<3> = Desc::gauge(
    "node_dmmultipath_path_state",
    "State of a path according to the driver; always 1.",
    ["device", "path", "state"],
);

#[derive(Clone, Copy)]
struct Row {
    is_suspended: bool,
    /// In bytes.
    size: f64,
    paths: usize,
    active: usize,
}

struct Multipath(Host);

impl Collector for Multipath {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let devices = self.0.device("block").or_absent("block devices")?;
        let devices = devices.devices_matching(|name| name.starts_with("dm-"))?;
        let (found, result) = each(devices, |_, device| self.read(device));
        let multipath_devices =
            || found.iter().filter_map(|(name, device)| Some((name.as_str(), device.as_ref()?)));
        let mut info = out.family(&INFO);
        for (sysfs_name, device) in multipath_devices() {
            info.sample([&device.name, sysfs_name, &device.uuid], 1.0);
        }
        let rows: Vec<_> = multipath_devices()
            .map(|(sysfs_name, device)| ([device.name.as_str(), sysfs_name], device.row()))
            .collect();
        out.table(&COLUMNS, &rows);
        let mut states = out.family(&PATH_STATE);
        for (_, device) in multipath_devices() {
            for (path, state) in &device.paths {
                states.sample([&device.name, path, state], 1.0);
            }
        }
        result
    }
}

/// A multipath device.
struct MultipathDevice {
    name: String,
    uuid: String,
    is_suspended: bool,
    /// In sectors of 512 bytes, independent of the sector size of the device.
    sectors: u64,
    /// By name, with the state from the driver.
    paths: Vec<(String, String)>,
}

impl MultipathDevice {
    fn row(&self) -> Row {
        // The first is the state of SCSI, the second that of NVMe.
        let active = |state: &str| matches!(state, "running" | "live");
        Row {
            is_suspended: self.is_suspended,
            size: self.sectors as f64 * 512.0,
            paths: self.paths.len(),
            active: self.paths.iter().filter(|(_, state)| active(state)).count(),
        }
    }
}

impl Multipath {
    /// A device-mapper device, if it is a multipath device.
    fn read(&self, device: &Device) -> Result<Option<MultipathDevice>, Error> {
        let Some(uuid) = if_exists(device.string("dm/uuid"))? else { return Ok(None) };
        if !uuid.starts_with("mpath-") {
            return Ok(None);
        }
        let mut paths = Vec::new();
        let slaves = if_exists(device.device("slaves"))?;
        for path in slaves.map_or_else(|| Ok(Vec::new()), |slaves| slaves.names())? {
            // A path that is being removed has no state.
            let state = match if_exists(self.0.device(format!("block/{path}")))? {
                Some(path) => if_supported(path.string("device/state"))?,
                None => None,
            };
            paths.push((path, state.unwrap_or_else(|| "unknown".to_owned())));
        }
        Ok(Some(MultipathDevice {
            name: device.string("dm/name")?,
            uuid,
            is_suspended: device.number::<u8>("dm/suspended", "0 or 1")? != 0,
            sectors: device.number("size", "a number of sectors")?,
            paths,
        }))
    }
}
