//! The reader processes of this program: one is kept for the next file. A reader that is blocked by
//! a file system is left alone until it returns.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::process::Reader;
use super::wire::{self, Reply, Request};

/// The time limit for one file.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The delay before a file that timed out is first retried; it doubles with each retry.
const RETRY: Duration = Duration::from_secs(60);

/// The maximum number of blocked readers.
const MOST_STUCK: usize = 8;

static POOL: Pool = Pool::new(TIMEOUT, start);
static PROCESSES: AtomicBool = AtomicBool::new(false);

/// Enables reader processes: `main` has to check for [`super::ARGUMENT`].
pub(crate) fn use_processes() {
    PROCESSES.store(true, Ordering::Relaxed);
}

/// Allows the next request for each file that timed out.
pub(crate) fn retry() {
    POOL.retry();
}

/// Ends the idle reader, so that it does not outlive this process: a service manager would report
/// it.
pub(crate) fn end() {
    const LONGEST: Duration = Duration::from_millis(200);
    let idle = POOL.state().idle.take();
    let Some(mut child) = idle.and_then(Reader::end) else { return };
    let start = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && start.elapsed() < LONGEST {
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(super) fn ask(path: &Path, limit: Option<u64>) -> io::Result<Reply> {
    POOL.ask(path, limit)
}

fn start() -> io::Result<Reader> {
    if PROCESSES.load(Ordering::Relaxed) { Reader::process() } else { Reader::thread() }
}

struct Pool {
    timeout: Duration,
    start: fn() -> io::Result<Reader>,
    state: Mutex<State>,
}

struct State {
    idle: Option<Reader>,
    stuck: Vec<Stuck>,
    /// Readers that were ended but not waited for.
    ending: Vec<Child>,
}

/// A reader that is blocked by a file system.
struct Stuck {
    path: PathBuf,
    reader: Reader,
    retry_at: Instant,
}

impl Pool {
    const fn new(timeout: Duration, start: fn() -> io::Result<Reader>) -> Self {
        let state = State { idle: None, stuck: Vec::new(), ending: Vec::new() };
        Self { timeout, start, state: Mutex::new(state) }
    }

    fn retry(&self) {
        let now = Instant::now();
        for stuck in &mut self.state().stuck {
            stuck.retry_at = now;
        }
    }

    fn ask(&self, path: &Path, limit: Option<u64>) -> io::Result<Reply> {
        wire::check(path)?;
        let request = Request { path: path.to_owned(), limit };
        let deadline = Instant::now() + self.timeout;
        loop {
            let idle = self.state().take_idle(path).map_err(|()| self.unanswered())?;
            let is_new = idle.is_none();
            let mut reader = match idle {
                Some(reader) => reader,
                None => (self.start)().map_err(|error| {
                    let problem = format!("the process that reads it cannot be started: {error}");
                    io::Error::new(error.kind(), problem)
                })?,
            };
            match reader.ask(&request, deadline) {
                Ok(reply) => {
                    self.state().keep(reader);
                    return Ok(reply);
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    self.state().leave(path, reader);
                    return Err(self.unanswered());
                }
                Err(error) => {
                    self.state().end(reader);
                    if is_new {
                        let problem = format!("the process that reads it ended: {error}");
                        return Err(io::Error::other(problem));
                    }
                    // It was killed while it was idle.
                }
            }
        }
    }

    fn unanswered(&self) -> io::Error {
        let problem = format!(
            "its file system did not answer within {:?}: is its server gone?",
            self.timeout
        );
        io::Error::new(ErrorKind::TimedOut, problem)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The idle reader, if there is one. An error if the path must not be requested now.
    fn take_idle(&mut self, path: &Path) -> Result<Option<Reader>, ()> {
        let free: Vec<Stuck> = self.stuck.extract_if(.., |stuck| stuck.reader.is_free()).collect();
        for stuck in free {
            self.end(stuck.reader);
        }
        self.ending.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let now = Instant::now();
        let is_waiting = self.stuck.iter().any(|stuck| stuck.path == path && now < stuck.retry_at);
        if is_waiting || self.stuck.len() >= MOST_STUCK { Err(()) } else { Ok(self.idle.take()) }
    }

    fn keep(&mut self, reader: Reader) {
        if let Some(other) = self.idle.replace(reader) {
            self.end(other);
        }
    }

    fn leave(&mut self, path: &Path, reader: Reader) {
        let tries = self.stuck.iter().filter(|stuck| stuck.path == path).count();
        let retry_at = Instant::now() + RETRY * (1 << tries.min(MOST_STUCK));
        for stuck in self.stuck.iter_mut().filter(|stuck| stuck.path == path) {
            stuck.retry_at = retry_at;
        }
        self.stuck.push(Stuck { path: path.to_owned(), reader, retry_at });
    }

    fn end(&mut self, reader: Reader) {
        self.ending.extend(reader.end());
    }
}

#[cfg(test)]
mod tests;
