//! A collector of a registry, with the result of its last run.

use std::any::Any;
use std::borrow::Cow;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::interval::Interval;
use super::outcome::{Failure, Last, Outcome, Run};
use crate::collector::{AsyncCollector, Collector, Error, Source};
use crate::exposition::families::Families;

pub(super) struct Member {
    /// A unique ID, which is never reused in this registry.
    pub(super) id: u64,
    pub(super) name: Cow<'static, str>,
    /// Its name in the metrics.
    pub(super) label: String,
    about: Cow<'static, str>,
    pub(super) source: MemberSource,
    /// How often it runs at most.
    pub(super) interval: Option<Interval>,
    history: Mutex<History>,
}

#[derive(Default)]
struct History {
    last: Option<Last>,
    /// The failures that were logged as warnings, with the time.
    warned: Vec<(Instant, String)>,
    /// Whether such a failure persists.
    is_failing: bool,
}

/// A repeated failure for the same reason is logged at most once in this time: clients determine
/// how often a collector runs.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// The maximum number of reasons that are logged for one failure: a message may contain a number
/// that changes.
const MAX_REASONS: usize = 8;

pub(super) enum MemberSource {
    Blocking(Arc<BlockingCollector>),
    Async(tokio::sync::Mutex<Box<dyn AsyncCollector>>),
}

/// A blocking collector. `None` while it runs, even after its scrape has ended.
pub(super) struct BlockingCollector {
    collector: Mutex<Option<Box<dyn Collector>>>,
    /// The output of the last run, whose buffers the next run reuses.
    reused_output: Mutex<Families>,
    /// Whether the output is recorded, to be exposed again.
    is_recorded: bool,
}

type Result<T = (Families, std::result::Result<(), Error>)> = std::result::Result<T, Failure>;

impl Member {
    pub(super) fn new(
        id: u64,
        name: Cow<'static, str>,
        label: String,
        about: Cow<'static, str>,
        source: Source,
        interval: Option<Interval>,
    ) -> Self {
        let is_recorded = interval.is_some();
        let source = match source {
            Source::Blocking(collector) => {
                let collector = Mutex::new(Some(collector));
                let collector =
                    BlockingCollector { collector, reused_output: Mutex::default(), is_recorded };
                MemberSource::Blocking(Arc::new(collector))
            }
            Source::Async(collector) => MemberSource::Async(tokio::sync::Mutex::new(collector)),
        };
        Self { id, name, label, about, source, interval, history: Mutex::default() }
    }

    pub(super) fn blocking(&self) -> Option<Arc<BlockingCollector>> {
        match &self.source {
            MemberSource::Blocking(collector) => Some(Arc::clone(collector)),
            MemberSource::Async(_) => None,
        }
    }

    /// Takes back the output of a run after the page was written, to reuse its buffers.
    pub(super) fn recycle(&self, out: Families) {
        if let MemberSource::Blocking(collector) = &self.source {
            *collector.reused_output.lock().unwrap_or_else(PoisonError::into_inner) = out;
        }
    }

    /// Runs an async collector, after those of earlier scrapes.
    pub(super) async fn run_async(&self, mut out: Families) -> Result {
        let MemberSource::Async(collector) = &self.source else { return Err(Failure::Stuck) };
        if self.interval.is_some() {
            out.record();
        }
        let mut collector = collector.lock().await;
        match AssertUnwindSafe(collector.collect(&mut out)).catch_unwind().await {
            Ok(end) => Ok((out, end)),
            Err(panic) => Err(Failure::Panic(message(panic.as_ref()))),
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        let last = self.history().last.clone();
        Outcome { name: self.name.clone(), about: self.about.clone(), last }
    }

    /// How long the last run took; zero before the first one.
    pub(super) fn last_elapsed(&self) -> Duration {
        self.history().last.as_ref().map_or(Duration::ZERO, |last| last.elapsed)
    }

    /// The last run, or `None` if the next one is due.
    pub(super) fn cached_run(
        &self,
        member: usize,
        families: impl FnOnce() -> Families,
    ) -> Option<Run> {
        self.interval.as_ref()?.cached_run(member, families)
    }

    /// Stores a run for the scrapes until the next run is due.
    pub(super) fn store(&self, run: &mut Run, at: Instant, families: impl FnOnce() -> Families) {
        if let Some(interval) = &self.interval {
            interval.store(run, at, families);
        }
    }

    /// Stores the result of a run, and logs it if it differs from that of the run before.
    pub(super) fn record(&self, run: &Run) {
        if run.is_cached {
            return;
        }
        let mut history = self.history();
        let error = run.failure.as_ref().map(ToString::to_string);
        let is_cut_short = run.is_cut_short();
        let absent = run.is_absence();
        let name = &*self.name;
        match &error {
            Some(error) => {
                // For a collector that is failing already, these add no information.
                let is_repetition = matches!(run.failure, Some(Failure::Deadline | Failure::Stuck));
                let is_known = is_repetition && history.is_failing || !history.is_new_reason(error);
                if absent || is_cut_short || is_known {
                    tracing::debug!(collector = name, error, "collector has no result");
                } else {
                    history.warned.push((Instant::now(), error.clone()));
                    history.is_failing = true;
                    tracing::warn!(collector = name, error, "collector failed");
                }
            }
            None if history.is_failing => {
                history.is_failing = false;
                tracing::info!(collector = name, "collector recovered");
            }
            None => {}
        }
        if !is_cut_short {
            let result = error.map_or(Ok(()), Err);
            history.last = Some(Last { elapsed: run.elapsed, result, absent });
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    /// Whether a failure has to be logged: once for each reason, as long as the collector fails.
    fn is_new_reason(&mut self, error: &str) -> bool {
        if !self.is_failing {
            self.warned.retain(|(warned, _)| warned.elapsed() < WARN_INTERVAL);
        }
        self.warned.len() < MAX_REASONS && self.warned.iter().all(|(_, known)| known != error)
    }
}

impl BlockingCollector {
    /// Runs the collector, unless an earlier run has not returned.
    pub(super) fn run(&self, out: Families) -> Result {
        let collector = || self.collector.lock().unwrap_or_else(PoisonError::into_inner);
        let reused_output =
            mem::take(&mut *self.reused_output.lock().unwrap_or_else(PoisonError::into_inner));
        let mut out = out.reusing(reused_output);
        if self.is_recorded {
            out.record();
        }
        let mut running = collector().take().ok_or(Failure::Stuck)?;
        let result = catch_unwind(AssertUnwindSafe(|| running.collect(&mut out)));
        *collector() = Some(running);
        match result {
            Ok(end) => Ok((out, end)),
            Err(panic) => Err(Failure::Panic(message(panic.as_ref()))),
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
