//! The probers of this process: started when needed, reused while they reply, and abandoned at a
//! mount that hangs until it responds.

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

use super::prober::{self, Answer};

/// The maximum number of hanging probers. Beyond it, further mounts are reported as hanging without
/// a query.
const MOST: usize = 64;

/// The time after which the next mount is queried in parallel.
const PATIENCE: Duration = Duration::from_millis(50);

pub(super) struct Question<'a> {
    pub(super) path: &'a Path,
    /// Mounts with equal keys hang together; only one of them is queried at a time.
    pub(super) together: Vec<u8>,
}

pub(super) struct Probers {
    program: fn() -> Command,
    /// At most one is kept between scrapes.
    idle: Vec<Prober>,
    /// Probers that were abandoned at hanging mounts.
    stuck: HashMap<Vec<u8>, Prober>,
    /// Probers that were ended but not waited for.
    ending: Vec<Child>,
}

struct Prober {
    child: Child,
    socket: OwnedFd,
}

/// A query in progress.
struct Asked {
    nth: usize,
    since: Instant,
    prober: Prober,
}

impl Default for Probers {
    fn default() -> Self {
        Self::new(this_program)
    }
}

#[expect(clippy::disallowed_methods, reason = "runs itself, for the one call that may not return")]
fn this_program() -> Command {
    // The running program, even if its file was replaced or moved.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("node-exporter").arg(prober::ARGUMENT);
    command
}

impl Probers {
    pub(super) fn new(program: fn() -> Command) -> Self {
        Self { program, idle: Vec::new(), stuck: HashMap::new(), ending: Vec::new() }
    }

    /// Runs all queries, and waits at most `budget` for all of them together. A query that is late,
    /// or whose prober hung before, has no reply. The error is that of a prober that could not be
    /// started.
    pub(super) fn ask(
        &mut self,
        questions: &[Question<'_>],
        budget: Duration,
    ) -> (Vec<Option<Answer>>, Result<(), Error>) {
        self.tidy();
        let mut round = Round {
            answers: vec![None; questions.len()],
            waiting: (0..questions.len())
                .filter(|nth| {
                    questions.get(*nth).is_some_and(|q| !self.stuck.contains_key(&q.together))
                })
                .collect(),
            asked: Vec::new(),
        };
        let deadline = Instant::now() + budget;
        // If all of them hang, all are queried within a quarter of the time.
        let most = u32::try_from(questions.len()).unwrap_or(u32::MAX).saturating_mul(4).max(1);
        let patience = PATIENCE.min(budget / most);
        let end = self.run(&mut round, questions, deadline, patience);
        for asked in round.asked {
            if let Some(question) = questions.get(asked.nth) {
                self.stuck.insert(question.together.clone(), asked.prober);
            }
        }
        while self.idle.len() > 1 {
            self.ending.extend(self.idle.pop().map(Prober::end));
        }
        (round.answers, end)
    }

    fn run(
        &mut self,
        round: &mut Round,
        questions: &[Question<'_>],
        deadline: Instant,
        patience: Duration,
    ) -> Result<(), Error> {
        let mut end = Ok(());
        loop {
            let now = Instant::now();
            if now >= deadline {
                return end;
            }
            let youngest = round.asked.iter().map(|asked| asked.since).max();
            let patient = youngest.map_or(now, |since| since + patience);
            let mut wake = deadline;
            if let Some((nth, question)) = round.next(questions)
                && self.stuck.len() + round.asked.len() < MOST
            {
                if patient <= now {
                    if let Err(error) = self.hand(round, nth, question) {
                        // No more probers are available; queries in progress are still waited for.
                        end = Err(error);
                        round.waiting.clear();
                    }
                    continue;
                }
                wake = wake.min(patient);
            } else if round.asked.is_empty() {
                return end;
            }
            let wait = wake.saturating_duration_since(now);
            let ready = ready(round.asked.iter().map(|asked| &asked.prober), wait);
            for place in ready.into_iter().rev() {
                let Asked { nth, prober, .. } = round.asked.swap_remove(place);
                let answer = prober::answer(&prober.socket);
                round.answer(nth, answer.and_then(|answer| answer));
                match answer {
                    Ok(_) => self.idle.push(prober),
                    // The prober was killed: there is no reply for the mount.
                    Err(_) => self.ending.push(prober.end()),
                }
            }
        }
    }

    /// Sends a query to an idle prober, or to a new one.
    fn hand(
        &mut self,
        round: &mut Round,
        nth: usize,
        question: &Question<'_>,
    ) -> Result<(), Error> {
        while let Some(prober) = self.idle.pop() {
            match prober::ask(&prober.socket, question.path) {
                Ok(()) => {
                    round.started(nth, prober);
                    return Ok(());
                }
                // It was killed while it was idle.
                Err(_) => self.ending.push(prober.end()),
            }
        }
        let prober = self.start().map_err(|source| Error::System {
            call: "starting a prober for the mounts that may hang",
            source,
        })?;
        match prober::ask(&prober.socket, question.path) {
            Ok(()) => round.started(nth, prober),
            Err(error) => {
                self.ending.push(prober.end());
                round.answer(nth, Err(error));
            }
        }
        Ok(())
    }

    fn start(&self) -> io::Result<Prober> {
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

    /// Takes back probers whose mounts have responded, and reaps ended ones.
    fn tidy(&mut self) {
        if !self.stuck.is_empty() {
            let free = ready(self.stuck.values(), Duration::ZERO);
            let names: Vec<_> =
                free.into_iter().filter_map(|nth| self.stuck.keys().nth(nth).cloned()).collect();
            for prober in names.iter().filter_map(|name| self.stuck.remove(name)) {
                match prober::answer(&prober.socket) {
                    Ok(_) => self.idle.push(prober),
                    Err(_) => self.ending.push(prober.end()),
                }
            }
        }
        self.ending.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }
}

impl Drop for Probers {
    fn drop(&mut self) {
        for prober in self.idle.drain(..).chain(self.stuck.drain().map(|(_, prober)| prober)) {
            let _ = prober.end().kill();
        }
    }
}

impl Prober {
    /// Closes the socket of a prober, which ends it.
    fn end(self) -> Child {
        self.child
    }
}

/// The queries of one scrape.
struct Round {
    answers: Vec<Option<Answer>>,
    waiting: Vec<usize>,
    asked: Vec<Asked>,
}

impl Round {
    fn started(&mut self, nth: usize, prober: Prober) {
        self.waiting.retain(|waiting| *waiting != nth);
        self.asked.push(Asked { nth, since: Instant::now(), prober });
    }

    fn answer(&mut self, nth: usize, answer: Answer) {
        self.waiting.retain(|waiting| *waiting != nth);
        if let Some(place) = self.answers.get_mut(nth) {
            *place = Some(answer);
        }
    }

    /// The next query that does not have to wait for another with the same key.
    fn next<'q>(&self, questions: &'q [Question<'q>]) -> Option<(usize, &'q Question<'q>)> {
        let under_way = |question: &Question<'_>| {
            self.asked
                .iter()
                .filter_map(|asked| questions.get(asked.nth))
                .any(|other| other.together == question.together)
        };
        let mut waiting = self.waiting.iter().filter_map(|nth| Some((*nth, questions.get(*nth)?)));
        waiting.find(|(_, question)| !under_way(question))
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
    ready.map(|(nth, _)| nth).collect()
}

#[cfg(test)]
mod tests;
