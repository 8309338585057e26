//! Number of control groups by controller: `/proc/cgroups`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use procfs_core::{CGroupController, CGroupControllers, FromBufRead};

use super::Definition;
use crate::host::{Fields, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("cgroups", "Control groups by controller", |host, _| {
        Ok(Source::blocking(Cgroups(host.clone())))
    })
    .cost("one file")
    .off_by_default()
    .reads(&["/proc/cgroups"])
    .metrics(&[&COLUMNS]);

static COLUMNS: [Column<Controller, 1>; 2] = [
    Desc::gauge("node_cgroups_cgroups", "Control groups with the controller.", ["subsys_name"])
        .column(|controller| Some(f64::from(controller.cgroups))),
    Desc::gauge("node_cgroups_enabled", "Whether the controller is enabled.", ["subsys_name"])
        .column(|controller| Some(f64::from(u8::from(controller.is_enabled)))),
];

struct Controller {
    cgroups: u32,
    is_enabled: bool,
}

struct Cgroups(Host);

impl Collector for Cgroups {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc("cgroups").or_absent("control groups")?;
        let mut controllers = Vec::new();
        for line in file.lines() {
            controllers.extend(parse(&line)?);
        }
        if controllers.is_empty() {
            return Err(file.parse_error("control group controllers"));
        }
        let row = |found: &CGroupController| Controller {
            cgroups: found.num_cgroups,
            is_enabled: found.enabled,
        };
        let rows: Vec<_> =
            controllers.iter().map(|found| ([found.name.as_str()], row(found))).collect();
        out.table(&COLUMNS, &rows);
        Ok(())
    }
}

/// The controller of a line, or `None` for the heading. Lines are parsed separately, so that an
/// error can show the line.
fn parse(line: &Fields<'_>) -> Result<Vec<CGroupController>, Error> {
    let parsed = CGroupControllers::from_buf_read(line.line().as_bytes());
    parsed.map(|found| found.0).map_err(|_| line.parse_error("a line such as `cpu 3 172 1`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        for (line, expected) in [
            ("#subsys_name\thierarchy\tnum_cgroups\tenabled", Some(None)),
            ("cpuset\t5\t47\t1", Some(Some((47, true)))),
            ("memory 0 1 0", Some(Some((1, false)))),
            ("memory 0 1", None),
            ("memory 0 x 1", None),
            ("memory 0 4294967296 1", None),
            (" ", None),
        ] {
            let parsed = parse(&Fields::from_line(line)).ok();
            let found =
                parsed.map(|found| found.first().map(|found| (found.num_cgroups, found.enabled)));
            assert_eq!(found, expected, "{line}");
        }
    }
}
