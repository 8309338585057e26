//! Running and waiting time of tasks on each CPU: `/proc/schedstat`.
//!
//! See `Documentation/scheduler/sched-stats.rst`. Versions differ in the lines of domains
//! and in the first fields of a CPU; these are not used.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("schedstat", "Run and wait times of the scheduler", |host, _| {
        Ok(Source::blocking(Schedstat(host.clone())))
    })
    .cost("one file with a line per CPU")
    .reads(&["/proc/schedstat"])
    .metrics(&[&COLUMNS]);

static COLUMNS: [Column<Sched, 1>; 3] = [
    Desc::counter("node_schedstat_running_seconds_total", "Time tasks ran on the CPU.", ["cpu"])
        .column(|sched| Some(sched.running_ns as f64 / 1e9)),
    Desc::counter(
        "node_schedstat_waiting_seconds_total",
        "Time tasks that could run waited for the CPU.",
        ["cpu"],
    )
    .column(|sched| Some(sched.waiting_ns as f64 / 1e9)),
    Desc::counter("node_schedstat_timeslices_total", "Timeslices run on the CPU.", ["cpu"])
        .column(|sched| Some(sched.timeslices as f64)),
];

struct Schedstat(Host);

impl Collector for Schedstat {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc_long_lines("schedstat").or_absent("scheduler statistics")?;
        let cpus = file.lines().filter_map(parse).collect::<Result<Vec<_>, _>>()?;
        if cpus.is_empty() {
            return Err(file.parse_error("a line of a CPU"));
        }
        out.table(&COLUMNS, &cpus);
        Ok(())
    }
}

/// The exposed fields of the line of a CPU.
#[derive(Debug, PartialEq)]
struct Sched {
    running_ns: u64,
    waiting_ns: u64,
    timeslices: u64,
}

/// `None` for lines of other types.
fn parse(mut line: Fields<'_>) -> Option<Result<([&str; 1], Sched), Error>> {
    let cpu = line.optional()?.strip_prefix("cpu")?;
    line.skip(6); // yields, schedules, wakeups
    let mut numbers = || {
        Ok(Sched {
            running_ns: line.number("ns spent running")?,
            waiting_ns: line.number("ns spent waiting")?,
            timeslices: line.number("timeslices")?,
        })
    };
    Some(numbers().map(|sched| ([cpu], sched)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        let line = "cpu12 1 2 3 4 5 6 7 8 9";
        let sched = Sched { running_ns: 7, waiting_ns: 8, timeslices: 9 };
        assert_eq!(parse(Fields::from_line(line)).unwrap().unwrap(), (["12"], sched));
        assert!(parse(Fields::from_line("domain0 3 1 2 3 4 5 6 7 8")).is_none());
        assert!(parse(Fields::from_line("")).is_none());
        let error =
            parse(Fields::from_line("cpu0 1 2 3 4 5 6 7")).unwrap().unwrap_err().to_string();
        assert!(error.starts_with("test: expected ns spent waiting"), "{error}");
    }
}
