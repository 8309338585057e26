//! Hung tasks detected by the kernel: `/proc/sys/kernel/hung_task_detect_count`, since
//! Linux 6.13; see `Documentation/admin-guide/sysctl/kernel.rst`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("kernel_hung", "Tasks that hang in the kernel", |host, _| {
        Ok(Source::blocking(KernelHung(host.clone())))
    })
    .cost("one small file")
    .reads(&["/proc/sys/kernel/hung_task_detect_count"])
    .metrics(&[&TASKS]);

static TASKS: Desc = Desc::counter(
    "node_kernel_hung_tasks_total",
    "Tasks that did not run for longer than `kernel.hung_task_timeout_secs`.",
    [],
);

struct KernelHung(Host);

impl Collector for KernelHung {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc("sys/kernel/hung_task_detect_count");
        let tasks: u64 = file.or_absent("count of hung tasks")?.number("a count")?;
        out.family(&TASKS).sample([], tasks as f64);
        Ok(())
    }
}
