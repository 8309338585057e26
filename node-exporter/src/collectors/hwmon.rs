//! What the sensors on the board say: `/sys/class/hwmon`.
//!
//! A chip is a directory, a sensor some files in it: `temp1_input`, `temp1_max`, `temp1_label`.
//! Which of them a chip has is the driver's choice, so the families are named after what is
//! found; see `Documentation/hwmon/sysfs-interface.rst`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::Definition;
use crate::filter::Filter;
use crate::host::{self, File, Host, OrAbsent};

pub(super) static DEFINITION: Definition = Definition {
    name: "hwmon",
    about: "Hardware sensors: temperatures, voltages, fans",
    on_by_default: true,
    reads: &["/sys/class/hwmon/hwmon*/*", "/sys/class/hwmon/hwmon*/device/*"],
    flags: &[&CHIP_INCLUDE, &CHIP_EXCLUDE, &SENSOR_INCLUDE, &SENSOR_EXCLUDE],
    metrics: &[&CHIP_NAMES, &SENSOR_LABEL, &Found],
    build: |host, flags| {
        Ok(Source::blocking(Hwmon {
            host: host.clone(),
            chips: Filter::new(flags, &CHIP_INCLUDE, &CHIP_EXCLUDE)?,
            sensors: Filter::new(flags, &SENSOR_INCLUDE, &SENSOR_EXCLUDE)?,
        }))
    },
};

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

/// The families that are named after files.
struct Found;

impl Describe for Found {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let mut entry = |name, help, kind| visit(DynDesc { name, help, kind, labels: &SENSOR });
        let help = "Energy that a sensor has counted, in joules.";
        entry("node_hwmon_energy<_element>_joule_total", help, Kind::Counter);
        let help = "What a file of a sensor says: <type> <element>, in the unit at the name's end.";
        entry("node_hwmon_<type_element_unit>", help, Kind::Gauge);
    }
}

const SENSOR: [&str; 2] = ["chip", "sensor"];

/// What the files of sensors begin with.
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
        let names = self.host.list_sys("class/hwmon").or_absent("hardware monitor")?;
        let class = self.host.sysfs.join("class/hwmon");
        let mut chips: Vec<_> =
            names.into_iter().filter_map(|name| Chip::at(class.join(&name), &name)).collect();
        tell_apart(&mut chips);
        chips.retain(|chip| !self.chips.ignores(&chip.label));

        let mut end = Ok(());
        let mut sensors = Vec::new();
        for chip in &chips {
            match self.sensors(chip) {
                Ok(found) => sensors.push(found),
                Err(error) => {
                    sensors.push(Sensors::new());
                    end = end.and(Err(error));
                }
            }
        }
        expose(out, &chips, &sensors);
        end
    }
}

/// The sensors of a chip by name.
type Sensors = BTreeMap<String, Sensor>;

#[derive(Default)]
struct Sensor {
    /// One of [`TYPES`].
    kind: &'static str,
    /// What its files say, by what is behind the type and number in their names.
    elements: BTreeMap<String, File>,
}

impl Hwmon {
    /// A sensor that cannot be read now is left out, for whatever reason its driver has.
    fn sensors(&self, chip: &Chip) -> Result<Sensors, Error> {
        let mut sensors = Sensors::new();
        let own = host::list(&chip.directory)?;
        let device = chip.directory.join("device");
        // Old drivers have the files not in their own directory, but in that of the device.
        let devices = if own.iter().any(|name| name == "device") {
            host::list(&device).unwrap_or_default()
        } else {
            Vec::new()
        };
        for (directory, names) in [(&chip.directory, own), (&device, devices)] {
            for (name, Parts { kind, sensor, element }) in
                names.iter().filter_map(|name| Some((name, explode(name)?)))
            {
                if self.sensors.ignores(format!("{};{sensor}", chip.label)) {
                    continue;
                }
                if let Ok(file) = File::sensor(directory.join(name)) {
                    let sensor = sensors.entry(sensor).or_default();
                    sensor.kind = kind;
                    sensor.elements.insert(element.to_owned(), file);
                }
            }
        }
        Ok(sensors)
    }
}

#[derive(Debug, PartialEq)]
struct Parts<'a> {
    kind: &'static str,
    /// The type with the number, which is 0 if there is none.
    sensor: String,
    element: &'a str,
}

/// Takes `temp1_max` apart, unless it is no file of a sensor.
fn explode(name: &str) -> Option<Parts<'_>> {
    let digits = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let (kind, rest) = name.split_at(digits);
    let kind = TYPES.into_iter().find(|known| *known == kind)?;
    let (number, element) = match rest.split_once('_') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (rest, ""),
    };
    let number: i64 = if number.is_empty() { 0 } else { number.parse().ok()? };
    Some(Parts { kind, sensor: format!("{kind}{number}"), element })
}

struct Chip {
    directory: PathBuf,
    /// `hwmon0` and so on, as they were found when the machine started.
    entry: String,
    /// What the driver calls it; several chips may have one name.
    name: Option<String>,
    /// The `chip` label: where the chip is if that is known, because that does not change.
    label: String,
}

impl Chip {
    fn at(directory: PathBuf, entry: &str) -> Option<Self> {
        if !directory.is_dir() {
            return None;
        }
        let name = File::sensor(directory.join("name")).ok();
        let name = name.map(|file| clean(file.text())).filter(|name| !name.is_empty());
        let entry = clean(entry);
        let label = place(&directory)
            .or_else(|| name.clone())
            .or_else(|| (!entry.is_empty()).then(|| entry.clone()))?;
        Some(Self { directory, entry, name, label })
    }
}

/// Bus and device, such as `platform_coretemp_0`.
fn place(chip: &Path) -> Option<String> {
    let device = chip.join("device").canonicalize().ok()?;
    let part = |path: &Path| path.file_name().map(|name| clean(&name.to_string_lossy()));
    let name = part(&device).filter(|name| !name.is_empty())?;
    match device.parent().and_then(part) {
        Some(bus) if !bus.is_empty() => Some(format!("{bus}_{name}")),
        _ => Some(name),
    }
}

/// In lower case, with an underscore for what cannot be in a metric's name.
fn clean(name: &str) -> String {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, ':' | '_');
    let name: String =
        name.chars().flat_map(char::to_lowercase).map(|c| if legal(c) { c } else { '_' }).collect();
    name.trim_matches('_').to_owned()
}

/// Chips of one device get the driver's names appended, or their own where those are alike too.
fn tell_apart(chips: &mut [Chip]) {
    let mut labels = HashMap::<String, usize>::new();
    let mut names = HashMap::<(String, String), usize>::new();
    for chip in chips.iter() {
        *labels.entry(chip.label.clone()).or_default() += 1;
        if let Some(name) = &chip.name {
            *names.entry((chip.label.clone(), name.clone())).or_default() += 1;
        }
    }
    for chip in chips {
        if labels.get(&chip.label) == Some(&1) {
            continue;
        }
        let name = chip.name.clone();
        let unique = name.filter(|name| names.get(&(chip.label.clone(), name.clone())) == Some(&1));
        let suffix = unique.as_ref().unwrap_or(&chip.entry);
        chip.label = format!("{}_{suffix}", chip.label);
    }
}

fn expose(out: &mut Families, chips: &[Chip], sensors: &[Sensors]) {
    let mut names = out.family(&CHIP_NAMES);
    for Chip { label, name, .. } in chips {
        if let Some(name) = name {
            names.sample([label, name], 1.0);
        }
    }
    let all = || {
        chips.iter().zip(sensors).flat_map(|(chip, sensors)| {
            sensors.iter().map(move |(name, sensor)| (chip.label.as_str(), name.as_str(), sensor))
        })
    };
    let mut labels = out.family(&SENSOR_LABEL);
    for (chip, name, sensor) in all() {
        if let Some(label) = sensor.elements.get("label") {
            labels.sample([chip, name, label.text().trim_matches('\n')], 1.0);
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
        let Some(desc) = Desc::try_new(&first.family, &help, first.counter(), SENSOR) else {
            continue;
        };
        let mut open = out.family(&desc);
        for (reading, chip) in family {
            open.sample([chip, &reading.sensor], reading.value);
        }
    }
}

/// A number that a sensor gives.
#[derive(Debug, PartialEq)]
struct Reading {
    family: String,
    sensor: String,
    value: f64,
}

impl Reading {
    fn help(&self) -> String {
        let what = self.family.trim_start_matches("node_hwmon_").replace('_', " ");
        format!("What a hardware sensor says: {what}.")
    }

    fn counter(&self) -> Kind {
        if self.family.ends_with("_joule_total") { Kind::Counter } else { Kind::Gauge }
    }
}

fn readings(name: &str, sensor: &Sensor) -> Vec<Reading> {
    let elements = sensor.elements.iter().filter(|(element, _)| *element != "label");
    let numbers = elements.filter_map(|(element, file)| {
        let value = file.text().trim_matches('\n').parse::<f64>();
        Some((element.as_str(), value.ok()?))
    });
    let reading = |(element, value)| {
        let sensor_name = match (sensor.kind, element) {
            // The one type whose label takes the place of the sensor.
            ("freq", "input") => clean(sensor.elements.get("label")?.text()),
            _ => name.to_owned(),
        };
        let bare = sensor.elements.contains_key("");
        let (family, value) = measured(sensor.kind, element, bare, value);
        Some(Reading { family, sensor: sensor_name, value })
    };
    numbers.filter_map(reading).collect()
}

/// The family and the value in its unit. A sensor may have a `bare` file, one that is named
/// without an element; its input then keeps its name.
fn measured(kind: &str, element: &str, bare: bool, raw: f64) -> (String, f64) {
    match kind {
        "beep_enable" => {
            return ("node_hwmon_beep_enabled".to_owned(), f64::from(raw.total_cmp(&1.0).is_eq()));
        }
        "update_interval" => {
            return ("node_hwmon_update_interval_seconds".to_owned(), raw * 0.001);
        }
        "vrm" => return ("node_hwmon_voltage_regulator_version".to_owned(), raw),
        _ => {}
    }
    let (unit, value) = match (kind, element) {
        // Neither a temperature nor a voltage, whatever it is that they are of.
        (_, "alarm" | "fault") | ("temp", "type") => ("", raw),
        (_, "beep") => ("_enabled", raw),
        ("cpu" | "in", _) => ("_volts", raw * 0.001),
        ("curr", _) => ("_amps", raw * 0.001),
        ("energy", _) => ("_joule_total", raw / 1e6),
        ("fan", "input" | "max" | "min" | "target") => ("_rpm", raw),
        ("freq", "input") => ("_freq_mhz", raw / 1e6),
        ("humidity", _) | ("power", "accuracy") => ("", raw / 1e6),
        ("power", "average_interval" | "average_interval_max" | "average_interval_min") => {
            ("_seconds", raw * 0.001)
        }
        ("power", _) => ("_watt", raw / 1e6),
        ("temp", _) => ("_celsius", raw * 0.001),
        _ => ("", raw),
    };
    let element = match element {
        "" => String::new(),
        "input" if !bare => String::new(),
        _ => format!("_{}", clean(element)),
    };
    (format!("node_hwmon_{kind}{element}{unit}"), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        let parts =
            |kind, sensor: &str, element| Some(Parts { kind, sensor: sensor.to_owned(), element });
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
            assert_eq!(explode(name), expected, "{name}");
        }
    }

    #[test]
    fn units() {
        for (kind, element, raw, family, value) in [
            ("temp", "input", 37108.0, "temp_celsius", 37.108_000_000_000_004),
            ("temp", "crit_alarm", 1.0, "temp_crit_alarm_celsius", 0.001),
            ("temp", "alarm", 1.0, "temp_alarm", 1.0),
            ("temp", "type", 4.0, "temp_type", 4.0),
            ("in", "max", 1744.0, "in_max_volts", 1.744),
            ("cpu", "vid", 33.0, "cpu_vid_volts", 0.033),
            ("fan", "input", 1200.0, "fan_rpm", 1200.0),
            ("fan", "div", 2.0, "fan_div", 2.0),
            ("fan", "beep", 1.0, "fan_beep_enabled", 1.0),
            ("curr", "lcrit", 500.0, "curr_lcrit_amps", 0.5),
            ("energy", "input", 3e6, "energy_joule_total", 3.0),
            ("power", "input", 15e6, "power_watt", 15.0),
            ("power", "accuracy", 20e6, "power_accuracy", 20.0),
            ("power", "average_interval", 1000.0, "power_average_interval_seconds", 1.0),
            ("humidity", "input", 45e3, "humidity", 0.045),
            ("freq", "input", 214e6, "freq_freq_mhz", 214.0),
            ("pwm", "", 128.0, "pwm", 128.0),
            ("pwm", "Odd-Thing", 1.0, "pwm_odd_thing", 1.0),
            ("update_interval", "", 1000.0, "update_interval_seconds", 1.0),
            ("beep_enable", "", 2.0, "beep_enabled", 0.0),
            ("vrm", "", 91.0, "voltage_regulator_version", 91.0),
        ] {
            let (name, number) = measured(kind, element, false, raw);
            assert_eq!(name, format!("node_hwmon_{family}"));
            assert_eq!(number.to_bits(), f64::to_bits(value), "{name} {number}");
        }
        assert_eq!(measured("power", "input", true, 1e6).0, "node_hwmon_power_input_watt");
    }

    #[test]
    fn chips_of_one_label() {
        let chip = |entry: &str, name: Option<&str>, label: &str| Chip {
            directory: PathBuf::new(),
            entry: entry.to_owned(),
            name: name.map(str::to_owned),
            label: label.to_owned(),
        };
        let mut chips = [
            chip("hwmon0", Some("a"), "pci_1"),
            chip("hwmon1", Some("b"), "platform_x"),
            chip("hwmon2", Some("c"), "platform_x"),
            chip("hwmon3", Some("c"), "platform_x"),
            chip("hwmon4", None, "platform_x"),
        ];
        tell_apart(&mut chips);
        assert_eq!(
            chips.map(|chip| chip.label),
            [
                "pci_1",
                "platform_x_b",
                "platform_x_hwmon2",
                "platform_x_hwmon3",
                "platform_x_hwmon4"
            ]
        );
    }

    #[test]
    fn names_that_metrics_can_have() {
        for (name, cleaned) in [
            ("coretemp.0\n", "coretemp_0"),
            ("0000:00:18.3", "0000:00:18_3"),
            ("_My Chip!_", "my_chip"),
            ("É", ""),
        ] {
            assert_eq!(clean(name), cleaned);
        }
    }
}
