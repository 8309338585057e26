//! `process_*`: resource usage of this process, from its CPU clock, its limits and `/proc/self`.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

use std::time::{Duration, SystemTime};

use rustix::process::Resource;
use rustix::time::ClockId;

#[cfg(target_os = "linux")]
use self::linux as system;
#[cfg(not(target_os = "linux"))]
use self::other as system;
use crate::exposition::desc::{Desc, Describe, DynDesc};
use crate::exposition::families::Families;
use crate::instrument::{Instrument, start_time};

/// The `process_*` families: CPU time, memory, file descriptors and network traffic of this
/// process.
///
/// ```
/// use exporter_core::{encode, format::{Escaping, Format}, process::ProcessMetrics};
///
/// let page = encode(&[&ProcessMetrics], Format::Text004, Escaping::Underscores);
/// assert!(page.starts_with(b"# HELP process_cpu_seconds_total"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessMetrics;

impl Describe for ProcessMetrics {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for metric in METRICS {
            metric.describe(visit);
        }
    }
}

impl Instrument for ProcessMetrics {
    fn write(&self, out: &mut Families) {
        write(out);
    }
}

/// All families that [`write`] may write.
static METRICS: &[&dyn Describe] =
    &[&CPU, &MAX_FDS, &RECEIVED, &SENT, &OPEN_FDS, &RESIDENT, &START, &VIRTUAL, &MAX_VIRTUAL];

static CPU: Desc =
    Desc::counter("process_cpu_seconds_total", "CPU time this process has used.", []);
static MAX_FDS: Desc =
    Desc::gauge("process_max_fds", "File descriptors this process may have open.", []);
static RECEIVED: Desc = Desc::counter(
    "process_network_receive_bytes_total",
    "IP bytes received in the network namespace of this process.",
    [],
);
static SENT: Desc = Desc::counter(
    "process_network_transmit_bytes_total",
    "IP bytes sent in the network namespace of this process.",
    [],
);
static OPEN_FDS: Desc =
    Desc::gauge("process_open_fds", "File descriptors this process has open.", []);
static RESIDENT: Desc =
    Desc::gauge("process_resident_memory_bytes", "Memory this process has in RAM.", []);
static START: Desc =
    Desc::gauge("process_start_time_seconds", "When this process started, since 1970.", []);
static VIRTUAL: Desc =
    Desc::gauge("process_virtual_memory_bytes", "Address space this process has mapped.", []);
static MAX_VIRTUAL: Desc =
    Desc::gauge("process_virtual_memory_max_bytes", "Address space this process may map.", []);

/// Writes the available families. A file that cannot be read, as in a tight sandbox, leaves its
/// families out; systems other than Linux have only the CPU time, the limits and the start time.
pub(crate) fn write(out: &mut Families) {
    let mut gauge = |desc: &Desc, value: Option<f64>| {
        if let Some(value) = value {
            out.family(desc).sample([], value);
        }
    };
    let limit = |resource| {
        // Without a limit, the value is `u64::MAX`, as in the Go exporters.
        Some(rustix::process::getrlimit(resource).current.unwrap_or(u64::MAX) as f64)
    };
    let cpu = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    let cpu = Duration::try_from(cpu).ok().map(|time| time.as_secs_f64());
    let memory = system::memory();
    let traffic = system::traffic();
    let start = start_time().duration_since(SystemTime::UNIX_EPOCH).ok();
    gauge(&CPU, cpu);
    gauge(&MAX_FDS, limit(Resource::Nofile));
    gauge(&RECEIVED, traffic.map(|(received, _)| received));
    gauge(&SENT, traffic.map(|(_, sent)| sent));
    gauge(&OPEN_FDS, system::open_fds().map(|count| count as f64));
    gauge(&RESIDENT, memory.map(|(_, resident)| resident));
    // The kernel counts in hundredths.
    gauge(&START, start.map(|start| (start.as_secs_f64() * 100.0).round() / 100.0));
    gauge(&VIRTUAL, memory.map(|(size, _)| size));
    gauge(&MAX_VIRTUAL, limit(Resource::As));
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::exposition::format::{Escaping, Format};
    use crate::testing;

    #[test]
    fn all_families_are_exposed() {
        start_time();
        let held: Vec<_> = (0..5).map(|_| File::open("/dev/null").unwrap()).collect();
        let mut out = Families::new(Format::Text004, Escaping::Underscores);
        write(&mut out);
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        let value = |name: &str| -> f64 {
            let line = page.lines().find(|line| line.split(' ').next() == Some(name));
            line.unwrap_or_else(|| panic!("no {name}: {page}"))
                .split(' ')
                .nth(1)
                .unwrap()
                .parse()
                .unwrap()
        };
        assert!(value("process_cpu_seconds_total") > 0.0);
        assert!(value("process_open_fds") >= 5.0);
        assert!(value("process_max_fds") > value("process_open_fds"));
        assert!(value("process_resident_memory_bytes") > 100_000.0);
        assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
        assert!(value("process_virtual_memory_max_bytes") > value("process_virtual_memory_bytes"));
        assert!(value("process_start_time_seconds") > 1.7e9);
        drop(held);

        let mut described = 0;
        for metric in METRICS {
            metric.describe(&mut |entry| {
                described += 1;
                // A container may hide the network statistics.
                assert!(entry.name.contains("_network_") || page.contains(entry.name));
            });
        }
        assert_eq!(described, 9);
    }
}
