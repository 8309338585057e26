//! Load averages: `/proc/loadavg`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::Host;

pub(super) static DEFINITION: Definition =
    Definition::new("loadavg", "Load averages", |host, _| {
        Ok(Source::blocking(Loadavg(host.clone())))
    })
    .cost("one small file")
    .reads(&["/proc/loadavg"])
    .metrics(&[&LOAD1, &LOAD5, &LOAD15]);

static LOAD1: Desc = Desc::gauge("node_load1", "1m load average.", []);
static LOAD5: Desc = Desc::gauge("node_load5", "5m load average.", []);
static LOAD15: Desc = Desc::gauge("node_load15", "15m load average.", []);

struct Loadavg(Host);

impl Collector for Loadavg {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc("loadavg")?;
        let mut fields = file.fields();
        for desc in [&LOAD1, &LOAD5, &LOAD15] {
            out.family(desc).sample([], fields.number("a load average")?);
        }
        Ok(())
    }
}
