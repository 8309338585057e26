//! Collectors that run less often than they are scraped: their last result is shown again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::outcome::{Failure, Run};
use crate::exposition::families::{Families, Recording};

/// The fraction of the interval by which a scrape may be early and still run the collector: scrapes
/// are never exactly regular.
const TOLERANCE: f64 = 0.02;

/// The interval of a collector, and its last result.
pub(super) struct Interval {
    period: Duration,
    running: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: Option<LastRun>,
    /// The result of the last successful run, or of the last run if none was successful.
    result: Option<CachedResult>,
}

/// The last run, whether it succeeded or not.
struct LastRun {
    /// When the scrape began to run the collectors.
    at: Instant,
    elapsed: Duration,
    /// The error message, and whether the machine lacks what the collector measures.
    failure: Option<(String, bool)>,
}

struct CachedResult {
    at: Instant,
    is_complete: bool,
    recording: Box<Recording>,
}

impl Interval {
    pub(super) fn new(period: Duration) -> Self {
        let period = period.mul_f64(1.0 - TOLERANCE);
        Self { period, running: tokio::sync::Mutex::default(), state: Mutex::default() }
    }

    /// Locks the collector: only one scrape at a time may run it.
    pub(super) async fn lock(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.running.lock().await
    }

    /// The last run, or `None` if the next one is due.
    pub(super) fn cached_run(
        &self,
        member: usize,
        families: impl FnOnce() -> Families,
    ) -> Option<Run> {
        let state = self.state();
        let last = state.last.as_ref().filter(|last| last.at.elapsed() < self.period)?;
        let failure = last.failure.clone();
        let failure = failure.map(|(message, is_absence)| Failure::Earlier { message, is_absence });
        let mut run =
            Run { member, elapsed: last.elapsed, out: None, failure, age: None, is_cached: true };
        state.write_cached(&mut run, families);
        Some(run)
    }

    /// Stores a run of a scrape that started at `at`. If the run failed, its output is replaced by
    /// the last complete result. A run that was cut short is not stored.
    pub(super) fn store(&self, run: &mut Run, at: Instant, families: impl FnOnce() -> Families) {
        let mut state = self.state();
        if !run.is_cut_short() {
            let failure = run.failure.as_ref();
            let failure = failure.map(|failure| (failure.to_string(), failure.is_absence()));
            state.last = Some(LastRun { at, elapsed: run.elapsed, failure });
        }
        let is_complete = run.failure.is_none();
        let recording = run.out.as_mut().and_then(Families::take_recording);
        let has_complete_result =
            !is_complete && state.result.as_ref().is_some_and(|old| old.is_complete);
        match recording {
            Some(recording) if !has_complete_result => {
                state.result = Some(CachedResult { at, is_complete, recording });
                run.age = Some(at.elapsed());
            }
            _ => state.write_cached(run, families),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write_cached(&self, run: &mut Run, families: impl FnOnce() -> Families) {
        if let Some(result) = &self.result {
            let mut out = families();
            result.recording.write(&mut out);
            run.out = Some(out);
            run.age = Some(result.at.elapsed());
        }
    }
}
