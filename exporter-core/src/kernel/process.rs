//! `process_*`: resource usage of this process, from `/proc/self` and its CPU clock.

use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use rustix::fs::{Mode, OFlags, RawDir};
use rustix::process::Resource;
use rustix::time::ClockId;

use super::file::{FileCache, Records};
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
/// families out.
pub(crate) fn write(out: &mut Families) {
    let mut gauge = |desc: &Desc, value: Option<f64>| {
        if let Some(value) = value {
            out.family(desc).sample([], value);
        }
    };
    let limit = |resource| {
        // No limit is the largest number, as in the Go exporters.
        Some(rustix::process::getrlimit(resource).current.unwrap_or(u64::MAX) as f64)
    };
    let cpu = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    let cpu = Duration::try_from(cpu).ok().map(|time| time.as_secs_f64());
    let memory = memory();
    let traffic = traffic();
    let start = start_time().duration_since(SystemTime::UNIX_EPOCH).ok();
    gauge(&CPU, cpu);
    gauge(&MAX_FDS, limit(Resource::Nofile));
    gauge(&RECEIVED, traffic.map(|(received, _)| received));
    gauge(&SENT, traffic.map(|(_, sent)| sent));
    gauge(&OPEN_FDS, open_fds().map(|count| count as f64));
    gauge(&RESIDENT, memory.map(|(_, resident)| resident));
    // The kernel counts in hundredths.
    gauge(&START, start.map(|start| (start.as_secs_f64() * 100.0).round() / 100.0));
    gauge(&VIRTUAL, memory.map(|(size, _)| size));
    gauge(&MAX_VIRTUAL, limit(Resource::As));
}

/// Mapped and resident bytes.
fn memory() -> Option<(f64, f64)> {
    let statm = FileCache::of_process().read(Path::new("/proc/self/statm"), Records::Single);
    let statm = String::from_utf8(statm.ok()?).ok()?;
    let mut pages = statm.split(' ').map(f64::from_str);
    let page = rustix::param::page_size() as f64;
    Some((pages.next()?.ok()? * page, pages.next()?.ok()? * page))
}

/// IP bytes received and sent.
fn traffic() -> Option<(f64, f64)> {
    // The collector `netstat` of the node exporter reads it too.
    let netstat = Path::new("/proc/net/netstat");
    let bytes = FileCache::of_process().read_once("process", netstat, Records::Single).ok()?;
    parse_traffic(str::from_utf8(&bytes).ok()?)
}

/// Lines come in pairs: names, then values.
fn parse_traffic(netstat: &str) -> Option<(f64, f64)> {
    let mut lines = netstat.lines().filter_map(|line| line.strip_prefix("IpExt: "));
    let (names, values) = (lines.next()?, lines.next()?);
    let value = |wanted| {
        let (_, value) =
            names.split(' ').zip(values.split(' ')).find(|(name, _)| *name == wanted)?;
        value.parse().ok()
    };
    Some((value("InOctets")?, value("OutOctets")?))
}

fn open_fds() -> Option<u64> {
    let path = "/proc/self/fd";
    // Since Linux 6.2 the size is the number of descriptors.
    let size = rustix::fs::stat(path).ok()?.st_size;
    match u64::try_from(size) {
        Ok(0) | Err(_) => count_fds(path),
        Ok(count) => Some(count),
    }
}

/// The numeric entries of a directory, without the descriptor that reads it.
fn count_fds(path: &str) -> Option<u64> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    let mut buffer = Vec::with_capacity(4096);
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    let mut count = 0_u64;
    while let Some(entry) = entries.next() {
        let entry = entry.ok()?;
        count += u64::from(entry.file_name().to_bytes().iter().all(u8::is_ascii_digit));
    }
    count.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::exposition::format::{Escaping, Format};
    use crate::testing;

    #[test]
    fn this_process() {
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

    #[test]
    fn descriptors_are_counted_on_old_kernels() {
        let now = count_fds("/proc/self/fd").unwrap();
        assert!(now >= 3);
    }

    #[test]
    fn traffic_of_several_kernels() {
        for (netstat, expected) in [
            ("", None),
            ("IpExt: InOctets OutOctets\n", None),
            ("IpExt: InOctets OutOctets\nIpExt: 1\n", None),
            ("IpExt: InOctets OutOctets\nIpExt: 1 x\n", None),
            (
                "TcpExt: A\nTcpExt: 3\nIpExt: InPkts InOctets OutOctets\nIpExt: 9 1 2\n",
                Some((1.0, 2.0)),
            ),
        ] {
            assert_eq!(parse_traffic(netstat), expected, "{netstat:?}");
        }
    }
}
