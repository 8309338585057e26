//! Values that only go up.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use super::exemplar::StoredExemplar;
use super::float::Float;
use super::start::start_time;
use super::{Child, Labelled, Value, lock};
use crate::exposition::desc::Desc;
use crate::exposition::families::DynFamily;
use crate::exposition::value::CounterValue;

/// A counter. Integers and fractions are stored separately, so that [`Counter::inc`] is one atomic
/// addition.
#[derive(Debug)]
pub struct Counter {
    whole: AtomicU64,
    fraction: Float,
    /// `None` in a static, which exists since the start of the process.
    created: Option<SystemTime>,
    exemplar: Mutex<Option<StoredExemplar>>,
}

impl Counter {
    pub(super) const fn new() -> Self {
        Self {
            whole: AtomicU64::new(0),
            fraction: Float::zero(),
            created: None,
            exemplar: Mutex::new(None),
        }
    }

    /// Adds 1.
    pub fn inc(&self) {
        self.whole.fetch_add(1, Relaxed);
    }

    /// Adds a whole number.
    pub fn inc_by(&self, count: u64) {
        self.whole.fetch_add(count, Relaxed);
    }

    /// Adds an amount. A negative amount or NaN is ignored.
    pub fn add(&self, amount: f64) {
        if amount >= 0.0 {
            self.fraction.add(amount);
        }
    }

    /// As [`Counter::add`], and keeps the amount as the exemplar of the counter. `labels` identify
    /// the trace, such as `[("trace_id", "...")]`; an exemplar whose labels have more than 128
    /// characters is not exposed.
    pub fn add_with_exemplar(&self, amount: f64, labels: &[(&str, &str)]) {
        if amount >= 0.0 {
            self.add(amount);
            *lock(&self.exemplar) = Some(StoredExemplar::new(labels, amount));
        }
    }

    /// Raises the counter to a value of another counter, unless it is there already. Use it alone,
    /// without the functions that add.
    ///
    /// ```
    /// use exporter_core::instrument::{Counter, Metric};
    ///
    /// static PACKETS: Metric<Counter> = Metric::counter("app_packets_total", "Packets sent.");
    ///
    /// PACKETS.raise_to(7);
    /// PACKETS.raise_to(6);
    /// assert_eq!(PACKETS.value(), 7.0);
    /// ```
    pub fn raise_to(&self, count: u64) {
        self.whole.fetch_max(count, Relaxed);
    }

    /// The current value.
    pub fn value(&self) -> f64 {
        self.whole.load(Relaxed) as f64 + self.fraction.load()
    }
}

impl Value for Counter {
    fn write(&self, labels: &[&str], out: &mut DynFamily<'_>) {
        let exemplar = lock(&self.exemplar);
        let exemplar_labels = exemplar.as_ref().map(StoredExemplar::labels).unwrap_or_default();
        let value = CounterValue {
            value: self.value(),
            created: Some(self.created.unwrap_or_else(start_time)),
            exemplar: exemplar.as_ref().map(|stored| stored.exemplar(&exemplar_labels)),
        };
        out.counter(labels, &value);
    }
}

impl Child for Counter {
    type Settings = ();

    fn created((): (), at: SystemTime) -> Self {
        Self { created: Some(at), ..Self::new() }
    }
}

impl<const N: usize> Labelled<Counter, N> {
    /// A family of counters. The name should end with `_total`: without it, `OpenMetrics` gets a
    /// family of type `unknown`.
    pub const fn counter(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Self {
        Self::new(Desc::counter(name, help, labels), ())
    }
}
