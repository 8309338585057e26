//! Collectors that run less often than they are scraped: their last result is shown again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::outcome::{Failure, Run};
use crate::exposition::families::{Families, Recording};

/// A scrape that comes this much too early, in proportion to the interval, still runs the
/// collector: scrapes are never quite regular.
const TOLERANCE: f64 = 0.02;

/// The interval of a collector, and its last result.
pub(super) struct Interval {
    every: Duration,
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: Option<LastRun>,
    /// Of the last run that succeeded, or of the last one if none did.
    result: Option<KeptResult>,
}

/// The last run, whether it succeeded or not.
struct LastRun {
    /// When the scrape began to run the collectors.
    at: Instant,
    elapsed: Duration,
    /// Its message, and whether it is an absence.
    failure: Option<(String, bool)>,
}

struct KeptResult {
    at: Instant,
    is_complete: bool,
    recording: Box<Recording>,
}

impl Interval {
    pub(super) fn new(every: Duration) -> Self {
        let every = every.mul_f64(1.0 - TOLERANCE);
        Self { every, turn: tokio::sync::Mutex::default(), state: Mutex::default() }
    }

    /// Waits until no other scrape runs the collector.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The last run, unless the next one is due.
    pub(super) fn earlier_run(
        &self,
        member: usize,
        families: impl FnOnce() -> Families,
    ) -> Option<Run> {
        let state = self.state();
        let last = state.last.as_ref().filter(|last| last.at.elapsed() < self.every)?;
        let failure = last.failure.clone();
        let failure = failure.map(|(message, is_absence)| Failure::Earlier { message, is_absence });
        let mut run =
            Run { member, elapsed: last.elapsed, out: None, failure, age: None, is_earlier: true };
        state.show(&mut run, families);
        Some(run)
    }

    /// Keeps a run of a scrape that ran the collectors from `at` on. If the run failed, it shows the
    /// last complete result instead. A run that was cut short does not count.
    pub(super) fn keep(&self, run: &mut Run, at: Instant, families: impl FnOnce() -> Families) {
        let mut state = self.state();
        if !run.is_cut_short() {
            let failure = run.failure.as_ref();
            let failure = failure.map(|failure| (failure.to_string(), failure.is_absence()));
            state.last = Some(LastRun { at, elapsed: run.elapsed, failure });
        }
        let is_complete = run.failure.is_none();
        let recording = run.out.as_mut().and_then(Families::take_recording);
        let has_better = !is_complete && state.result.as_ref().is_some_and(|old| old.is_complete);
        match recording {
            Some(recording) if !has_better => {
                state.result = Some(KeptResult { at, is_complete, recording });
                run.age = Some(at.elapsed());
            }
            _ => state.show(run, families),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn show(&self, run: &mut Run, families: impl FnOnce() -> Families) {
        if let Some(result) = &self.result {
            let mut out = families();
            result.recording.write(&mut out);
            run.out = Some(out);
            run.age = Some(result.at.elapsed());
        }
    }
}
