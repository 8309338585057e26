//! The place of one collector in the registry.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::outcome::{Failure, Last, Outcome, Run};
use crate::collector::{AsyncCollector, Collector, Error, Source};
use crate::exposition::families::Families;

pub(super) struct Slot {
    pub(super) name: &'static str,
    /// Its name in the metrics.
    pub(super) label: String,
    about: &'static str,
    pub(super) seat: Seat,
    history: Mutex<History>,
}

#[derive(Default)]
struct History {
    last: Option<Last>,
    /// When a failure was last logged as a warning.
    warned: Option<Instant>,
    /// Whether such a failure is not yet over.
    is_failing: bool,
}

/// At most one warning for each collector in this time: how often a collector runs, and for how
/// long it may, is up to clients.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// A collector that was stopped earlier than this, because the scrape had no more time, did not fail.
const SHORT: Duration = Duration::from_secs(1);

pub(super) enum Seat {
    Blocking(Arc<Chair>),
    Async(tokio::sync::Mutex<Box<dyn AsyncCollector>>),
}

/// Holds a blocking collector while it does not run. Empty for as long as a run is under way, be
/// it one that was given up long ago.
pub(super) struct Chair {
    collector: Mutex<Option<Box<dyn Collector>>>,
    /// What the last run wrote, for the next to write over.
    spent: Mutex<Families>,
}

type Result<T = (Families, std::result::Result<(), Error>)> = std::result::Result<T, Failure>;

impl Slot {
    pub(super) fn new(
        name: &'static str,
        label: String,
        about: &'static str,
        source: Source,
    ) -> Self {
        let seat = match source {
            Source::Blocking(collector) => {
                let collector = Mutex::new(Some(collector));
                Seat::Blocking(Arc::new(Chair { collector, spent: Mutex::default() }))
            }
            Source::Async(collector) => Seat::Async(tokio::sync::Mutex::new(collector)),
        };
        Self { name, label, about, seat, history: Mutex::default() }
    }

    pub(super) fn blocking(&self) -> Option<Arc<Chair>> {
        match &self.seat {
            Seat::Blocking(chair) => Some(Arc::clone(chair)),
            Seat::Async(_) => None,
        }
    }

    /// Takes back what a run wrote, now that it is on its page.
    pub(super) fn recycle(&self, out: Families) {
        if let Seat::Blocking(chair) = &self.seat {
            *chair.spent.lock().unwrap_or_else(PoisonError::into_inner) = out;
        }
    }

    /// Runs an async collector, behind the scrapes that came before.
    pub(super) async fn wait(&self, mut out: Families) -> Result {
        let Seat::Async(collector) = &self.seat else { return Err(Failure::Stuck) };
        let mut collector = collector.lock().await;
        match AssertUnwindSafe(collector.collect(&mut out)).catch_unwind().await {
            Ok(end) => Ok((out, end)),
            Err(panic) => Err(Failure::Panic(message(panic.as_ref()))),
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        let last = self.history().last.clone();
        Outcome { name: self.name, about: self.about, last }
    }

    /// Remembers a run, and logs it where it differs from the one before.
    pub(super) fn note(&self, run: &Run) {
        let mut history = self.history();
        let failed_before = history.last.as_ref().is_some_and(|last| last.result.is_err());
        let error = run.failure.as_ref().map(ToString::to_string);
        let cut_short = matches!(run.failure, Some(Failure::Deadline)) && run.elapsed < SHORT;
        let absent = run.failure.as_ref().is_some_and(Failure::is_absence);
        match &error {
            Some(error) => {
                let is_recent =
                    history.warned.is_some_and(|warned| warned.elapsed() < WARN_INTERVAL);
                if absent || failed_before || cut_short || is_recent {
                    tracing::debug!(collector = self.name, error, "collector has no result");
                } else {
                    history.warned = Some(Instant::now());
                    history.is_failing = true;
                    tracing::warn!(collector = self.name, error, "collector failed");
                }
            }
            None if history.is_failing => {
                history.is_failing = false;
                tracing::info!(collector = self.name, "collector recovered");
            }
            None => {}
        }
        if !cut_short {
            let result = error.map_or(Ok(()), Err);
            history.last = Some(Last { elapsed: run.elapsed, result, absent });
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chair {
    /// Runs the collector that sits here, unless an earlier run still has it.
    pub(super) fn run(&self, out: Families) -> Result {
        let seat = || self.collector.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = mem::take(&mut *self.spent.lock().unwrap_or_else(PoisonError::into_inner));
        let mut out = out.reusing(spent);
        let mut collector = seat().take().ok_or(Failure::Stuck)?;
        let end = catch_unwind(AssertUnwindSafe(|| collector.collect(&mut out)));
        *seat() = Some(collector);
        match end {
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
