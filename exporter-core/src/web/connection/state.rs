//! The stage of a connection, and its deadline.
//!
//! The stream reports bytes, requests report their begin and end, and the task of the connection
//! waits for the earliest deadline. The connection table reads the state to select a connection to
//! evict.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::web::client_address::ClientAddress;
use crate::web::limits::Limits;

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    pub(super) address: ClientAddress,
    accepted_at: Instant,
    state: Mutex<State>,
    header: Duration,
    idle: Duration,
    stall: Duration,
    evicted: Notify,
    first_request: Notify,
    is_aborted: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The TLS handshake is not complete.
    Handshake,
    /// No bytes received yet.
    FirstByte,
    /// The first request has begun but is not complete.
    Header,
    /// Requests are in progress.
    Busy,
    /// All requests so far are complete.
    Idle,
    /// No more requests are read; the rest of the responses is sent.
    Closing,
    /// Waits for the peer to close.
    Lingering,
}

#[derive(Debug)]
struct State {
    stage: Stage,
    stage_since: Instant,
    /// Whether a request had all configured credentials.
    is_authenticated: bool,
    /// The number of requests so far.
    requests_received: u64,
    /// Requests whose responses are not complete or not sent.
    requests: usize,
    /// Since when the input received so far ends within a request.
    partial_since: Option<Instant>,
    /// Responses that are complete but not sent.
    unsent_responses: usize,
    unsent_bytes: usize,
    /// When the first of the unsent responses was completed.
    unsent_since: Instant,
    /// When another [`MIN_PROGRESS`] bytes of responses were last sent.
    last_progress: Instant,
    /// The response bytes that were sent since then.
    bytes_since_progress: usize,
    /// Bytes of responses so far.
    sent_bytes: u64,
    /// The stream has more to send than the socket takes.
    is_blocked: bool,
    /// Input that will not be read as a request is being received.
    has_unread_input: bool,
    /// Since when the connection waits for the requests in progress to close.
    stopping_since: Option<Instant>,
}

/// The bytes of responses that a client has to read within [`Limits::stall`]. Otherwise, a client
/// could keep a response in memory indefinitely.
const MIN_PROGRESS: usize = 64 * 1024;

/// The time that closing a connection may take.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The rank of a connection; the lowest is evicted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// In any stage.
    Unauthenticated,
    Idle,
    /// The client has to read a response.
    Unsent,
    /// A response is being generated.
    InProgress,
}

impl ConnectionState {
    pub(crate) fn new(stage: Stage, address: ClientAddress, limits: &Limits) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            address,
            accepted_at: now,
            state: Mutex::new(State {
                stage,
                stage_since: now,
                is_authenticated: false,
                requests_received: 0,
                requests: 0,
                partial_since: None,
                unsent_responses: 0,
                unsent_bytes: 0,
                unsent_since: now,
                last_progress: now,
                bytes_since_progress: 0,
                sent_bytes: 0,
                is_blocked: false,
                has_unread_input: false,
                stopping_since: None,
            }),
            header: limits.header,
            idle: limits.idle,
            stall: limits.stall,
            evicted: Notify::new(),
            first_request: Notify::new(),
            is_aborted: AtomicBool::new(false),
        })
    }

    pub(super) fn is_in_handshake(&self) -> bool {
        self.lock().stage == Stage::Handshake
    }

    /// The rank, and the time since when the connection has it.
    pub(super) fn rank(&self) -> (Rank, Instant) {
        let state = self.lock();
        if !state.is_authenticated {
            (Rank::Unauthenticated, self.accepted_at)
        } else if state.unsent_responses > 0 {
            (Rank::Unsent, state.last_progress)
        } else if state.requests > 0 {
            (Rank::InProgress, state.stage_since)
        } else {
            (Rank::Idle, state.stage_since)
        }
    }

    /// The unsent bytes of responses, and the time of the last progress.
    pub(super) fn unsent(&self) -> (usize, Instant) {
        let state = self.lock();
        (state.unsent_bytes, state.last_progress)
    }

    /// The TLS handshake is complete.
    pub(super) fn handshake_completed(&self) {
        self.lock().set_stage(Stage::FirstByte);
    }

    /// A request had all configured credentials.
    pub(crate) fn authenticated(&self) {
        self.lock().is_authenticated = true;
    }

    /// Bytes arrived. `is_partial`: they end within a request.
    pub(super) fn received(&self, is_partial: bool) {
        let mut state = self.lock();
        if state.stage == Stage::FirstByte {
            state.set_stage(Stage::Header);
        }
        state.partial_since = is_partial.then(|| state.partial_since.unwrap_or_else(Instant::now));
    }

    /// The stream sent these bytes of responses. Other bytes, such as replies to pings, do not
    /// count.
    pub(super) fn sent(&self, bytes: usize) {
        let mut state = self.lock();
        state.sent_bytes += bytes as u64;
        state.bytes_since_progress += bytes;
        if state.bytes_since_progress >= MIN_PROGRESS {
            state.bytes_since_progress = 0;
            state.last_progress = Instant::now();
        }
    }

    /// Whether the stream has more to send than the socket takes.
    pub(super) fn blocked(&self, is_blocked: bool) {
        self.lock().is_blocked = is_blocked;
    }

    /// A number that changes with each request, and with each [`MIN_PROGRESS`] bytes of responses,
    /// for which the client has to send window updates.
    pub(super) fn served(&self) -> u64 {
        let state = self.lock();
        state.requests_received + state.sent_bytes / MIN_PROGRESS as u64
    }

    /// Further input on the connection is not read as a request.
    pub(super) fn ignore_further_input(&self) {
        self.lock().has_unread_input = true;
    }

    /// A request was received. It is in progress until the result is dropped.
    pub(super) fn request(self: &Arc<Self>) -> RequestInProgress {
        let mut state = self.lock();
        state.requests_received += 1;
        state.requests += 1;
        state.set_stage(Stage::Busy);
        drop(state);
        self.first_request.notify_one();
        RequestInProgress { connection: Arc::clone(self), unsent: None }
    }

    /// Waits until a request has begun, unless one has already.
    pub(super) async fn first_request(&self) {
        if self.lock().requests_received == 0 {
            self.first_request.notified().await;
        }
    }

    /// No further requests are accepted after those in progress.
    pub(super) fn stop(&self) {
        self.lock().stopping_since.get_or_insert_with(Instant::now);
    }

    /// The connection is to be closed. Returns whether further input must be read and discarded: a
    /// socket that is closed with unread input discards the response that was sent.
    pub(super) fn start_closing(&self) -> bool {
        let mut state = self.lock();
        let is_partial = state.partial_since.is_some() || state.stage == Stage::Header;
        state.set_stage(Stage::Closing);
        state.has_unread_input || is_partial
    }

    /// All responses are sent.
    pub(super) fn start_lingering(&self) {
        self.lock().set_stage(Stage::Lingering);
    }

    /// The remaining response bytes may be discarded.
    pub(super) fn abort(&self) {
        self.is_aborted.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.is_aborted.load(Ordering::Relaxed)
    }

    /// Requests that the task of the connection closes it.
    pub(super) fn evict(&self) {
        self.evicted.notify_one();
    }

    /// Waits for [`Self::evict`].
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Waits until the deadline has passed, and returns the stage.
    ///
    /// Must always be polled after the connection, which moves the deadline.
    pub(super) async fn deadline_passed(&self) -> Stage {
        let mut deadline = self.deadline();
        let mut sleep = pin!(sleep_until(deadline));
        poll_fn(|cx| {
            loop {
                let new_deadline = self.deadline();
                if new_deadline < deadline {
                    deadline = new_deadline;
                    sleep.as_mut().reset(deadline);
                }
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                if new_deadline <= Instant::now() {
                    return Poll::Ready(self.lock().stage);
                }
                // The deadline has moved since the timer was set.
                deadline = new_deadline;
                sleep.as_mut().reset(deadline);
            }
        })
        .await
    }

    fn deadline(&self) -> Instant {
        let state = self.lock();
        if state.unsent_responses > 0 {
            return (state.last_progress + self.stall).min(state.unsent_since + self.idle);
        }
        if let Some(stopping) = state.stopping_since
            && state.requests == 0
        {
            let limit = if state.is_blocked { self.stall } else { CLOSE_TIMEOUT };
            return state.stage_since.max(stopping) + limit;
        }
        match state.stage {
            Stage::Handshake | Stage::FirstByte | Stage::Header => state.stage_since + self.header,
            // Collectors have their own time limits.
            Stage::Busy => Instant::now() + self.idle,
            Stage::Idle => {
                let idle = state.stage_since + self.idle;
                // No input is read while requests are in progress.
                let header =
                    state.partial_since.map(|from| from.max(state.stage_since) + self.header);
                header.map_or(idle, |header| header.min(idle))
            }
            Stage::Closing => state.stage_since + self.stall,
            Stage::Lingering => state.stage_since + CLOSE_TIMEOUT,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set_stage(&mut self, stage: Stage) {
        self.stage = stage;
        self.stage_since = Instant::now();
    }
}

/// A request whose response is not completely sent.
#[derive(Debug)]
pub(crate) struct RequestInProgress {
    connection: Arc<ConnectionState>,
    /// The size of its response, once it is complete.
    unsent: Option<usize>,
}

impl RequestInProgress {
    /// The response is complete; from now on the peer has to read it.
    pub(crate) fn response_completed(&mut self, bytes: usize) {
        if self.unsent.replace(bytes).is_some() {
            return;
        }
        let mut state = self.connection.lock();
        if state.unsent_responses == 0 {
            let now = Instant::now();
            state.unsent_since = now;
            state.last_progress = now;
            state.bytes_since_progress = 0;
        }
        state.unsent_responses += 1;
        state.unsent_bytes += bytes;
    }
}

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        let mut state = self.connection.lock();
        state.requests = state.requests.saturating_sub(1);
        if let Some(bytes) = self.unsent {
            state.unsent_responses = state.unsent_responses.saturating_sub(1);
            state.unsent_bytes = state.unsent_bytes.saturating_sub(bytes);
        }
        if state.requests == 0 && state.stage == Stage::Busy {
            state.set_stage(Stage::Idle);
        }
    }
}
