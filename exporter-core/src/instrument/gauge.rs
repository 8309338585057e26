//! Values that go up and down.

use std::ops::Deref;
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

    /// Sets the value.
    pub fn set(&self, value: f64) {
        self.0.store(value);
    }

    /// Sets the value to the current Unix time in seconds.
    pub fn set_to_now(&self) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        self.set(now.unwrap_or_default().as_secs_f64());
    }

    /// Adds an amount, which may be negative.
    pub fn add(&self, amount: f64) {
        self.0.add(amount);
    }

    /// Adds 1.
    pub fn inc(&self) {
        self.add(1.0);
    }

    /// Subtracts 1.
    pub fn dec(&self) {
        self.add(-1.0);
    }

    /// The current value.
    pub fn value(&self) -> f64 {
        self.0.load()
    }

    /// Increments the gauge until the returned guard is dropped.
    pub fn in_progress(&self) -> InProgress<&Self> {
        InProgress::new(self)
    }
}

/// Decrements its gauge when it is dropped.
#[derive(Debug)]
#[must_use = "the gauge is decremented when this is dropped"]
pub struct InProgress<G: Deref<Target = Gauge>>(G);

impl<G: Deref<Target = Gauge>> InProgress<G> {
    pub(super) fn new(gauge: G) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl<G: Deref<Target = Gauge>> Drop for InProgress<G> {
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

    fn created((): (), _: SystemTime) -> Self {
        Self::new()
    }
}

impl<const N: usize> Labelled<Gauge, N> {
    /// A family of gauges.
    pub const fn gauge(name: &'static str, help: &'static str, labels: [&'static str; N]) -> Self {
        Self::new(Desc::gauge(name, help, labels), ())
    }
}
