//! Guards that measure how long something takes.

use std::ops::Deref;
use std::time::{Duration, Instant};

use super::labelled::Labelled;
use super::{Child, Histogram, Summary};

/// An instrument that takes observations.
pub trait Observe {
    /// Records one observation.
    fn observe(&self, value: f64);
}

impl Observe for Histogram {
    fn observe(&self, value: f64) {
        Self::observe(self, value);
    }
}

impl Observe for Summary {
    fn observe(&self, value: f64) {
        Self::observe(self, value);
    }
}

/// Records the elapsed seconds when it is dropped.
///
/// It holds a reference to a static instrument, or shares the instrument of a label set, so that
/// `TOOK.with(["GET"]).time()` can be kept.
#[derive(Debug)]
#[must_use = "the time is recorded when this is dropped"]
pub struct Timer<I: Deref<Target: Observe>> {
    /// `None` once the time is recorded or discarded.
    instrument: Option<I>,
    start: Instant,
}

impl<I: Deref<Target: Observe>> Timer<I> {
    pub(super) fn new(instrument: I) -> Self {
        Self { instrument: Some(instrument), start: Instant::now() }
    }

    /// Records the time now, and returns it.
    pub fn stop(mut self) -> Duration {
        self.record()
    }

    /// Drops the timer without an observation.
    pub fn discard(mut self) {
        self.instrument = None;
    }

    fn record(&mut self) -> Duration {
        let elapsed = self.start.elapsed();
        if let Some(instrument) = self.instrument.take() {
            instrument.observe(elapsed.as_secs_f64());
        }
        elapsed
    }
}

impl<I: Deref<Target: Observe>> Drop for Timer<I> {
    fn drop(&mut self) {
        self.record();
    }
}

/// A timer whose labels are known only at the end, such as a status. Without
/// [`stop`](Self::stop) nothing is recorded.
#[derive(Debug)]
#[must_use = "call `stop` with the label values to record the time"]
pub struct LabelledTimer<'a, T: Child + Observe, const N: usize> {
    family: &'a Labelled<T, N>,
    start: Instant,
}

impl<'a, T: Child + Observe, const N: usize> LabelledTimer<'a, T, N> {
    pub(super) fn new(family: &'a Labelled<T, N>) -> Self {
        Self { family, start: Instant::now() }
    }

    /// Records the elapsed seconds under these label values, and returns the time.
    pub fn stop(self, labels: [&str; N]) -> Duration {
        let elapsed = self.start.elapsed();
        self.family.with(labels).observe(elapsed.as_secs_f64());
        elapsed
    }
}
