//! Swap areas: `/proc/swaps`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("swap", "Swap areas", |host, _| Ok(Source::blocking(Swap(host.clone()))))
        .cost("one small file")
        .off_by_default()
        .reads(&["/proc/swaps"])
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

struct Swap(Host);

impl Collector for Swap {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc_long_lines("swaps").or_absent("swap")?;
        let mut lines = file.lines();
        if !lines.next().is_some_and(|line| line.line().starts_with("Filename")) {
            return Err(file.parse_error("a heading that begins with Filename"));
        }
        let areas = lines.map(parse).collect::<Result<Vec<_>, _>>()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        for (line, size) in [
            ("/dev/sda2 partition 999420 12 -2", Some(999_420.0 * 1024.0)),
            ("/swap file 4 0 0", Some(4096.0)),
            ("/dev/sda2 partition 999420", None),
            ("/dev/sda2 partition x 12 -2", None),
            ("", None),
        ] {
            let area = parse(Fields::from_line(line)).ok();
            assert_eq!(area.map(|(_, area)| area.size), size, "{line}");
        }
    }
}
