//! Names of the machine, its board, its chassis and its firmware: `/sys/class/dmi/id`, see
//! `Documentation/ABI/testing/sysfs-devices-dmi`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Describe, DynDesc, Kind};
use exporter_core::families::Families;

use super::Definition;
use crate::host::Host;

pub(super) static DEFINITION: Definition =
    Definition::new("dmi", "Names and versions of the hardware and its firmware", |host, _| {
        Ok(Source::blocking(Dmi { fields: fields(host) }))
    })
    .cost("nothing: read once at the start")
    .rights("root for serial numbers")
    .reads(&["/sys/class/dmi/id/*"])
    .metrics(&[&Info]);

const NAME: &str = "node_dmi_info";
const HELP: &str = "Readable DMI fields of the machine; always 1.";

/// The family whose labels are the readable fields.
struct Info;

impl Describe for Info {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        visit(DynDesc::new(NAME, HELP, Kind::Gauge, &FIELDS));
    }
}

/// The fields, which are labels with the same names, except for `system_vendor`.
const FIELDS: [&str; 20] = [
    "bios_date",
    "bios_release",
    "bios_vendor",
    "bios_version",
    "board_asset_tag",
    "board_name",
    "board_serial",
    "board_vendor",
    "board_version",
    "chassis_asset_tag",
    "chassis_serial",
    "chassis_vendor",
    "chassis_version",
    "product_family",
    "product_name",
    "product_serial",
    "product_sku",
    "product_uuid",
    "product_version",
    "system_vendor",
];

struct Dmi {
    /// Read once: the kernel copies them from the firmware when the machine starts.
    fields: Vec<(&'static str, String)>,
}

impl Collector for Dmi {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        if self.fields.is_empty() {
            return Err(Error::Absent("DMI table"));
        }
        let (labels, values): (Vec<_>, Vec<_>) =
            self.fields.iter().map(|(label, value)| (*label, value.as_str())).unzip();
        let entry = DynDesc::new(NAME, HELP, Kind::Gauge, &labels);
        out.open(entry).sample(&values, 1.0);
        Ok(())
    }
}

/// The readable fields. Only root can read serial numbers.
fn fields(host: &Host) -> Vec<(&'static str, String)> {
    let Ok(device) = host.device("class/dmi/id") else { return Vec::new() };
    let read = |field| {
        let name = if field == "system_vendor" { "sys_vendor" } else { field };
        device.string(name).ok().map(|value| (field, value))
    };
    FIELDS.into_iter().filter_map(read).collect()
}
