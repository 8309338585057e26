//! Batteries and other power supplies: `/sys/class/power_supply`, see
//! `Documentation/ABI/testing/sysfs-class-power`.

mod numbers;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Describe, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use regex::bytes::Regex;

use self::numbers::{NUMBERS, Numbers};
use super::Definition;
use crate::attributes::each;
use crate::filter;
use crate::host::{Device, Host, OrAbsent, if_supported};

pub(super) static DEFINITION: Definition =
    Definition::new("powersupplyclass", "Batteries and other power supplies", |host, flags| {
        Ok(Source::blocking(PowerSupplies {
            host: host.clone(),
            ignored: filter::pattern(flags, &IGNORED)?,
        }))
    })
    .cost("about 40 small files per supply")
    .reads(&["/sys/class/power_supply/*/*"])
    .flags(&[&IGNORED])
    .metrics(&[&NUMBERS, &Info]);

static IGNORED: Flag = Flag::text(
    "collector.powersupply.ignored-supplies",
    "^$",
    "Power supplies to leave out (pattern).",
);

const NAME: &str = "node_power_supply_info";
const HELP: &str = "What a supply is and does, in the attributes that it has; always 1.";

/// The family whose labels are the attributes that a supply has.
struct Info;

impl Describe for Info {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let labels: Vec<_> = [SUPPLY].into_iter().chain(ATTRIBUTES).collect();
        visit(DynDesc::new(NAME, HELP, Kind::Gauge, &labels));
    }
}

const SUPPLY: &str = "power_supply";
const ATTRIBUTES: [&str; 11] = [
    "capacity_level",
    "charge_type",
    "health",
    "manufacturer",
    "model_name",
    "scope",
    "serial_number",
    "status",
    "technology",
    "type",
    "usb_type",
];

struct PowerSupplies {
    host: Host,
    ignored: Option<Regex>,
}

impl Collector for PowerSupplies {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut devices = self.host.devices("class/power_supply").or_absent("power supply")?;
        devices.retain(|(name, _)| {
            !self.ignored.as_ref().is_some_and(|ignored| ignored.is_match(name.as_bytes()))
        });
        let (supplies, result) =
            each(devices, |_, device| Ok((attributes(device)?, NUMBERS.read(device)?)));
        let rows: Vec<([&str; 1], Numbers)> =
            supplies.iter().map(|(name, (_, numbers))| ([name.as_str()], *numbers)).collect();
        NUMBERS.expose(out, &rows);
        for (name, (attributes, _)) in &supplies {
            let named = attributes.iter().map(|(label, value)| (*label, value.as_str()));
            let (labels, values): (Vec<_>, Vec<_>) =
                [(SUPPLY, name.as_str())].into_iter().chain(named).unzip();
            let desc = DynDesc::new(NAME, HELP, Kind::Gauge, &labels);
            out.open(desc).sample(&values, 1.0);
        }
        result
    }
}

/// The attributes of a supply that are not empty.
fn attributes(device: &Device) -> Result<Vec<(&'static str, String)>, Error> {
    let mut attributes = Vec::new();
    for label in ATTRIBUTES {
        let value = if_supported(device.string(label))?.filter(|value| !value.is_empty());
        attributes.extend(value.map(|value| (label, value)));
    }
    Ok(attributes)
}
