//! How long something takes.

use std::time::{Duration, Instant};

use super::{Histogram, Summary};

/// What takes observations.
pub trait Observe {
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

/// Observes the seconds from its making until it is dropped.
#[derive(Debug)]
#[must_use = "it ends when this is dropped"]
pub struct Timer<'a, T: Observe> {
    /// None once it has ended.
    into: Option<&'a T>,
    start: Instant,
}

impl<'a, T: Observe> Timer<'a, T> {
    pub(super) fn new(into: &'a T) -> Self {
        Self { into: Some(into), start: Instant::now() }
    }

    /// Ends it now, and says how long it took.
    pub fn stop(mut self) -> Duration {
        self.end()
    }

    /// Ends it without an observation.
    pub fn discard(mut self) {
        self.into = None;
    }

    fn end(&mut self) -> Duration {
        let took = self.start.elapsed();
        if let Some(into) = self.into.take() {
            into.observe(took.as_secs_f64());
        }
        took
    }
}

impl<T: Observe> Drop for Timer<'_, T> {
    fn drop(&mut self) {
        self.end();
    }
}
