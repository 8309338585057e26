//! Performance counters of the CPUs: `perf_event_open(2)`.
//!
//! Each counter of each CPU stays open for as long as the exporter runs. It needs `CAP_PERFMON`,
//! or `kernel.perf_event_paranoid` at 0 or below.

mod cpus;
mod profilers;

use std::io::{self, ErrorKind};

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};
use rustix::process::{Resource, getrlimit};

use self::profilers::{CACHE, CPU, HARDWARE, SOFTWARE, TRACEPOINT_EVENT};
use super::Definition;
use crate::host::{Host, if_exists};
use crate::proc::cpus::{CpuSet, DIRECTORY};
use crate::system::perf::{Counter, Event};

pub(super) static DEFINITION: Definition =
    Definition::new("perf", "Performance counters of the CPUs", |host, flags| {
        let cpus = match flags.text(&CPUS) {
            "" => None,
            text => Some(cpus::parse(text).ok_or_else(|| {
                CPUS.error(format!("expected CPUs such as 0-3,8 or 0-30:2, found {text:?}"))
            })?),
        };
        let events = selected_events(flags)?;
        Ok(Source::blocking(Perf { host: host.clone(), cpus, events, open_counters: Vec::new() }))
    })
    .cost("one system call per counter and CPU; the counters take time of the CPU between scrapes")
    .rights("CAP_PERFMON, or kernel.perf_event_paranoid=0")
    .off_by_default()
    .reads(&["/sys/devices/system/cpu/online", "/sys/kernel/tracing/events/*/*/id"])
    .flags(&[
        &CPUS,
        &TRACEPOINT,
        &NO_HARDWARE,
        &HARDWARE_PROFILERS,
        &NO_SOFTWARE,
        &SOFTWARE_PROFILERS,
        &NO_CACHE,
        &CACHE_PROFILERS,
    ])
    .metrics(&[&HARDWARE, &SOFTWARE, &CACHE, &Tracepoints]);

static CPUS: Flag = Flag::text(
    "collector.perf.cpus",
    "",
    "The CPUs to count on, such as 0-3,8 or 0-30:2; all if empty.",
);
static TRACEPOINT: Flag =
    Flag::list("collector.perf.tracepoint", &[], "A tracepoint to count, as subsystem:event.");
static NO_HARDWARE: Flag = Flag::switch(
    "collector.perf.disable-hardware-profilers",
    false,
    "Leave out the hardware counters of the CPUs.",
);
static HARDWARE_PROFILERS: Flag = Flag::list(
    "collector.perf.hardware-profilers",
    &[],
    "Without effect, as in node_exporter: all are counted.",
);
static NO_SOFTWARE: Flag = Flag::switch(
    "collector.perf.disable-software-profilers",
    false,
    "Leave out the software counters of the kernel.",
);
static SOFTWARE_PROFILERS: Flag = Flag::list(
    "collector.perf.software-profilers",
    &[],
    "Without effect, as in node_exporter: all are counted.",
);
static NO_CACHE: Flag = Flag::switch(
    "collector.perf.disable-cache-profilers",
    false,
    "Leave out the cache counters of the CPUs.",
);
static CACHE_PROFILERS: Flag = Flag::list(
    "collector.perf.cache-profilers",
    &[],
    "Cache events to count, such as L1DataReadHit; all by default.",
);

/// The families of tracepoints, under the names that flags give.
struct Tracepoints;

impl Describe for Tracepoints {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let name = "node_perf_<subsystem>_<event>";
        let help = "Times that the tracepoint was passed.";
        visit(DynDesc::new(name, help, Kind::Counter, &CPU));
    }
}

/// An event to count on each CPU.
enum SelectedEvent {
    Known(&'static Desc<'static, 1>, Event),
    /// Subsystem and event.
    Tracepoint(String, String),
}

fn selected_events(flags: &Flags) -> Result<Vec<SelectedEvent>, Error> {
    let mut events = Vec::new();
    let cache_profilers = flags.list(&CACHE_PROFILERS);
    for (disable_flag, profilers) in
        [(&NO_HARDWARE, &HARDWARE), (&NO_SOFTWARE, &SOFTWARE), (&NO_CACHE, &CACHE)]
    {
        if flags.is_on(disable_flag) {
            continue;
        }
        let is_cache = std::ptr::eq(disable_flag, &raw const NO_CACHE);
        let profilers = profilers.0.iter().filter(|profiler| {
            !is_cache || cache_profilers.is_empty() || cache_profilers.contains(&profiler.name)
        });
        events
            .extend(profilers.map(|profiler| SelectedEvent::Known(&profiler.desc, profiler.event)));
    }
    for tracepoint in flags.list(&TRACEPOINT) {
        let (subsystem, event) = tracepoint
            .split_once(':')
            .filter(|(subsystem, event)| is_valid_name(subsystem) && is_valid_name(event))
            .ok_or_else(|| {
                let problem = "expected a subsystem and an event such as sched:sched_switch, found";
                TRACEPOINT.error(format!("{problem} {tracepoint:?}"))
            })?;
        events.push(SelectedEvent::Tracepoint(subsystem.to_owned(), event.to_owned()));
    }
    Ok(events)
}

/// Whether the text is valid as the name of a directory of tracefs and as a part of a metric name.
fn is_valid_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

struct Perf {
    host: Host,
    /// The online CPUs if none are selected.
    cpus: Option<Vec<u32>>,
    events: Vec<SelectedEvent>,
    /// By index in `events`. Opened by the first scrape.
    open_counters: Vec<(usize, Vec<OpenCounter>)>,
}

struct OpenCounter {
    cpu: String,
    counter: Counter,
    /// The last value: an extrapolated count could decrease, but a counter must not.
    value: f64,
}

impl Collector for Perf {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut result = Ok(());
        if self.open_counters.is_empty() {
            result = self.open();
        }
        for (index, counters) in &mut self.open_counters {
            match self.events.get(*index) {
                Some(SelectedEvent::Known(desc, _)) => expose(desc, counters, out),
                Some(SelectedEvent::Tracepoint(subsystem, event)) => {
                    let name = format!("node_perf_{subsystem}_{event}");
                    let help = format!("Times that the tracepoint {subsystem}:{event} was passed.");
                    if let Some(desc) = Desc::try_new(&name, &help, Kind::Counter, CPU) {
                        expose(&desc, counters, out);
                    }
                }
                None => {}
            }
        }
        result
    }
}

fn expose(desc: &Desc<'_, 1>, counters: &mut [OpenCounter], out: &mut Families) {
    let mut family = out.family(desc);
    for OpenCounter { cpu, counter, value } in counters {
        // CPUs that are offline are not read.
        if let Ok(now) = counter.read() {
            *value = value.max(now);
            family.sample([cpu], *value);
        }
    }
}

impl Perf {
    /// Opens the events that this machine supports. Others are left out; a missing permission is an
    /// error.
    fn open(&mut self) -> Result<(), Error> {
        let cpus = match &self.cpus {
            Some(cpus) => cpus.clone(),
            None => online_cpus(&self.host)?,
        };
        check_descriptor_limit(cpus.len() * self.events.len())?;
        let mut result = Ok(());
        for (index, selected) in self.events.iter().enumerate() {
            let event = match selected {
                SelectedEvent::Known(_, event) => *event,
                SelectedEvent::Tracepoint(subsystem, event) => {
                    match tracepoint(&self.host, subsystem, event) {
                        Ok(event) => event,
                        Err(error) => {
                            result = result.and(Err(error));
                            continue;
                        }
                    }
                }
            };
            let mut counters = Vec::new();
            for cpu in &cpus {
                match Counter::open(event, *cpu) {
                    Ok(counter) => {
                        counters.push(OpenCounter { cpu: cpu.to_string(), counter, value: 0.0 });
                    }
                    Err(source) if source.kind() == ErrorKind::PermissionDenied => {
                        return Err(permission_error(source));
                    }
                    Err(_) => {}
                }
            }
            if !counters.is_empty() {
                self.open_counters.push((index, counters));
            }
        }
        if self.open_counters.is_empty() && !self.events.is_empty() {
            result = result.and(Err(Error::Absent("performance counters")));
        }
        result
    }
}

fn permission_error(source: io::Error) -> Error {
    Error::System {
        call: "perf_event_open without CAP_PERFMON, and with kernel.perf_event_paranoid above 0,",
        source,
    }
}

fn online_cpus(host: &Host) -> Result<Vec<u32>, Error> {
    let file = host.sys(format!("{DIRECTORY}/online"))?;
    let cpus: Vec<_> = CpuSet::parse(&file)?.iter().collect();
    if cpus.is_empty() { Err(file.parse_error("CPU numbers such as 0-3,8")) } else { Ok(cpus) }
}

/// Fails if the counters would leave too few file descriptors for connections.
fn check_descriptor_limit(needed: usize) -> Result<(), Error> {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if needed as u64 <= limit / 4 * 3 {
        return Ok(());
    }
    let problem = format!(
        "perf needs {needed} file descriptors, and the limit is {limit}: raise LimitNOFILE=, \
         or count less with --collector.perf.cpus or --collector.perf.disable-cache-profilers"
    );
    Err(Error::Other(problem.into()))
}

/// The event of a tracepoint, from tracefs, or from debugfs before Linux 4.1.
fn tracepoint(host: &Host, subsystem: &str, event: &str) -> Result<Event, Error> {
    let path = format!("tracing/events/{subsystem}/{event}/id");
    let file = match if_exists(host.sys(format!("kernel/{path}")))? {
        Some(file) => file,
        None => host.sys(format!("kernel/debug/{path}"))?,
    };
    Ok(Event { kind: TRACEPOINT_EVENT, config: file.number("the number of a tracepoint")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_select_events() {
        for (flags, expected) in [
            (Flags::default(), 30),
            (Flags::new([(&NO_HARDWARE, "true")]), 21),
            (Flags::new([(&NO_SOFTWARE, "true")]), 25),
            (Flags::new([(&NO_CACHE, "true")]), 14),
            (Flags::new([(&CACHE_PROFILERS, "LLReadHit"), (&CACHE_PROFILERS, "x")]), 15),
            (Flags::new([(&HARDWARE_PROFILERS, "CpuCycles")]), 30),
            (Flags::new([(&TRACEPOINT, "sched:sched_switch")]), 31),
        ] {
            assert_eq!(selected_events(&flags).unwrap().len(), expected);
        }
        for tracepoint in ["sched", "sched:", "../a:b", "a:b:c"] {
            assert!(
                selected_events(&Flags::new([(&TRACEPOINT, tracepoint)])).is_err(),
                "{tracepoint}"
            );
        }
    }

    #[test]
    fn file_descriptors_are_reserved_for_connections() {
        assert!(check_descriptor_limit(0).is_ok());
        let error = check_descriptor_limit(usize::MAX).unwrap_err().to_string();
        assert!(error.contains("raise LimitNOFILE="), "{error}");
    }
}
