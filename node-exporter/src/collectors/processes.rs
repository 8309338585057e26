//! Processes and threads by their state: `/proc/<pid>/stat` and `/proc/<pid>/task/<tid>/stat`.
//!
//! One file is read for each process, and one more for each further thread.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use rustix::io::Errno;

use super::Definition;
use crate::host::{File, Host};

pub(super) static DEFINITION: Definition =
    Definition::new("processes", "Processes and threads by state", |host, _| {
        Ok(Source::blocking(Processes(host.clone())))
    })
    .cost("one file per thread of the machine")
    .rights("root where /proc is mounted with hidepid")
    .off_by_default()
    .reads(&[
        "/proc/*/stat",
        "/proc/*/task/*/stat",
        "/proc/sys/kernel/threads-max",
        "/proc/sys/kernel/pid_max",
    ])
    .metrics(&[&THREADS, &MAX_THREADS, &STATE, &THREADS_STATE, &PIDS, &MAX_PROCESSES]);

static THREADS: Desc = Desc::gauge("node_processes_threads", "Threads of all processes.", []);
static MAX_THREADS: Desc =
    Desc::gauge("node_processes_max_threads", "How many threads there may be.", []);
static STATE: Desc<1> =
    Desc::gauge("node_processes_state", "Processes in each state that any is in.", ["state"]);
static THREADS_STATE: Desc<1> = Desc::gauge(
    "node_processes_threads_state",
    "Threads in each state that any is in.",
    ["thread_state"],
);
static PIDS: Desc = Desc::gauge("node_processes_pids", "Processes.", []);
static MAX_PROCESSES: Desc =
    Desc::gauge("node_processes_max_processes", "The highest PID there may be.", []);

struct Processes(Host);

impl Collector for Processes {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let (counts, end) = self.count()?;
        out.family(&THREADS).sample([], counts.threads as f64);
        by_state(&STATE, &counts.processes_by_state, out);
        by_state(&THREADS_STATE, &counts.threads_by_state, out);
        out.family(&PIDS).sample([], counts.processes as f64);
        for (desc, file) in [(&MAX_THREADS, "threads-max"), (&MAX_PROCESSES, "pid_max")] {
            let file = self.0.proc(format!("sys/kernel/{file}"))?;
            out.family(desc).sample([], file.number("a number")?);
        }
        end
    }
}

fn by_state(desc: &Desc<'_, 1>, counts: &BTreeMap<char, u64>, out: &mut Families) {
    let mut family = out.family(desc);
    for (state, count) in counts {
        family.sample([state.encode_utf8(&mut [0; 4])], *count as f64);
    }
}

#[derive(Debug, Default)]
struct Counts {
    processes: u64,
    threads: u64,
    processes_by_state: BTreeMap<char, u64>,
    threads_by_state: BTreeMap<char, u64>,
}

impl Processes {
    /// The counts, and the first error. Fails only if the processes cannot be listed.
    fn count(&self) -> Result<(Counts, Result<(), Error>), Error> {
        let mut counts = Counts::default();
        let mut end = Ok(());
        for pid in numbers(self.0.list_proc("")?) {
            end = end.and(self.count_process(&pid, &mut counts));
        }
        Ok((counts, end))
    }

    fn count_process(&self, pid: &str, counts: &mut Counts) -> Result<(), Error> {
        let Some(stat) = self.stat(pid)? else { return Ok(()) };
        counts.processes += 1;
        counts.threads += stat.threads;
        *counts.processes_by_state.entry(stat.state).or_default() += 1;
        let task = format!("{pid}/task");
        // Most processes have one thread, so that there is nothing to list.
        if stat.threads == 1 && self.0.has_proc(&task) {
            *counts.threads_by_state.entry(stat.state).or_default() += 1;
            return Ok(());
        }
        let Some(tids) = unless_gone(self.0.list_proc(&task))? else { return Ok(()) };
        for tid in numbers(tids) {
            // The state of the process is that of its first thread.
            let state = if tid == pid {
                Some(stat.state)
            } else {
                self.stat(&format!("{task}/{tid}"))?.map(|stat| stat.state)
            };
            if let Some(state) = state {
                *counts.threads_by_state.entry(state).or_default() += 1;
            }
        }
        Ok(())
    }

    /// The data of a process or thread; `None` if it has ended.
    fn stat(&self, directory: &str) -> Result<Option<Stat>, Error> {
        let file = unless_gone(self.0.proc_unkept(format!("{directory}/stat")))?;
        file.map(|file| parse(&file)).transpose()
    }
}

/// The names in a directory that are numbers.
fn numbers(names: Vec<String>) -> impl Iterator<Item = String> {
    names.into_iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Ignores a process that has ended since it was listed.
fn unless_gone<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(Error::Read { source, .. })
            if source.kind() == ErrorKind::NotFound
                || source.raw_os_error() == Some(Errno::SRCH.raw_os_error()) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The used fields of a line of `proc_pid_stat(5)`.
#[derive(Debug, PartialEq)]
struct Stat {
    /// Such as `R` or `S`.
    state: char,
    threads: u64,
}

fn parse(file: &File) -> Result<Stat, Error> {
    const EXPECTED: &str = "a line such as `1 (init) S 0 ...` with 20 fields or more";
    /// Between the state and the number of threads.
    const BETWEEN: usize = 16;
    // A name may contain spaces and parentheses.
    let fields = file.text().rsplit_once(')').map(|(_, rest)| rest.split_ascii_whitespace());
    let mut fields = fields.ok_or_else(|| file.unlike(EXPECTED))?;
    let state = fields.next().and_then(|state| state.chars().next());
    let threads = fields.nth(BETWEEN).and_then(|threads| threads.parse().ok());
    state
        .zip(threads)
        .map(|(state, threads)| Stat { state, threads })
        .ok_or_else(|| file.unlike(EXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        let rest = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 21 18 19";
        for name in ["init", "a b", "(sd-pam)", ") R 1 (x", "\u{fffd}"] {
            let file = File::of(&format!("17 ({name}) S {rest}\n"));
            assert_eq!(parse(&file).unwrap(), Stat { state: 'S', threads: 21 }, "{name}");
        }
        for text in ["", "17 init S 1 2", "17 (init)", "17 (init) S", "17 (init) S 1 2 3 4 5 6"] {
            assert!(parse(&File::of(text)).is_err(), "{text}");
        }
    }
}
