//! The probers of this process. They are started when needed and reused while they reply. A prober
//! whose mount hangs is abandoned until the mount responds.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use exporter_core::collector::Error;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::prober::{self, Reply};

/// The maximum number of probers that wait for a mount. Beyond it, mounts are reported as hanging
/// without a query.
const MAX_BUSY_PROBERS: usize = 64;

/// If a query takes longer, the next mount is queried in parallel.
const PARALLEL_QUERY_DELAY: Duration = Duration::from_millis(50);

pub(super) struct Query<'a> {
    pub(super) path: &'a Path,
    /// Mounts of one group hang together, so only one of them is queried at a time.
    pub(super) group: Vec<u8>,
}

pub(super) struct Probers {
    program: fn() -> Command,
    /// At most one is kept between scrapes.
    idle: Vec<Prober>,
    /// Probers that wait for hanging mounts, by group.
    stuck: HashMap<Vec<u8>, Prober>,
    /// Probers that have to be reaped.
    exiting: Vec<Child>,
}

struct Prober {
    child: Child,
    socket: OwnedFd,
}

/// A query in progress.
struct InFlight {
    index: usize,
    sent_at: Instant,
    prober: Prober,
}

impl Default for Probers {
    fn default() -> Self {
        Self::new(prober_command)
    }
}

#[expect(clippy::disallowed_methods, reason = "runs itself, for the one call that may not return")]
fn prober_command() -> Command {
    // The running program, even if its file was replaced or moved.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("node-exporter").arg(prober::ARGUMENT);
    command
}

impl Probers {
    pub(super) fn new(program: fn() -> Command) -> Self {
        Self { program, idle: Vec::new(), stuck: HashMap::new(), exiting: Vec::new() }
    }

    /// Runs all queries within `timeout`. A query has no reply if it is late, or if a prober
    /// already waits for its group. The error is that of a prober that could not be started.
    pub(super) fn query(
        &mut self,
        queries: &[Query<'_>],
        timeout: Duration,
    ) -> (Vec<Option<Reply>>, Result<(), Error>) {
        self.reclaim();
        let mut batch = Batch {
            replies: vec![None; queries.len()],
            pending: (0..queries.len())
                .filter(|index| {
                    queries.get(*index).is_some_and(|query| !self.stuck.contains_key(&query.group))
                })
                .collect(),
            in_flight: Vec::new(),
        };
        let deadline = Instant::now() + timeout;
        // Even if all of them hang, all are queried within a quarter of the timeout.
        let divisor = u32::try_from(queries.len()).unwrap_or(u32::MAX).saturating_mul(4).max(1);
        let delay = PARALLEL_QUERY_DELAY.min(timeout / divisor);
        let result = self.run(&mut batch, queries, deadline, delay);
        for in_flight in batch.in_flight {
            if let Some(query) = queries.get(in_flight.index) {
                self.stuck.insert(query.group.clone(), in_flight.prober);
            }
        }
        while self.idle.len() > 1 {
            self.exiting.extend(self.idle.pop().map(Prober::close));
        }
        (batch.replies, result)
    }

    fn run(
        &mut self,
        batch: &mut Batch,
        queries: &[Query<'_>],
        deadline: Instant,
        delay: Duration,
    ) -> Result<(), Error> {
        let mut result = Ok(());
        loop {
            let now = Instant::now();
            if now >= deadline {
                return result;
            }
            let last_sent = batch.in_flight.iter().map(|in_flight| in_flight.sent_at).max();
            let next_query_at = last_sent.map_or(now, |sent_at| sent_at + delay);
            let mut wake_at = deadline;
            if let Some((index, query)) = batch.next(queries)
                && self.stuck.len() + batch.in_flight.len() < MAX_BUSY_PROBERS
            {
                if next_query_at <= now {
                    if let Err(error) = self.send(batch, index, query) {
                        // No more probers are available; queries in progress are still waited for.
                        result = Err(error);
                        batch.pending.clear();
                    }
                    continue;
                }
                wake_at = wake_at.min(next_query_at);
            } else if batch.in_flight.is_empty() {
                return result;
            }
            let wait = wake_at.saturating_duration_since(now);
            let ready = ready(batch.in_flight.iter().map(|in_flight| &in_flight.prober), wait);
            for index in ready.into_iter().rev() {
                let InFlight { index, prober, .. } = batch.in_flight.swap_remove(index);
                let reply = prober::receive_reply(&prober.socket);
                batch.record_reply(index, reply.and_then(|reply| reply));
                match reply {
                    Ok(_) => self.idle.push(prober),
                    // The prober was killed: there is no reply for the mount.
                    Err(_) => self.exiting.push(prober.close()),
                }
            }
        }
    }

    /// Sends a query to an idle prober, or to a new one.
    fn send(&mut self, batch: &mut Batch, index: usize, query: &Query<'_>) -> Result<(), Error> {
        while let Some(prober) = self.idle.pop() {
            match prober::send_query(&prober.socket, query.path) {
                Ok(()) => {
                    batch.record_sent(index, prober);
                    return Ok(());
                }
                // It was killed while it was idle.
                Err(_) => self.exiting.push(prober.close()),
            }
        }
        let prober = self.spawn().map_err(|source| Error::System {
            call: "starting a prober for the mounts that may hang",
            source,
        })?;
        match prober::send_query(&prober.socket, query.path) {
            Ok(()) => batch.record_sent(index, prober),
            Err(error) => {
                self.exiting.push(prober.close());
                batch.record_reply(index, Err(error));
            }
        }
        Ok(())
    }

    fn spawn(&self) -> io::Result<Prober> {
        let (socket, other) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let child = (self.program)()
            .env_clear()
            .stdin(Stdio::from(other))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Signals from a terminal are meant for the program, not for the prober.
            .process_group(0)
            .spawn()?;
        Ok(Prober { child, socket })
    }

    /// Takes back probers whose mounts have responded, and reaps those that have exited.
    fn reclaim(&mut self) {
        if !self.stuck.is_empty() {
            let ready = ready(self.stuck.values(), Duration::ZERO);
            let groups: Vec<_> = ready
                .into_iter()
                .filter_map(|index| self.stuck.keys().nth(index).cloned())
                .collect();
            for prober in groups.iter().filter_map(|group| self.stuck.remove(group)) {
                match prober::receive_reply(&prober.socket) {
                    Ok(_) => self.idle.push(prober),
                    Err(_) => self.exiting.push(prober.close()),
                }
            }
        }
        self.exiting.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }
}

impl Drop for Probers {
    fn drop(&mut self) {
        for prober in self.idle.drain(..).chain(self.stuck.drain().map(|(_, prober)| prober)) {
            let _ = prober.close().kill();
        }
    }
}

impl Prober {
    /// Closes the socket, upon which the prober exits.
    fn close(self) -> Child {
        self.child
    }
}

/// The queries of one scrape.
struct Batch {
    replies: Vec<Option<Reply>>,
    pending: Vec<usize>,
    in_flight: Vec<InFlight>,
}

impl Batch {
    fn record_sent(&mut self, index: usize, prober: Prober) {
        self.pending.retain(|pending| *pending != index);
        self.in_flight.push(InFlight { index, sent_at: Instant::now(), prober });
    }

    fn record_reply(&mut self, index: usize, reply: Reply) {
        self.pending.retain(|pending| *pending != index);
        if let Some(slot) = self.replies.get_mut(index) {
            *slot = Some(reply);
        }
    }

    /// The next query for whose group no query is in flight.
    fn next<'q>(&self, queries: &'q [Query<'q>]) -> Option<(usize, &'q Query<'q>)> {
        let is_in_flight = |query: &Query<'_>| {
            self.in_flight
                .iter()
                .filter_map(|in_flight| queries.get(in_flight.index))
                .any(|other| other.group == query.group)
        };
        let mut pending =
            self.pending.iter().filter_map(|index| Some((*index, queries.get(*index)?)));
        pending.find(|(_, query)| !is_in_flight(query))
    }
}

/// The indices of the probers that have replied or ended, after at most `wait`, in order.
fn ready<'a>(probers: impl Iterator<Item = &'a Prober>, wait: Duration) -> Vec<usize> {
    let mut sockets: Vec<_> = probers
        .map(|prober| PollFd::from_borrowed_fd(prober.socket.as_fd(), PollFlags::IN))
        .collect();
    let wait = Timespec::try_from(wait).ok();
    // Interrupted, or out of memory: the caller retries until its deadline.
    if !matches!(poll(&mut sockets, wait.as_ref()), Ok(1..)) {
        return Vec::new();
    }
    let ready = sockets.iter().enumerate().filter(|(_, socket)| !socket.revents().is_empty());
    ready.map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests;
