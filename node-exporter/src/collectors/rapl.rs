//! Energy used by the processor and its parts: `/sys/class/powercap`, see
//! `Documentation/power/powercap/powercap.rst`.

use std::collections::HashMap;
use std::io::ErrorKind;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::Definition;
use crate::attributes::each;
use crate::host::{Device, Host, OrAbsent, if_exists};

pub(super) static DEFINITION: Definition =
    Definition::new("rapl", "Energy used by the processor (needs root)", |host, flags| {
        Ok(Source::blocking(Rapl { host: host.clone(), with_zone_label: flags.is_on(&ZONE_LABEL) }))
    })
    .cost("three small files per zone")
    .rights("root or CAP_DAC_READ_SEARCH")
    .reads(&["/sys/class/powercap/*/{name,energy_uj,max_energy_range_uj}"])
    .flags(&[&ZONE_LABEL])
    .metrics(&[&Zones, &JOULES]);

static ZONE_LABEL: Flag = Flag::switch(
    "collector.rapl.enable-zone-label",
    false,
    "Expose one family with the zone in a label, not a family for each zone.",
);

static JOULES: Desc<3> = Desc::counter(
    "node_rapl_joules_total",
    "Energy that a zone has used; it starts again at its maximum.",
    ["index", "path", "rapl_zone"],
);

const HELP: &str = "Energy that the zone has used; it starts again at its maximum.";

/// The families that are named after zones.
struct Zones;

impl Describe for Zones {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        visit(DynDesc::new("node_rapl_<zone>_joules_total", HELP, Kind::Counter, &LABELS));
    }
}

const LABELS: [&str; 2] = ["index", "path"];

struct Rapl {
    host: Host,
    with_zone_label: bool,
}

impl Collector for Rapl {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let devices = self.host.devices("class/powercap").or_absent("energy counters")?;
        let mut names = Names::default();
        let (zones, result) = each(devices, |_, device| Zone::read(device, &mut names));
        let mut zones: Vec<_> = zones.into_iter().filter_map(|(_, zone)| zone).collect();
        zones.sort_by(|one, other| one.name.cmp(&other.name));
        if self.with_zone_label {
            let mut family = out.family(&JOULES);
            for Zone { name, index, path, joules } in &zones {
                family.sample([index, path, name], *joules);
            }
            return result;
        }
        for zones in zones.chunk_by(|one, other| one.name == other.name) {
            let Some(Zone { name, .. }) = zones.first() else { continue };
            let family = format!("node_rapl_{}_joules_total", sanitized(name));
            let Some(desc) = Desc::try_new(&family, HELP, Kind::Counter, LABELS) else {
                continue;
            };
            let mut family = out.family(&desc);
            for Zone { index, path, joules, .. } in zones {
                family.sample([index, path], *joules);
            }
        }
        result
    }
}

struct Zone {
    name: String,
    index: String,
    /// The directory, because zones of several processors may have the same name.
    path: String,
    joules: f64,
}

impl Zone {
    /// A zone, or `None` for a group of zones.
    fn read(device: &Device, names: &mut Names) -> Result<Option<Self>, Error> {
        let Some(name) = if_exists(device.string("name"))? else { return Ok(None) };
        let (name, index) = names.split_index(&name);
        device.number::<u64>("max_energy_range_uj", "a maximum in microjoules")?;
        let energy: u64 = match device.number("energy_uj", "an energy in microjoules") {
            // Readable only by root, because energy values can reveal what the processor computes.
            Err(Error::Read { source, .. }) if source.kind() == ErrorKind::PermissionDenied => {
                return Err(Error::Absent("right to read the energy counters"));
            }
            energy => energy?,
        };
        let path = device.path().to_string_lossy().into_owned();
        Ok(Some(Self { name, index, path, joules: energy as f64 / 1e6 }))
    }
}

/// The number of occurrences of each name without an index.
#[derive(Default)]
struct Names(HashMap<String, usize>);

impl Names {
    /// Splits `package-1` into name and index. Names without an index are counted: the first `core`
    /// has index 0, the next 1.
    fn split_index(&mut self, name: &str) -> (String, String) {
        if let Some((zone, index)) = name.split_once('-')
            && let Ok(index) = index.parse::<u32>()
        {
            return (zone.to_owned(), index.to_string());
        }
        let seen = self.0.entry(name.to_owned()).or_default();
        let index = seen.to_string();
        *seen += 1;
        (name.to_owned(), index)
    }
}

/// Replaces characters that are invalid in metric names with underscores.
fn sanitized(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_names_are_normalized() {
        let mut names = Names::default();
        for (name, zone, index) in [
            ("package-0", "package", "0"),
            ("package-1", "package", "1"),
            ("core", "core", "0"),
            ("core", "core", "1"),
            ("dram", "dram", "0"),
            ("package-0-die-1", "package-0-die-1", "0"),
            ("psys-x", "psys-x", "0"),
            ("", "", "0"),
        ] {
            assert_eq!(names.split_index(name), (zone.to_owned(), index.to_owned()), "{name}");
        }
        assert_eq!(sanitized("package-0-die-1"), "package_0_die_1");
    }
}
