//! Guards that measure how long something takes.

use std::ops::Deref;
use std::time::{Duration, Instant};

use super::{Histogram, Summary};

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
