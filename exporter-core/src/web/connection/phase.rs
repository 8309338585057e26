//! What a connection is doing, and until when it may.
//!
//! Three parties know: the socket sees bytes, the requests begin and end, and the connection's
//! task waits for whichever limit comes first.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::web::site::Limits;

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Phase {
    state: Mutex<State>,
    header: Duration,
    idle: Duration,
    stall: Duration,
    close: Notify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// TLS is being agreed on.
    Handshake,
    /// Nothing was sent yet.
    FirstByte,
    /// A request has begun but is not complete.
    Header,
    /// Requests are being answered.
    Busy,
    /// All requests so far are answered.
    Idle,
    /// Nothing more is read as a request; what was written is on its way out.
    Closing,
    /// Only waiting for the peer to close, too.
    Lingering,
}

#[derive(Debug)]
struct State {
    stage: Stage,
    since: Instant,
    /// Requests so far.
    begun: u64,
    /// Bytes so far.
    written: u64,
    /// Requests whose answers are not yet made, or not yet written.
    requests: usize,
    /// Of these, the ones whose answers are made.
    answers: usize,
    /// When the first of the answers that are being written was made.
    answering: Instant,
    /// When the socket last took something.
    progress: Instant,
    /// The socket takes nothing more at the moment.
    blocked: bool,
    /// Something that will never be read is on its way.
    refused: bool,
    /// Since when the connection is to end with what is being answered.
    stopping: Option<Instant>,
    evicted: bool,
}

/// How long a connection on which nothing is due any more may take to end.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(1);

impl Phase {
    pub(crate) fn new(stage: Stage, limits: &Limits) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            state: Mutex::new(State {
                stage,
                since: now,
                begun: 0,
                written: 0,
                requests: 0,
                answers: 0,
                answering: now,
                progress: now,
                blocked: false,
                refused: false,
                stopping: None,
                evicted: false,
            }),
            header: limits.header,
            idle: limits.idle,
            stall: limits.stall,
            close: Notify::new(),
        })
    }

    pub(crate) fn stage(&self) -> (Stage, Instant) {
        let state = self.lock();
        (state.stage, state.since)
    }

    /// TLS is agreed on.
    pub(crate) fn secured(&self) {
        self.lock().enter(Stage::FirstByte);
    }

    /// Bytes arrived. In HTTP/2 `frames` they need not be the beginning of a request.
    pub(crate) fn read(&self, frames: bool) {
        let mut state = self.lock();
        match state.stage {
            Stage::FirstByte => state.enter(Stage::Header),
            Stage::Idle if !frames => state.enter(Stage::Header),
            _ => {}
        }
    }

    /// The socket took that many bytes, or none for now.
    pub(crate) fn wrote(&self, bytes: Option<usize>) {
        let mut state = self.lock();
        if bytes.is_some() || !state.blocked {
            // The time in which there was nothing to write does not count.
            state.progress = Instant::now();
        }
        state.blocked = bytes.is_none();
        state.written += bytes.unwrap_or_default() as u64;
    }

    /// A number that moves when a request begins, or when so much of an answer is written that it
    /// cannot all have been replies to pings.
    pub(crate) fn served(&self) -> u64 {
        let state = self.lock();
        state.begun + state.written / 65_536
    }

    /// What follows this request on the connection is not read as one.
    pub(crate) fn refuse(&self) {
        self.lock().refused = true;
    }

    /// A request is complete. It is over when what this returns is dropped.
    pub(crate) fn request(self: &Arc<Self>) -> Pending {
        let mut state = self.lock();
        state.begun += 1;
        state.requests += 1;
        state.enter(Stage::Busy);
        drop(state);
        Pending { phase: Arc::clone(self), answered: false }
    }

    /// No further requests once what is being answered is answered.
    pub(crate) fn stop(&self) {
        self.lock().stopping.get_or_insert_with(Instant::now);
    }

    /// The connection is to be shut. Says whether what the peer still sends must be read and
    /// thrown away: a socket closed with unread input takes back the answer that was sent.
    pub(crate) fn closing(&self) -> bool {
        let mut state = self.lock();
        let unread = state.refused || state.stage == Stage::Header;
        state.enter(Stage::Closing);
        unread
    }

    /// All is said.
    pub(crate) fn lingering(&self) {
        self.lock().enter(Stage::Lingering);
    }

    /// Asks the connection's task to end it as soon as nothing is being answered. False if it was
    /// asked before.
    pub(crate) fn evict(&self) -> bool {
        let first = !std::mem::replace(&mut self.lock().evicted, true);
        if first {
            self.close.notify_one();
        }
        first
    }

    pub(crate) fn is_evicted(&self) -> bool {
        self.lock().evicted
    }

    pub(crate) async fn evicted(&self) {
        self.close.notified().await;
    }

    pub(crate) fn is_busy(&self) -> bool {
        let state = self.lock();
        state.requests > 0 || state.blocked
    }

    /// Waits until a limit has passed, and says in which stage.
    ///
    /// Must be polled after the connection, each time: it is the connection that moves the
    /// limit.
    pub(crate) async fn overdue(&self) -> Stage {
        let mut due = self.due();
        let mut sleep = pin!(sleep_until(due));
        poll_fn(|cx| {
            loop {
                let now_due = self.due();
                if now_due < due {
                    due = now_due;
                    sleep.as_mut().reset(due);
                }
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                if now_due <= Instant::now() {
                    return Poll::Ready(self.stage().0);
                }
                // The limit has moved on since the alarm was set.
                due = now_due;
                sleep.as_mut().reset(due);
            }
        })
        .await
    }

    fn due(&self) -> Instant {
        let state = self.lock();
        let unsent = state.answers > 0 || state.blocked;
        if unsent {
            // Neither no progress at all nor a byte now and then.
            let first = if state.answers > 0 { state.answering } else { state.since };
            return (state.progress + self.stall).min(first + self.idle);
        }
        if let Some(stopping) = state.stopping
            && state.requests == 0
        {
            return state.since.max(stopping) + LAST_WORDS;
        }
        match state.stage {
            Stage::Handshake | Stage::FirstByte | Stage::Header => state.since + self.header,
            // Collectors have limits of their own.
            Stage::Busy => Instant::now() + self.idle,
            Stage::Idle => state.since + self.idle,
            Stage::Closing => state.since + self.stall,
            Stage::Lingering => state.since + LAST_WORDS,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.since = Instant::now();
    }
}

/// A request that has not been answered to its last byte.
#[derive(Debug)]
pub(crate) struct Pending {
    phase: Arc<Phase>,
    answered: bool,
}

impl Pending {
    /// The answer is made; from now on the peer is to take it.
    pub(crate) fn answered(&mut self) {
        let mut state = self.phase.lock();
        if !self.answered {
            self.answered = true;
            let now = Instant::now();
            if state.answers == 0 {
                state.answering = now;
                state.progress = now;
            }
            state.answers += 1;
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut state = self.phase.lock();
        state.requests = state.requests.saturating_sub(1);
        if self.answered {
            state.answers = state.answers.saturating_sub(1);
        }
        if state.requests == 0 && state.stage == Stage::Busy {
            state.enter(Stage::Idle);
        }
    }
}
