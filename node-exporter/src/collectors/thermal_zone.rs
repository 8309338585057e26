//! Temperatures and cooling devices: `/sys/class/thermal`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{File, Host};

pub(super) static DEFINITION: Definition =
    Definition::new("thermal_zone", "Thermal zones and cooling devices", |host, _| {
        Ok(Source::blocking(ThermalZone(host.clone())))
    })
    .cost("two small files per zone, three per cooling device; some zones take milliseconds")
    .reads(&[
        "/sys/class/thermal/thermal_zone*/{temp,type}",
        "/sys/class/thermal/cooling_device*/{cur_state,max_state,type}",
    ])
    .metrics(&[&TEMPERATURE, &COOLING]);

static TEMPERATURE: Desc<2> = Desc::gauge(
    "node_thermal_zone_temp",
    "Temperature of a thermal zone in degrees Celsius.",
    ["zone", "type"],
);
static COOLING: [Column<Cooling, 2>; 2] = [
    Desc::gauge("node_cooling_device_cur_state", "How hard a device cools now.", COOLER)
        .column(|device| device.current),
    Desc::gauge("node_cooling_device_max_state", "How hard a device can cool.", COOLER)
        .column(|device| device.max),
];

const COOLER: [&str; 2] = ["name", "type"];

struct ThermalZone(Host);

impl Collector for ThermalZone {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        // A machine without thermal zones has nothing to report.
        let names = self.0.list_sys("class/thermal").unwrap_or_default();
        let mut result = Ok(());
        let mut zones = out.family(&TEMPERATURE);
        for (name, zone) in numbered(&names, "thermal_zone") {
            match self.read(name, ["temp"]) {
                Ok(Some(Readings { kind, numbers: [Some(millidegrees)] })) => {
                    zones.sample([zone, kind.trimmed()], millidegrees / 1000.0);
                }
                Ok(_) => {}
                Err(error) => result = result.and(Err(error)),
            }
        }
        let mut devices = Vec::new();
        for (name, number) in numbered(&names, "cooling_device") {
            match self.read(name, ["cur_state", "max_state"]) {
                Ok(Some(Readings { kind, numbers: [current, max] })) => {
                    devices.push((number, kind, Cooling { current, max }));
                }
                Ok(None) => {}
                Err(error) => result = result.and(Err(error)),
            }
        }
        let rows: Vec<_> = devices
            .iter()
            .map(|(number, kind, device)| ([*number, kind.trimmed()], *device))
            .collect();
        out.table(&COOLING, &rows);
        result
    }
}

impl ThermalZone {
    /// The type of a zone or device and some of its numbers. Numbers that cannot be read are left
    /// out: the sensor may not be ready, or the zone may have been removed.
    fn read<const N: usize>(
        &self,
        name: &str,
        files: [&str; N],
    ) -> Result<Option<Readings<N>>, Error> {
        let Ok(device) = self.0.device(format!("class/thermal/{name}")) else { return Ok(None) };
        let mut numbers = [None; N];
        for (number, file) in numbers.iter_mut().zip(files) {
            if let Ok(file) = device.sensor(file) {
                *number = Some(file.number::<i64>("a whole number")? as f64);
            }
        }
        Ok(device.sensor("type").ok().map(|kind| Readings { kind, numbers }))
    }
}

/// Type and numbers of a zone or a cooling device.
struct Readings<const N: usize> {
    kind: File,
    numbers: [Option<f64>; N],
}

/// States are steps of a device: speeds of a fan, frequencies of a processor.
#[derive(Clone, Copy)]
struct Cooling {
    current: Option<f64>,
    max: Option<f64>,
}

/// The names that consist of `prefix` and a number, with their numbers.
fn numbered<'a>(
    names: &'a [String],
    prefix: &'static str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    names.iter().filter_map(move |name| {
        let number = name.strip_prefix(prefix)?;
        number.starts_with(|first: char| first.is_ascii_digit()).then_some((name.as_str(), number))
    })
}
