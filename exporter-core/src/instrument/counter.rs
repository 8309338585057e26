//! What only goes up.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use super::float::Float;
use super::{Child, Kept, Labelled, Value, lock};
use crate::exposition::desc::Desc;
use crate::exposition::families::DynFamily;
use crate::exposition::value::CounterValue;
use crate::kernel::process;

/// A counter. Whole numbers are counted apart from fractions, so that [`Counter::inc`] is one
/// atomic addition.
#[derive(Debug)]
pub struct Counter {
    whole: AtomicU64,
    fraction: Float,
    /// None for a static: it is as old as the process.
    born: Option<SystemTime>,
    exemplar: Mutex<Option<Kept>>,
}

impl Counter {
    pub(super) const fn new() -> Self {
        Self {
            whole: AtomicU64::new(0),
            fraction: Float::zero(),
            born: None,
            exemplar: Mutex::new(None),
        }
    }

    pub fn inc(&self) {
        self.whole.fetch_add(1, Relaxed);
    }

    pub fn inc_by(&self, count: u64) {
        self.whole.fetch_add(count, Relaxed);
    }

    /// Adds an amount. One that is negative or no number is ignored.
    pub fn add(&self, amount: f64) {
        if amount >= 0.0 {
            self.fraction.add(amount);
        }
    }

    /// As [`Counter::add`], and keeps the amount as the counter's exemplar. `labels` lead to the
    /// trace; with more than 128 letters in them there is no exemplar.
    pub fn add_traced(&self, amount: f64, labels: &[(&str, &str)]) {
        if amount >= 0.0 {
            self.add(amount);
            *lock(&self.exemplar) = Some(Kept::new(labels, amount));
        }
    }

    pub fn value(&self) -> f64 {
        self.whole.load(Relaxed) as f64 + self.fraction.load()
    }
}

impl Value for Counter {
    fn write(&self, labels: &[&str], out: &mut DynFamily<'_>) {
        let exemplar = lock(&self.exemplar);
        let traced = exemplar.as_ref().map(Kept::labels).unwrap_or_default();
        let value = CounterValue {
            value: self.value(),
            created: Some(self.born.unwrap_or_else(process::started)),
            exemplar: exemplar.as_ref().map(|kept| kept.exemplar(&traced)),
        };
        out.counter(labels, &value);
    }
}

impl Child for Counter {
    type Settings = ();

    fn born((): (), at: SystemTime) -> Self {
        Self { born: Some(at), ..Self::new() }
    }
}

impl<const N: usize> Labelled<Counter, N> {
    pub const fn counter(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Self {
        Self::new(Desc::counter(name, help, labels), ())
    }
}
