//! Swap areas: `/proc/swaps`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use regex::bytes::Regex;

use super::Definition;
use crate::filter::pattern;
use crate::host::{Fields, Host};

static EXCLUDE: Flag =
    Flag::text("collector.swap.device-exclude", "", "Swap areas to leave out, a pattern.");

pub(super) static DEFINITION: Definition = Definition::new("swap", "Swap areas", |host, flags| {
    let exclude = pattern(flags, &EXCLUDE)?;
    Ok(Source::blocking(Swap { host: host.clone(), exclude }))
})
.off_by_default()
.reads(&["/proc/swaps"])
.flags(&[&EXCLUDE])
.metrics(&[&COLUMNS]);

const LABELS: [&str; 2] = ["device", "swap_type"];

static COLUMNS: [Column<Area, 2>; 3] = [
    Desc::gauge("node_swap_size_bytes", "Size of the swap area.", LABELS)
        .column(|area| Some(area.size)),
    Desc::gauge("node_swap_used_bytes", "How much of it is in use.", LABELS)
        .column(|area| Some(area.used)),
    Desc::gauge("node_swap_priority", "Areas of higher priority are filled first.", LABELS)
        .column(|area| Some(area.priority)),
];

struct Area {
    size: f64,
    used: f64,
    priority: f64,
}

struct Swap {
    host: Host,
    exclude: Option<Regex>,
}

impl Collector for Swap {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.host.proc("swaps")?;
        let mut areas = file.lines().skip(1).map(parse).collect::<Result<Vec<_>, _>>()?;
        if let Some(exclude) = &self.exclude {
            areas.retain(|([device, _], _)| !exclude.is_match(device.as_bytes()));
        }
        out.table(&COLUMNS, &areas);
        Ok(())
    }
}

/// A line of `/proc/swaps`; sizes are in KiB.
fn parse(mut line: Fields<'_>) -> Result<([&str; 2], Area), Error> {
    let labels = [line.word("a device")?, line.word("a type")?];
    let size = line.number::<f64>("a size")? * 1024.0;
    let used = line.number::<f64>("a size in use")? * 1024.0;
    let priority = line.number("a priority")?;
    Ok((labels, Area { size, used, priority }))
}
