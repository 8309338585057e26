//! PCI devices: `/sys/bus/pci/devices`.
//!
//! See `Documentation/ABI/testing/sysfs-bus-pci`.

mod device;
mod names;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use self::device::{Device, Measurements};
use self::names::Names;
use super::Definition;
use crate::attributes::as_strs;
use crate::host::{Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("pcidevice", "PCI devices", |host, flags| {
        let names = flags.is_on(&NAMES).then(|| Names::new(host, flags.text(&IDS_FILE)));
        Ok(Source::blocking(PciDevices { host: host.clone(), names }))
    })
    .cost("about 10 small files per device")
    .off_by_default()
    .reads(&["/sys/bus/pci/devices/*", "/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"])
    .flags(&[&NAMES, &IDS_FILE])
    .metrics(&[&INFO, &NAMED_INFO, &COLUMNS, &POWER_STATE]);

static NAMES: Flag = Flag::switch(
    "collector.pcidevice.names",
    false,
    "Expose the names of vendors, devices and classes as well, from pci.ids.",
);
static IDS_FILE: Flag = Flag::text(
    "collector.pcidevice.idsfile",
    "",
    "The file pci.ids; that of the distribution if empty.",
);

const LOCATION: [&str; 4] = ["segment", "bus", "device", "function"];

static INFO: Desc<14> = Desc::gauge(
    "node_pcidevice_info",
    "What a PCI device is, and the device above it. Always 1.",
    [
        "segment",
        "bus",
        "device",
        "function",
        "parent_segment",
        "parent_bus",
        "parent_device",
        "parent_function",
        "class_id",
        "vendor_id",
        "device_id",
        "subsystem_vendor_id",
        "subsystem_device_id",
        "revision",
    ],
);
static NAMED_INFO: Desc<19> = Desc::gauge(
    "node_pcidevice_info",
    "As above, with names: under --collector.pcidevice.names.",
    [
        "segment",
        "bus",
        "device",
        "function",
        "parent_segment",
        "parent_bus",
        "parent_device",
        "parent_function",
        "class_id",
        "vendor_id",
        "device_id",
        "subsystem_vendor_id",
        "subsystem_device_id",
        "revision",
        "vendor_name",
        "device_name",
        "subsystem_vendor_name",
        "subsystem_device_name",
        "class_name",
    ],
);
static POWER_STATE: Desc<5> = Desc::gauge(
    "node_pcidevice_power_state",
    "Whether the device is in the power state.",
    ["segment", "bus", "device", "function", "state"],
);
const POWER_STATES: [&str; 7] = ["D0", "D1", "D2", "D3hot", "D3cold", "unknown", "error"];

/// If the link of a device is unknown, its values are -1; other missing values are 0.
static COLUMNS: [Column<Measurements, 4>; 10] = [
    Desc::gauge(
        "node_pcidevice_max_link_transfers_per_second",
        "Transfers per second that the link is capable of; -1 if unknown.",
        LOCATION,
    )
    .column(|device| Some(device.max_link_speed.unwrap_or(-1.0))),
    Desc::gauge(
        "node_pcidevice_max_link_width",
        "Lanes that the link is capable of; -1 if unknown.",
        LOCATION,
    )
    .column(|device| Some(device.max_link_width.unwrap_or(-1.0))),
    Desc::gauge(
        "node_pcidevice_current_link_transfers_per_second",
        "Current transfers per second of the link; -1 if unknown.",
        LOCATION,
    )
    .column(|device| Some(device.link_speed.unwrap_or(-1.0))),
    Desc::gauge(
        "node_pcidevice_current_link_width",
        "Current lanes of the link; -1 if unknown.",
        LOCATION,
    )
    .column(|device| Some(device.link_width.unwrap_or(-1.0))),
    Desc::gauge("node_pcidevice_d3cold_allowed", "Whether the device may enter D3cold.", LOCATION)
        .column(|device| Some(device.d3cold_allowed)),
    Desc::gauge(
        "node_pcidevice_sriov_drivers_autoprobe",
        "Whether drivers are sought for virtual functions.",
        LOCATION,
    )
    .column(|device| Some(device.autoprobe)),
    Desc::gauge("node_pcidevice_sriov_numvfs", "Virtual functions that are enabled.", LOCATION)
        .column(|device| Some(device.functions)),
    Desc::gauge(
        "node_pcidevice_sriov_totalvfs",
        "Virtual functions that may be enabled.",
        LOCATION,
    )
    .column(|device| Some(device.max_functions)),
    Desc::gauge(
        "node_pcidevice_sriov_vf_total_msix",
        "MSI-X vectors for all virtual functions together.",
        LOCATION,
    )
    .column(|device| Some(device.vectors)),
    Desc::gauge(
        "node_pcidevice_numa_node",
        "The NUMA node of the device, if it belongs to one.",
        LOCATION,
    )
    .column(|device| device.numa_node),
];

struct PciDevices {
    host: Host,
    names: Option<Names>,
}

impl Collector for PciDevices {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let locations = self.host.list_sys(device::DIRECTORY).or_absent("PCI bus")?;
        let mut devices = Vec::new();
        let mut result = Ok(());
        for location in locations {
            // A device that fails does not hide the others.
            match Device::read(&self.host, &location) {
                Ok(device) => devices.extend(device),
                Err(error) => result = result.and(Err(error)),
            }
        }
        match &mut self.names {
            None => info(&devices, out),
            Some(names) => named_info(names, &devices, out),
        }
        let rows: Vec<_> =
            devices.iter().map(|device| (device.location.labels(), device.measurements)).collect();
        out.table(&COLUMNS, &rows);
        let mut family = out.family(&POWER_STATE);
        for device in &devices {
            let Some(found) = &device.power_state else { continue };
            let [segment, bus, slot, function] = device.location.labels();
            for state in POWER_STATES {
                let is_in = f64::from(u8::from(state == found));
                family.sample([segment, bus, slot, function, state], is_in);
            }
        }
        result
    }
}

fn info(devices: &[Device], out: &mut Families) {
    let mut family = out.family(&INFO);
    for device in devices {
        let ids = device.ids.labels();
        family.sample(labels([&device.location.labels(), &device.parent(), &as_strs(&ids)]), 1.0);
    }
}

fn named_info(names: &mut Names, devices: &[Device], out: &mut Families) {
    let names = names.for_devices(devices.iter().map(|device| device.ids));
    let mut family = out.family(&NAMED_INFO);
    for (device, names) in devices.iter().zip(names) {
        let ids = device.ids.labels();
        let parts =
            [&device.location.labels()[..], &device.parent(), &as_strs(&ids), &as_strs(names)];
        family.sample(labels(parts), 1.0);
    }
}

/// One row of labels from its parts. Missing labels are empty.
fn labels<'a, const N: usize, const P: usize>(parts: [&[&'a str]; P]) -> [&'a str; N] {
    let mut labels = [""; N];
    for (label, part) in labels.iter_mut().zip(parts.into_iter().flatten()) {
        *label = part;
    }
    labels
}
