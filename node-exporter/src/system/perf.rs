//! Performance counters: `perf_event_open(2)`.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// An event, by type and configuration: `PERF_TYPE_*`, `PERF_COUNT_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kind: u32,
    pub(crate) config: u64,
}

/// A counter on a CPU. It counts while it is open.
#[derive(Debug)]
pub(crate) struct Counter(OwnedFd);

/// The first version of `struct perf_event_attr`, which every kernel accepts.
#[repr(C)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_type: u32,
    breakpoint_address: u64,
}

impl Counter {
    /// Starts to count an event of all processes on a CPU.
    pub(crate) fn open(event: Event, cpu: u32) -> io::Result<Self> {
        const TIMES: u64 = 3; // PERF_FORMAT_TOTAL_TIME_ENABLED and _RUNNING
        const EXCLUDE_HYPERVISOR: u64 = 1 << 6;
        let attributes = Attributes {
            kind: event.kind,
            size: 64, // PERF_ATTR_SIZE_VER0
            config: event.config,
            sample_period: 0,
            sample_type: 0,
            read_format: TIMES,
            flags: EXCLUDE_HYPERVISOR,
            wakeup_events: 0,
            breakpoint_type: 0,
            breakpoint_address: 0,
        };
        let cpu = libc::c_int::try_from(cpu).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(Self(open(&attributes, cpu)?))
    }

    /// The number of events. It is extrapolated if the CPU has too few hardware counters and
    /// counted for only part of the time.
    pub(crate) fn read(&self) -> io::Result<f64> {
        let mut bytes = [0; 24];
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&self.0, &mut bytes))?;
        if length != bytes.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (words, _) = bytes.as_chunks();
        let mut words = words.iter().map(|word| u64::from_ne_bytes(*word));
        let mut word = || words.next().unwrap_or_default();
        Ok(scaled(word(), word(), word()))
    }
}

fn scaled(count: u64, enabled: u64, running: u64) -> f64 {
    match (count, enabled, running) {
        (count, _, 0) => count as f64,
        (count, enabled, running) if enabled == running => count as f64,
        (count, enabled, running) => count as f64 * (enabled as f64 / running as f64),
    }
}

#[expect(unsafe_code, reason = "perf_event_open has no safe wrapper among our dependencies")]
fn open(attributes: &Attributes, cpu: libc::c_int) -> io::Result<OwnedFd> {
    const ALL_PROCESSES: libc::pid_t = -1;
    const NO_GROUP: libc::c_int = -1;
    const CLOSE_ON_EXEC: libc::c_ulong = 8;
    // SAFETY: the kernel reads `size` bytes, which is the size of the struct; it outlives the call.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            std::ptr::from_ref(attributes),
            ALL_PROCESSES,
            cpu,
            NO_GROUP,
            CLOSE_ON_EXEC,
        )
    };
    let fd = libc::c_int::try_from(fd).unwrap_or(-1);
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that is not owned elsewhere.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_struct_has_its_declared_size() {
        assert_eq!(size_of::<Attributes>(), 64);
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn software_events_are_counted() {
        let context_switches = Event { kind: 1, config: 3 };
        let counter = match Counter::open(context_switches, 0) {
            Ok(counter) => counter,
            Err(error) => return eprintln!("SKIPPED: perf_event_open: {error}"),
        };
        let first = counter.read().unwrap();
        for _ in 0..1000 {
            std::thread::sleep(std::time::Duration::from_millis(10));
            if counter.read().unwrap() > first {
                return;
            }
        }
        panic!("CPU 0 does not switch");
    }

    #[test]
    fn unknown_events_are_errors() {
        assert!(Counter::open(Event { kind: u32::MAX, config: u64::MAX }, 0).is_err());
        assert!(Counter::open(Event { kind: 1, config: 3 }, u32::MAX).is_err());
    }

    #[test]
    fn counts_are_scaled_by_counting_time() {
        for (count, enabled, running, expected) in
            [(100, 10, 10, 100.0), (100, 10, 5, 200.0), (0, 10, 0, 0.0), (100, 0, 0, 100.0)]
        {
            assert!((scaled(count, enabled, running) - expected).abs() < 1e-9);
        }
    }
}
