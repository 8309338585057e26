//! Readings of sensor files, with the names and units of metrics.

use exporter_core::desc::Kind;

use super::Sensor;
use super::chip::sanitized;

/// A numeric reading.
#[derive(Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) family: String,
    pub(super) sensor: String,
    pub(super) value: f64,
}

impl Reading {
    pub(super) fn help(&self) -> String {
        let title = self.family.trim_start_matches("node_hwmon_").replace('_', " ");
        format!("Reading of a hardware sensor: {title}.")
    }

    pub(super) fn kind(&self) -> Kind {
        if self.family.ends_with("_joule_total") { Kind::Counter } else { Kind::Gauge }
    }
}

pub(super) fn readings(name: &str, sensor: &Sensor) -> Vec<Reading> {
    let elements = sensor.elements.iter().filter(|(element, _)| *element != "label");
    let numbers = elements.filter_map(|(element, value)| {
        let value = value.trim_matches('\n').parse::<f64>();
        Some((element.as_str(), value.ok()?))
    });
    let reading = |(element, value)| {
        let sensor_name = match (sensor.kind, element) {
            // The only type for which the label replaces the name of the sensor.
            ("freq", "input") => sanitized(sensor.elements.get("label")?),
            _ => name.to_owned(),
        };
        let has_plain_file = sensor.elements.contains_key("");
        let (family, value) = family_and_value(sensor.kind, element, has_plain_file, value);
        Some(Reading { family, sensor: sensor_name, value })
    };
    numbers.filter_map(reading).collect()
}

/// The name of the family, and the value in its unit. The element `input` is left out of the name,
/// unless the sensor has a file without an element, whose family would have the same name.
fn family_and_value(kind: &str, element: &str, has_plain_file: bool, raw: f64) -> (String, f64) {
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
        // Limits without a unit.
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
        "input" if !has_plain_file => String::new(),
        _ => format!("_{}", sanitized(element)),
    };
    (format!("node_hwmon_{kind}{element}{unit}"), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_have_base_units() {
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
            let (name, number) = family_and_value(kind, element, false, raw);
            assert_eq!(name, format!("node_hwmon_{family}"));
            assert_eq!(number.to_bits(), f64::to_bits(value), "{name} {number}");
        }
        assert_eq!(family_and_value("power", "input", true, 1e6).0, "node_hwmon_power_input_watt");
    }
}
