//! Pressure stall information: `/proc/pressure`.
//!
//! See `Documentation/accounting/psi.rst`: `some` tasks waited, or all of them (`full`).

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use rustix::io::Errno;

use super::Definition;
use crate::host::{File, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("pressure", "Pressure stall information", |host, _| {
        Ok(Source::blocking(Pressure(host.clone())))
    })
    .cost("three or four small files")
    .reads(&["/proc/pressure/*"])
    .metrics(&[
        &CPU_WAITING,
        &IO_WAITING,
        &IO_STALLED,
        &MEMORY_WAITING,
        &MEMORY_STALLED,
        &IRQ_STALLED,
    ]);

static CPU_WAITING: Desc = Desc::counter(
    "node_pressure_cpu_waiting_seconds_total",
    "Time some tasks waited for a CPU.",
    [],
);
static IO_WAITING: Desc =
    Desc::counter("node_pressure_io_waiting_seconds_total", "Time some tasks waited for I/O.", []);
static IO_STALLED: Desc =
    Desc::counter("node_pressure_io_stalled_seconds_total", "Time all tasks waited for I/O.", []);
static MEMORY_WAITING: Desc = Desc::counter(
    "node_pressure_memory_waiting_seconds_total",
    "Time some tasks waited for memory.",
    [],
);
static MEMORY_STALLED: Desc = Desc::counter(
    "node_pressure_memory_stalled_seconds_total",
    "Time all tasks waited for memory.",
    [],
);
static IRQ_STALLED: Desc = Desc::counter(
    "node_pressure_irq_stalled_seconds_total",
    "Time interrupts kept all tasks from running.",
    [],
);

/// The families of each file, by the first word of the line. `full` has no meaning for cpu.
static RESOURCES: [(&str, &[(&str, &Desc)]); 4] = [
    ("cpu", &[("some", &CPU_WAITING)]),
    ("io", &[("some", &IO_WAITING), ("full", &IO_STALLED)]),
    ("memory", &[("some", &MEMORY_WAITING), ("full", &MEMORY_STALLED)]),
    (IRQ, &[("full", &IRQ_STALLED)]),
];

/// Since Linux 6.1, where interrupt time is accounted.
const IRQ: &str = "irq";

struct Pressure(Host);

impl Collector for Pressure {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        for (resource, families) in &RESOURCES {
            let file = match read(&self.0, resource) {
                Err(Error::Absent(_)) if *resource == IRQ => continue,
                other => other?,
            };
            for (share, desc) in *families {
                out.family(desc).sample([], seconds(&file, share)?);
            }
        }
        Ok(())
    }
}

fn read(host: &Host, resource: &str) -> Result<File, Error> {
    match host.proc(format!("pressure/{resource}")) {
        // Built into the kernel, but switched off with psi=0.
        Err(Error::Read { source, .. })
            if source.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) =>
        {
            Err(Error::Absent("pressure stall information"))
        }
        other => other.or_absent("pressure stall information"),
    }
}

/// The total of the line that begins with `share`; the kernel counts microseconds.
fn seconds(file: &File, share: &str) -> Result<f64, Error> {
    const EXPECTED: &str = "lines `some` and `full` with a `total=`";
    let mut lines = file.lines();
    let line = lines.find_map(|mut line| (line.optional() == Some(share)).then_some(line));
    let line = line.ok_or_else(|| file.parse_error(EXPECTED))?;
    let total = line.clone().words().find_map(|word| word.strip_prefix("total="));
    let micros: Option<u64> = total.and_then(|total| total.parse().ok());
    let micros = micros.ok_or_else(|| line.parse_error(EXPECTED))?;
    Ok(micros as f64 / 1e3 / 1e3)
}
