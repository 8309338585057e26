//! The number of CPUs. `sysinfo` has only percentages of CPU time, not the seconds that
//! `node_cpu_seconds_total` counts.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use sysinfo::{CpuRefreshKind, RefreshKind, System};

use super::Definition;

pub(super) static DEFINITION: Definition =
    Definition::new("cpu", "Number of CPUs", |(), _| Ok(Source::blocking(Cpu))).metrics(&[&COUNT]);

static COUNT: Desc = Desc::gauge("node_cpus_online", "CPUs that are online.", []);

struct Cpu;

impl Collector for Cpu {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let kind = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
        let system = System::new_with_specifics(kind).map_err(Error::other)?;
        out.family(&COUNT).sample([], system.cpus().len() as f64);
        Ok(())
    }
}
