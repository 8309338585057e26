//! Temperatures of the machine's sensors.

use std::collections::BTreeMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use sysinfo::Components;

use super::Definition;

pub(super) static DEFINITION: Definition =
    Definition::new("hwmon", "Temperatures", |(), _| Ok(Source::blocking(Hwmon))).metrics(&[
        &LABEL,
        &TEMPERATURE,
        &CRITICAL,
    ]);

static LABEL: Desc<2> = Desc::gauge(
    "node_hwmon_sensor_label",
    "What a sensor measures, as its driver labels it.",
    ["sensor", "label"],
);
static TEMPERATURE: Desc<1> =
    Desc::gauge("node_hwmon_temp_celsius", "Temperature in degrees Celsius.", ["sensor"]);
static CRITICAL: Desc<1> = Desc::gauge(
    "node_hwmon_temp_crit_celsius",
    "Temperature in degrees Celsius that the hardware does not stand for long.",
    ["sensor"],
);

struct Hwmon;

impl Collector for Hwmon {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let components = Components::new_with_refreshed_list().map_err(Error::other)?;
        let sensors: Sensors = components
            .iter()
            .map(|component| {
                let label = component.label();
                let name = component.id().unwrap_or(label);
                let (now, critical) = (component.temperature(), component.critical());
                (name, Sensor { label, now, critical })
            })
            .collect();
        if sensors.is_empty() {
            return Err(Error::Absent("temperature sensor"));
        }
        expose(out, &sensors);
        Ok(())
    }
}

type Sensors<'a> = BTreeMap<&'a str, Sensor<'a>>;

/// Temperatures are in degrees Celsius.
struct Sensor<'a> {
    label: &'a str,
    now: Option<f32>,
    critical: Option<f32>,
}

fn expose(out: &mut Families, sensors: &Sensors<'_>) {
    let mut labels = out.family(&LABEL);
    for (name, sensor) in sensors {
        labels.sample([name, sensor.label], 1.0);
    }
    for (desc, value) in [
        (&TEMPERATURE, (|sensor| sensor.now) as fn(&Sensor<'_>) -> Option<f32>),
        (&CRITICAL, |sensor| sensor.critical),
    ] {
        let mut family = out.family(desc);
        for (name, sensor) in sensors {
            if let Some(celsius) = value(sensor).filter(|celsius| celsius.is_finite()) {
                // Sensors count thousandths; an f32 is not exact there.
                family.sample([name], (f64::from(celsius) * 1000.0).round() / 1000.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use exporter_core::collector::Collector;
    use exporter_core::testing;

    use super::*;

    struct Recorded;

    impl Collector for Recorded {
        fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
            let sensor = |label, now, critical| Sensor { label, now, critical };
            expose(
                out,
                &Sensors::from([
                    ("cpu_0", sensor("CPU 1", Some(45.1), Some(100.0))),
                    ("TC0P", sensor("", Some(f32::NAN), None)),
                ]),
            );
            Ok(())
        }
    }

    #[test]
    fn sensors_are_exposed() {
        let (page, _) = testing::collect(&mut Recorded);
        let samples: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                r#"node_hwmon_sensor_label{sensor="TC0P",label=""} 1"#,
                r#"node_hwmon_sensor_label{sensor="cpu_0",label="CPU 1"} 1"#,
                r#"node_hwmon_temp_celsius{sensor="cpu_0"} 45.1"#,
                r#"node_hwmon_temp_crit_celsius{sensor="cpu_0"} 100"#,
            ]
        );
        testing::declared_is_exposed(&DEFINITION, &page);
    }
}
