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

static COLUMNS: [Column<Multi, 2>; 5] = [
    Desc::gauge("node_dmmultipath_device_active", "Whether the device is active.", DEVICE)
        .column(|multi| Some(f64::from(!multi.is_suspended))),
    Desc::gauge("node_dmmultipath_device_size_bytes", "Size of the device.", DEVICE)
        .column(|multi| Some(multi.size)),
    Desc::gauge("node_dmmultipath_device_paths", "Paths to the device.", DEVICE)
        .column(|multi| Some(multi.paths as f64)),
    Desc::gauge("node_dmmultipath_device_paths_active", "Paths that can be used.", DEVICE)
        .column(|multi| Some(multi.active as f64)),
    Desc::gauge("node_dmmultipath_device_paths_failed", "Paths that cannot be used.", DEVICE)
        .column(|multi| Some((multi.paths - multi.active) as f64)),
];

static PATH_STATE: Desc<3> = Desc::gauge(
    "node_dmmultipath_path_state",
    "State of a path according to the driver; always 1.",
    ["device", "path", "state"],
);

#[derive(Clone, Copy)]
struct Multi {
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
        let (found, result) = each(devices, |_, device| self.mapped(device));
        let mapped =
            || found.iter().filter_map(|(name, mapped)| Some((name.as_str(), mapped.as_ref()?)));
        let mut info = out.family(&INFO);
        for (sysfs_name, mapped) in mapped() {
            info.sample([&mapped.name, sysfs_name, &mapped.uuid], 1.0);
        }
        let rows: Vec<_> = mapped()
            .map(|(sysfs_name, mapped)| ([mapped.name.as_str(), sysfs_name], mapped.multi()))
            .collect();
        out.table(&COLUMNS, &rows);
        let mut states = out.family(&PATH_STATE);
        for (_, mapped) in mapped() {
            for (path, state) in &mapped.paths {
                states.sample([&mapped.name, path, state], 1.0);
            }
        }
        result
    }
}

/// A multipath device.
struct Mapped {
    name: String,
    uuid: String,
    is_suspended: bool,
    /// In sectors of 512 bytes, independent of the sector size of the device.
    sectors: u64,
    /// By name, with the state from the driver.
    paths: Vec<(String, String)>,
}

impl Mapped {
    fn multi(&self) -> Multi {
        // The first is the state of SCSI, the second that of NVMe.
        let active = |state: &str| matches!(state, "running" | "live");
        Multi {
            is_suspended: self.is_suspended,
            size: self.sectors as f64 * 512.0,
            paths: self.paths.len(),
            active: self.paths.iter().filter(|(_, state)| active(state)).count(),
        }
    }
}

impl Multipath {
    /// A device-mapper device, if it is a multipath device.
    fn mapped(&self, device: &Device) -> Result<Option<Mapped>, Error> {
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
        Ok(Some(Mapped {
            name: device.string("dm/name")?,
            uuid,
            is_suspended: device.number::<u8>("dm/suspended", "0 or 1")? != 0,
            sectors: device.number("size", "a number of sectors")?,
            paths,
        }))
    }
}
