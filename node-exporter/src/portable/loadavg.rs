//! Load averages: `getloadavg(3)`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use sysinfo::System;

use super::Definition;

pub(super) static DEFINITION: Definition =
    Definition::new("loadavg", "Load averages", |(), _| Ok(Source::blocking(Loadavg)))
        .metrics(&[&LOAD1, &LOAD5, &LOAD15]);

static LOAD1: Desc = Desc::gauge("node_load1", "1m load average.", []);
static LOAD5: Desc = Desc::gauge("node_load5", "5m load average.", []);
static LOAD15: Desc = Desc::gauge("node_load15", "15m load average.", []);

struct Loadavg;

impl Collector for Loadavg {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let load = System::load_average().map_err(Error::other)?;
        for (desc, value) in [(&LOAD1, load.one), (&LOAD5, load.five), (&LOAD15, load.fifteen)] {
            out.family(desc).sample([], value);
        }
        Ok(())
    }
}
