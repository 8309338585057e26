//! The reader processes of this program. One is kept for the next file. A reader that is blocked by
//! a file system is abandoned until it returns.

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
const RETRY_DELAY: Duration = Duration::from_secs(60);

/// The maximum number of blocked readers.
const MAX_STUCK: usize = 8;

static POOL: Pool = Pool::new(TIMEOUT, spawn_reader);
static PROCESSES: AtomicBool = AtomicBool::new(false);

/// Enables reader processes: `main` has to check for [`super::ARGUMENT`].
pub(crate) fn use_processes() {
    PROCESSES.store(true, Ordering::Relaxed);
}

/// Allows the next request for each file that timed out.
pub(crate) fn retry() {
    POOL.retry();
}

/// Stops the idle reader, so that it does not outlive this process: a service manager would report
/// it.
pub(crate) fn shut_down() {
    const MAX_WAIT: Duration = Duration::from_millis(200);
    let idle = POOL.state().idle.take();
    let Some(mut child) = idle.and_then(Reader::close) else { return };
    let start = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && start.elapsed() < MAX_WAIT {
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(super) fn request(path: &Path, limit: Option<u64>) -> io::Result<Reply> {
    POOL.request(path, limit)
}

fn spawn_reader() -> io::Result<Reader> {
    if PROCESSES.load(Ordering::Relaxed) { Reader::process() } else { Reader::thread() }
}

struct Pool {
    timeout: Duration,
    spawn: fn() -> io::Result<Reader>,
    state: Mutex<State>,
}

struct State {
    idle: Option<Reader>,
    stuck: Vec<Stuck>,
    /// Readers that have to be reaped.
    exiting: Vec<Child>,
}

/// A reader that is blocked by a file system.
struct Stuck {
    path: PathBuf,
    reader: Reader,
    retry_at: Instant,
}

impl Pool {
    const fn new(timeout: Duration, spawn: fn() -> io::Result<Reader>) -> Self {
        let state = State { idle: None, stuck: Vec::new(), exiting: Vec::new() };
        Self { timeout, spawn, state: Mutex::new(state) }
    }

    fn retry(&self) {
        let now = Instant::now();
        for stuck in &mut self.state().stuck {
            stuck.retry_at = now;
        }
    }

    fn request(&self, path: &Path, limit: Option<u64>) -> io::Result<Reply> {
        wire::check(path)?;
        let request = Request { path: path.to_owned(), limit };
        let deadline = Instant::now() + self.timeout;
        loop {
            let idle = self.state().take_idle(path).map_err(|()| self.timeout_error())?;
            let is_new = idle.is_none();
            let mut reader = match idle {
                Some(reader) => reader,
                None => (self.spawn)().map_err(|error| {
                    let problem = format!("the process that reads it cannot be started: {error}");
                    io::Error::new(error.kind(), problem)
                })?,
            };
            match reader.request(&request, deadline) {
                Ok(reply) => {
                    self.state().set_idle(reader);
                    return Ok(reply);
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    self.state().set_stuck(path, reader);
                    return Err(self.timeout_error());
                }
                Err(error) => {
                    self.state().close(reader);
                    if is_new {
                        let problem = format!("the process that reads it ended: {error}");
                        return Err(io::Error::other(problem));
                    }
                    // It was killed while it was idle.
                }
            }
        }
    }

    fn timeout_error(&self) -> io::Error {
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
    /// The idle reader, if there is one. Fails if the path must not be requested now.
    fn take_idle(&mut self, path: &Path) -> Result<Option<Reader>, ()> {
        let done: Vec<Stuck> = self.stuck.extract_if(.., |stuck| stuck.reader.is_done()).collect();
        for stuck in done {
            self.close(stuck.reader);
        }
        self.exiting.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let now = Instant::now();
        let must_wait = self.stuck.iter().any(|stuck| stuck.path == path && now < stuck.retry_at);
        if must_wait || self.stuck.len() >= MAX_STUCK { Err(()) } else { Ok(self.idle.take()) }
    }

    fn set_idle(&mut self, reader: Reader) {
        if let Some(other) = self.idle.replace(reader) {
            self.close(other);
        }
    }

    fn set_stuck(&mut self, path: &Path, reader: Reader) {
        let attempts = self.stuck.iter().filter(|stuck| stuck.path == path).count();
        let retry_at = Instant::now() + RETRY_DELAY * (1 << attempts.min(MAX_STUCK));
        for stuck in self.stuck.iter_mut().filter(|stuck| stuck.path == path) {
            stuck.retry_at = retry_at;
        }
        self.stuck.push(Stuck { path: path.to_owned(), reader, retry_at });
    }

    fn close(&mut self, reader: Reader) {
        self.exiting.extend(reader.close());
    }
}

#[cfg(test)]
mod tests;
