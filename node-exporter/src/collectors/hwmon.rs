//! Hardware sensors: `/sys/class/hwmon`.
//!
//! A chip is a directory. A sensor is a group of files in it, such as `temp1_input`, `temp1_max`
//! and `temp1_label`. Drivers provide different files, so the families are named after the existing
//! files; see `Documentation/hwmon/sysfs-interface.rst`.

mod chip;
mod reading;

use std::collections::BTreeMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use self::chip::{Chip, make_labels_unique};
use self::reading::readings;
use super::Definition;
use crate::filter::Filter;
use crate::host::{Device, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("hwmon", "Hardware sensors: temperatures, voltages, fans", |host, flags| {
        Ok(Source::blocking(Hwmon {
            host: host.clone(),
            chips: Filter::new(flags, &CHIP_INCLUDE, &CHIP_EXCLUDE)?,
            sensors: Filter::new(flags, &SENSOR_INCLUDE, &SENSOR_EXCLUDE)?,
        }))
    })
    .cost("one small file per value of a sensor; some chips take milliseconds for it")
    .reads(&["/sys/class/hwmon/hwmon*/*", "/sys/class/hwmon/hwmon*/device/*"])
    .flags(&[&CHIP_INCLUDE, &CHIP_EXCLUDE, &SENSOR_INCLUDE, &SENSOR_EXCLUDE])
    .metrics(&[&CHIP_NAMES, &SENSOR_LABEL, &SensorFamilies]);

static CHIP_INCLUDE: Flag =
    Flag::text("collector.hwmon.chip-include", "", "Chips to expose, and no others (pattern).");
static CHIP_EXCLUDE: Flag =
    Flag::text("collector.hwmon.chip-exclude", "", "Chips to leave out (pattern).");
static SENSOR_INCLUDE: Flag = Flag::text(
    "collector.hwmon.sensor-include",
    "",
    "Sensors to expose, and no others (pattern, matched with <chip>;<sensor>).",
);
static SENSOR_EXCLUDE: Flag = Flag::text(
    "collector.hwmon.sensor-exclude",
    "",
    "Sensors to leave out, unread (pattern, matched with <chip>;<sensor>).",
);

static CHIP_NAMES: Desc<2> =
    Desc::gauge("node_hwmon_chip_names", "What a chip's driver calls it.", ["chip", "chip_name"]);
static SENSOR_LABEL: Desc<3> = Desc::gauge(
    "node_hwmon_sensor_label",
    "What a sensor measures, as its driver labels it.",
    ["chip", "sensor", "label"],
);

/// The families with names from files.
struct SensorFamilies;

impl Describe for SensorFamilies {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let mut entry = |name, help, kind| visit(DynDesc::new(name, help, kind, &SENSOR));
        let help = "Energy that a sensor has counted, in joules.";
        entry("node_hwmon_energy<_element>_joule_total", help, Kind::Counter);
        let help = "Value of a sensor's file: <type> <element>, in the unit of the name.";
        entry("node_hwmon_<type_element_unit>", help, Kind::Gauge);
    }
}

const SENSOR: [&str; 2] = ["chip", "sensor"];

/// The prefixes of sensor files.
const TYPES: [&str; 14] = [
    "beep_enable",
    "cpu",
    "curr",
    "energy",
    "fan",
    "freq",
    "humidity",
    "in",
    "intrusion",
    "power",
    "pwm",
    "temp",
    "update_interval",
    "vrm",
];

struct Hwmon {
    host: Host,
    chips: Filter,
    sensors: Filter,
}

impl Collector for Hwmon {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let devices = self.host.devices("class/hwmon").or_absent("hardware monitor")?.into_iter();
        let (devices, mut chips): (Vec<_>, Vec<_>) = devices
            .filter_map(|(name, device)| Chip::new(&device, &name).map(|chip| (device, chip)))
            .unzip();
        make_labels_unique(&mut chips);

        let mut result = Ok(());
        let mut selected = Vec::new();
        for (device, chip) in devices.iter().zip(chips) {
            if self.chips.ignores(&chip.label) {
                continue;
            }
            let sensors = self.sensors(device, &chip).unwrap_or_else(|error| {
                result = std::mem::replace(&mut result, Ok(())).and(Err(error));
                Sensors::new()
            });
            selected.push((chip, sensors));
        }
        expose(out, &selected);
        result
    }
}

/// The sensors of a chip by name.
type Sensors = BTreeMap<String, Sensor>;

#[derive(Default)]
struct Sensor {
    /// One of [`TYPES`].
    kind: &'static str,
    /// The values of its files, by the part of their names after type and number.
    elements: BTreeMap<String, String>,
}

impl Hwmon {
    /// The sensors of a chip. Sensors that cannot be read are left out.
    fn sensors(&self, chip_device: &Device, chip: &Chip) -> Result<Sensors, Error> {
        let mut sensors = Sensors::new();
        // Old drivers have the files in the directory of the device instead.
        let parent = chip_device.device("device").ok();
        let names = parent.as_ref().and_then(|parent| parent.names().ok()).unwrap_or_default();
        for (device, names) in [(Some(chip_device), chip_device.names()?), (parent.as_ref(), names)]
        {
            let Some(device) = device else { continue };
            for (name, FileName { kind, sensor, element }) in
                names.iter().filter_map(|name| Some((name, parse_file_name(name)?)))
            {
                if !self.sensors.is_empty()
                    && self.sensors.ignores(format!("{};{sensor}", chip.label))
                {
                    continue;
                }
                if let Some(value) = device.sensor_text(name) {
                    let sensor = sensors.entry(sensor).or_default();
                    sensor.kind = kind;
                    sensor.elements.insert(element.to_owned(), value);
                }
            }
        }
        Ok(sensors)
    }
}

#[derive(Debug, PartialEq)]
struct FileName<'a> {
    kind: &'static str,
    /// The type with the number, which is 0 if missing.
    sensor: String,
    element: &'a str,
}

/// Splits a name such as `temp1_max`. `None` if it is not a sensor file.
fn parse_file_name(name: &str) -> Option<FileName<'_>> {
    let digits = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let (kind, rest) = name.split_at(digits);
    let kind = TYPES.into_iter().find(|known| *known == kind)?;
    let (number, element) = match rest.split_once('_') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (rest, ""),
    };
    let number: i64 = if number.is_empty() { 0 } else { number.parse().ok()? };
    Some(FileName { kind, sensor: format!("{kind}{number}"), element })
}

fn expose(out: &mut Families, chips: &[(Chip, Sensors)]) {
    let mut names = out.family(&CHIP_NAMES);
    for (Chip { label, name, .. }, _) in chips {
        if let Some(name) = name {
            names.sample([label, name], 1.0);
        }
    }
    let all = || {
        chips.iter().flat_map(|(chip, sensors)| {
            sensors.iter().map(move |(name, sensor)| (chip.label.as_str(), name.as_str(), sensor))
        })
    };
    let mut labels = out.family(&SENSOR_LABEL);
    for (chip, name, sensor) in all() {
        if let Some(label) = sensor.elements.get("label") {
            labels.sample([chip, name, label.trim_matches('\n')], 1.0);
        }
    }
    let mut samples: Vec<_> = all()
        .flat_map(|(chip, name, sensor)| {
            readings(name, sensor).into_iter().map(move |reading| (reading, chip))
        })
        .collect();
    // A family's samples must be written together; those of a chip stay in order.
    samples.sort_by(|(one, _), (other, _)| one.family.cmp(&other.family));
    for family in samples.chunk_by(|(one, _), (other, _)| one.family == other.family) {
        let Some((first, _)) = family.first() else { continue };
        let help = first.help();
        let Some(desc) = Desc::try_new(&first.family, &help, first.kind(), SENSOR) else {
            continue;
        };
        let mut open = out.family(&desc);
        for (reading, chip) in family {
            open.sample([chip, &reading.sensor], reading.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_split() {
        let parts = |kind, sensor: &str, element| {
            Some(FileName { kind, sensor: sensor.to_owned(), element })
        };
        for (name, expected) in [
            ("temp1_input", parts("temp", "temp1", "input")),
            ("temp01_crit_alarm", parts("temp", "temp1", "crit_alarm")),
            ("pwm12", parts("pwm", "pwm12", "")),
            ("pwm1_auto_point1_pwm", parts("pwm", "pwm1", "auto_point1_pwm")),
            ("beep_enable", parts("beep_enable", "beep_enable0", "")),
            ("update_interval", parts("update_interval", "update_interval0", "")),
            // A directory of every device; it cannot be read.
            ("power", parts("power", "power0", "")),
            ("", None),
            ("1", None),
            ("name", None),
            ("Temp1_input", None),
            ("temp_input", None),
            ("temp1_", None),
            ("temp1input", None),
            ("temp99999999999999999999_input", None),
        ] {
            assert_eq!(parse_file_name(name), expected, "{name}");
        }
    }
}
