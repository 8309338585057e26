//! What goes up and down.

use std::time::SystemTime;

use super::float::Float;
use super::{Child, Labelled, Value};
use crate::exposition::desc::Desc;
use crate::exposition::families::DynFamily;

/// A gauge: one atomic float.
#[derive(Debug)]
pub struct Gauge(Float);

impl Gauge {
    pub(super) const fn new() -> Self {
        Self(Float::zero())
    }

    pub fn set(&self, value: f64) {
        self.0.store(value);
    }

    /// Sets it to the time of day, in seconds since 1970.
    pub fn set_to_now(&self) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        self.set(now.unwrap_or_default().as_secs_f64());
    }

    pub fn add(&self, amount: f64) {
        self.0.add(amount);
    }

    pub fn inc(&self) {
        self.add(1.0);
    }

    pub fn dec(&self) {
        self.add(-1.0);
    }

    pub fn value(&self) -> f64 {
        self.0.load()
    }

    /// Counts one more until the guard is dropped.
    pub fn in_progress(&self) -> InProgress<'_> {
        self.inc();
        InProgress(self)
    }
}

/// One thing in progress.
#[derive(Debug)]
#[must_use = "it ends when this is dropped"]
pub struct InProgress<'a>(&'a Gauge);

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Value for Gauge {
    fn write(&self, labels: &[&str], out: &mut DynFamily<'_>) {
        out.sample(labels, self.value());
    }
}

impl Child for Gauge {
    type Settings = ();

    fn born((): (), _: SystemTime) -> Self {
        Self::new()
    }
}

impl<const N: usize> Labelled<Gauge, N> {
    pub const fn gauge(name: &'static str, help: &'static str, labels: [&'static str; N]) -> Self {
        Self::new(Desc::gauge(name, help, labels), ())
    }
}
