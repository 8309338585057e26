//! Processes and threads by their state: `/proc/<pid>/stat` and `/proc/<pid>/task/<tid>/stat`.
//!
//! One file is read for each process, and one more for each further thread.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::file::OpenFile;
use rustix::io::Errno;

use super::Definition;
use crate::host::{EMPTY_PAGE, Host};

pub(super) static DEFINITION: Definition =
    Definition::new("processes", "Processes and threads by state", |host, _| {
        Ok(Source::blocking(Processes { host: host.clone(), open_files: StatFiles::default() }))
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

struct Processes {
    host: Host,
    open_files: StatFiles,
}

impl Collector for Processes {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let (counts, result) = self.count()?;
        out.family(&THREADS).sample([], counts.threads as f64);
        by_state(&STATE, &counts.processes_by_state, out);
        by_state(&THREADS_STATE, &counts.threads_by_state, out);
        out.family(&PIDS).sample([], counts.processes as f64);
        for (desc, file) in [(&MAX_THREADS, "threads-max"), (&MAX_PROCESSES, "pid_max")] {
            let file = self.host.proc(format!("sys/kernel/{file}"))?;
            out.family(desc).sample([], file.number("a number")?);
        }
        result
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
    fn count(&mut self) -> Result<(Counts, Result<(), Error>), Error> {
        let mut counts = Counts::default();
        let mut result = Ok(());
        let mut previous = std::mem::take(&mut self.open_files);
        for pid in numbers(self.host.list_proc("")?) {
            result = result.and(self.count_process(pid, &mut previous, &mut counts));
        }
        Ok((counts, result))
    }

    fn count_process(
        &mut self,
        pid: u32,
        previous: &mut StatFiles,
        counts: &mut Counts,
    ) -> Result<(), Error> {
        let path = || format!("{pid}/stat");
        let Some(stat) = self.stat((pid, pid), path, previous)? else { return Ok(()) };
        counts.processes += 1;
        counts.threads += stat.threads;
        *counts.processes_by_state.entry(stat.state).or_default() += 1;
        let task = format!("{pid}/task");
        // Most processes have one thread, so that there is nothing to list.
        if stat.threads == 1
            && (self.open_files.contains_key(&(pid, pid)) || self.host.has_proc(&task))
        {
            *counts.threads_by_state.entry(stat.state).or_default() += 1;
            return Ok(());
        }
        let Some(tids) = unless_gone(self.host.list_proc(&task))? else { return Ok(()) };
        for tid in numbers(tids) {
            // The state of the process is that of its first thread.
            let state = if tid == pid {
                Some(stat.state)
            } else {
                let path = || format!("{task}/{tid}/stat");
                self.stat((pid, tid), path, previous)?.map(|stat| stat.state)
            };
            if let Some(state) = state {
                *counts.threads_by_state.entry(state).or_default() += 1;
            }
        }
        Ok(())
    }

    /// The stat file of a thread. `None` if the thread has ended.
    fn stat(
        &mut self,
        thread: (u32, u32),
        path: impl Fn() -> String,
        previous: &mut StatFiles,
    ) -> Result<Option<Stat>, Error> {
        let mut line = EMPTY_PAGE;
        // Reading fails if the thread has ended, even if its number has been reused.
        if let Some(file) = previous.remove(&thread)
            && let Ok(length) = rustix::io::pread(&file, &mut line[..], 0)
            && let Some(stat) = line.get(..length).and_then(parse)
        {
            self.open_files.insert(thread, file);
            return Ok(Some(stat));
        }
        let Some((file, opened)) = unless_gone(self.host.proc_with_handle(path()))? else {
            return Ok(None);
        };
        let stat = parse(file.text().as_bytes()).ok_or_else(|| file.parse_error(EXPECTED))?;
        self.open_files.extend(opened.map(|opened| (thread, opened)));
        Ok(Some(stat))
    }
}

/// Files that stay open, by process and thread: reading one takes 2 µs, and opening and closing it
/// 3 µs more.
type StatFiles = HashMap<(u32, u32), OpenFile>;

/// The names in a directory that are numbers.
fn numbers(names: Vec<String>) -> impl Iterator<Item = u32> {
    names.into_iter().filter_map(|name| name.parse().ok())
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

const EXPECTED: &str = "a line such as `1 (init) S 0 ...` with 20 fields or more";

fn parse(line: &[u8]) -> Option<Stat> {
    /// The fields between the state and the number of threads.
    const SKIPPED_FIELDS: usize = 16;
    // A name may contain spaces and parentheses.
    let end_of_name = line.iter().rposition(|byte| *byte == b')')?;
    let mut fields = str::from_utf8(line.get(end_of_name + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let threads = fields.nth(SKIPPED_FIELDS)?.parse().ok()?;
    Some(Stat { state, threads })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "runs a process that ends")]
    fn an_ended_process_is_not_counted_by_its_open_file() {
        let host = Host::for_tests(Path::new("/"));
        let mut processes = Processes { host, open_files: StatFiles::default() };
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let thread = (child.id(), child.id());
        let mut read = || {
            let mut previous = std::mem::take(&mut processes.open_files);
            let path = || format!("{}/stat", thread.0);
            let is_running = processes.stat(thread, path, &mut previous).unwrap().is_some();
            (is_running, processes.open_files.contains_key(&thread))
        };
        assert_eq!([read(), read()], [(true, true); 2]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(read(), (false, false));
    }

    #[test]
    fn lines_are_parsed() {
        let rest = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 21 18 19";
        for name in ["init", "a b", "(sd-pam)", ") R 1 (x", "\u{fffd}"] {
            let line = format!("17 ({name}) S {rest}\n");
            let expected = Some(Stat { state: 'S', threads: 21 });
            assert_eq!(parse(line.as_bytes()), expected, "{name}");
        }
        for text in ["", "17 init S 1 2", "17 (init)", "17 (init) S", "17 (init) S 1 2 3 4 5 6"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
