//! Counters, gauges, histograms and summaries for code that measures itself.
//!
//! All can be statics. What measures keeps no lock while it waits, and never fails:
//!
//! ```
//! use exporter_core::instrument::{Buckets, Counter, Gauge, Histogram, Instruments, Labelled, Metric};
//!
//! static REQUESTS: Labelled<Counter, 1> =
//!     Labelled::counter("app_requests_total", "Requests answered.", ["code"]);
//! static IN_FLIGHT: Metric<Gauge> = Metric::gauge("app_requests_in_flight", "Requests in hand.");
//! static TOOK: Metric<Histogram> = Metric::histogram(
//!     "app_request_duration_seconds",
//!     "How long answers took.",
//!     Buckets::classic(&[0.01, 0.1, 1.0]),
//! );
//!
//! let in_flight = IN_FLIGHT.in_progress();
//! let timer = TOOK.time();
//! REQUESTS.with(["200"]).inc();
//! drop((timer, in_flight));
//!
//! // A collector like any other.
//! let collector = Instruments(&[&REQUESTS, &IN_FLIGHT, &TOOK]);
//! ```

mod counter;
mod float;
mod gauge;
mod histogram;
mod labelled;
mod native;
mod summary;
mod timer;

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

pub use self::counter::Counter;
pub use self::gauge::{Gauge, InProgress};
pub use self::histogram::{Buckets, Histogram};
pub use self::labelled::Labelled;
pub use self::summary::{Summary, Window};
pub use self::timer::{Observe, Timer};
use crate::collector::{Collector, Error};
use crate::exposition::desc::{Desc, Describe, DynDesc};
use crate::exposition::families::{DynFamily, Families};
use crate::exposition::value::Exemplar;

/// One family of instruments: with labels or without.
pub trait Instrument: Describe {
    fn write(&self, out: &mut Families);
}

/// The collector of a list of instruments. They stand on the page in its order.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a list of trait objects")]
pub struct Instruments<'a>(pub &'a [&'a dyn Instrument]);

impl Collector for Instruments<'_> {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        for instrument in self.0 {
            instrument.write(out);
        }
        Ok(())
    }
}

/// An instrument without labels; it is used as what it holds.
#[derive(Debug)]
pub struct Metric<T> {
    desc: Desc<'static>,
    value: T,
}

impl Metric<Counter> {
    /// # Panics
    ///
    /// When `name` cannot be one, as all instruments do: in a static, that is when compiling.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { desc: Desc::counter(name, help, []), value: Counter::new() }
    }
}

impl Metric<Gauge> {
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { desc: Desc::gauge(name, help, []), value: Gauge::new() }
    }
}

impl Metric<Histogram> {
    pub const fn histogram(name: &'static str, help: &'static str, buckets: Buckets) -> Self {
        Self { desc: Desc::histogram(name, help, []), value: Histogram::new(buckets) }
    }
}

impl Metric<Summary> {
    pub const fn summary(name: &'static str, help: &'static str, window: Window) -> Self {
        Self { desc: Desc::summary(name, help, []), value: Summary::new(window) }
    }
}

impl<T> Deref for Metric<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Sync> Describe for Metric<T> {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        self.desc.describe(visit);
    }
}

impl<T: Value> Instrument for Metric<T> {
    fn write(&self, out: &mut Families) {
        self.value.write(&[], &mut out.open(self.desc.as_dyn()));
    }
}

/// What one series of an instrument holds.
pub trait Value: sealed::Sealed + Sync {
    #[doc(hidden)]
    fn write(&self, labels: &[&str], out: &mut DynFamily<'_>);
}

/// A value that is made when its labels are first seen.
pub trait Child: Value + Send + Sized {
    /// What all of a family have in common.
    #[doc(hidden)]
    type Settings: Copy + Send + Sync;

    #[doc(hidden)]
    fn born(settings: Self::Settings, at: SystemTime) -> Self;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::Counter {}
    impl Sealed for super::Gauge {}
    impl Sealed for super::Histogram {}
    impl Sealed for super::Summary {}
}

/// An exemplar as an instrument keeps it.
#[derive(Debug)]
struct Kept {
    labels: Vec<(String, String)>,
    value: f64,
    at: SystemTime,
}

impl Kept {
    fn new(labels: &[(&str, &str)], value: f64) -> Self {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Self { labels: labels.iter().map(owned).collect(), value, at: SystemTime::now() }
    }

    fn labels(&self) -> Vec<(&str, &str)> {
        self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    fn exemplar<'a>(&self, labels: &'a [(&'a str, &'a str)]) -> Exemplar<'a> {
        Exemplar { labels, value: self.value, at: Some(self.at) }
    }
}

/// A panic elsewhere is no reason to stop counting: each change under these locks is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
