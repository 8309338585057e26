//! Counters, gauges, histograms and summaries to instrument a program.
//!
//! All of them can be statics. They can be used from any thread, and never fail:
//!
//! ```
//! use exporter_core::encode;
//! use exporter_core::format::{Escaping, Format};
//! use exporter_core::instrument::{Buckets, Counter, Gauge, Histogram, Labelled, Metric};
//!
//! static REQUESTS: Labelled<Counter, 1> =
//!     Labelled::counter("app_requests_total", "Requests answered.", ["code"]);
//! static IN_PROGRESS: Metric<Gauge> =
//!     Metric::gauge("app_requests_in_progress", "Requests that are being answered.");
//! static TOOK: Labelled<Histogram, 1> = Labelled::histogram(
//!     "app_request_duration_seconds",
//!     "Time to answer a request.",
//!     ["method"],
//!     Buckets::classic(&[0.01, 0.1, 1.0]),
//! )
//! .with_unit("seconds");
//!
//! {
//!     let _in_progress = IN_PROGRESS.in_progress();
//!     let _timer = TOOK.with(["GET"]).time();
//!     // ... answer the request ...
//!     REQUESTS.with(["200"]).inc();
//! }
//!
//! let page = encode(&[&REQUESTS, &IN_PROGRESS, &TOOK], Format::Text004, Escaping::Underscores);
//! assert!(String::from_utf8_lossy(&page).contains("app_requests_total{code=\"200\"} 1\n"));
//! ```
//!
//! [`Instruments`] makes a collector of a list of them, for an exporter.

mod counter;
mod exemplar;
mod float;
mod from_fn;
mod gauge;
mod histogram;
mod info;
mod labelled;
mod native;
mod start;
mod summary;
mod timer;

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

pub use self::counter::Counter;
pub use self::from_fn::FromFn;
pub use self::gauge::{Gauge, InProgress};
pub use self::histogram::{Buckets, Histogram};
pub use self::info::{Info, StateSet};
#[cfg(feature = "metrics")]
pub(crate) use self::labelled::REFUSED;
pub use self::labelled::{Labelled, LabelledTimer, Series};
#[cfg(feature = "process")]
pub(crate) use self::start::start_time;
pub use self::summary::{Summary, Window};
pub use self::timer::{Observe, Timer};
use crate::collector::{Collector, Error};
use crate::exposition;
use crate::exposition::desc::{Desc, Describe, DynDesc};
use crate::exposition::families::{DynFamily, Families};
use crate::exposition::format::{Escaping, Format};

/// A family of metrics that can be written to a page at any time.
///
/// Implement it for your own types to expose families that are made at run time.
pub trait Instrument: Describe {
    /// Writes the current values.
    fn write(&self, out: &mut Families);
}

/// Writes a page of these instruments, in their order: synchronously, without a registry or a
/// runtime. Send it with the content type of [`Format::content_type`].
///
/// Of two families with one name, the second is left out unless type and labels are the same.
pub fn encode(instruments: &[&dyn Instrument], format: Format, escaping: Escaping) -> Vec<u8> {
    let mut out = Families::new(format, escaping);
    let (format, escaping) = (out.format, out.escaping);
    for instrument in instruments {
        instrument.write(&mut out);
    }
    exposition::join(&[out], format, escaping).0
}

/// The collector of a list of instruments, which are exposed in its order.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a list of trait objects")]
pub struct Instruments(Vec<&'static dyn Instrument>);

impl Instruments {
    /// A collector of these instruments.
    pub fn new<const N: usize>(instruments: [&'static dyn Instrument; N]) -> Self {
        Self(instruments.into())
    }
}

impl Collector for Instruments {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        for instrument in &self.0 {
            instrument.write(out);
        }
        Ok(())
    }
}

/// An instrument without labels. It dereferences to the instrument.
#[derive(Debug)]
pub struct Metric<T> {
    desc: Desc<'static>,
    value: T,
}

impl Metric<Counter> {
    /// A counter. The name should end with `_total`: without it, `OpenMetrics` gets a family of
    /// type `unknown`.
    ///
    /// # Panics
    ///
    /// Panics, as the other constructors do, if the name is invalid; in a static, the program does
    /// not compile.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { desc: Desc::counter(name, help, []), value: Counter::new() }
    }
}

impl Metric<Gauge> {
    /// A gauge.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { desc: Desc::gauge(name, help, []), value: Gauge::new() }
    }
}

impl Metric<Histogram> {
    /// A histogram.
    pub const fn histogram(name: &'static str, help: &'static str, buckets: Buckets) -> Self {
        Self { desc: Desc::histogram(name, help, []), value: Histogram::new(buckets) }
    }
}

impl Metric<Summary> {
    /// A summary.
    pub const fn summary(name: &'static str, help: &'static str, window: Window) -> Self {
        Self { desc: Desc::summary(name, help, []), value: Summary::new(window) }
    }
}

impl<T> Metric<T> {
    /// Declares the unit of the values, for formats that carry it: see [`Desc::with_unit`].
    ///
    /// # Panics
    ///
    /// Panics if the name of the family does not end with the unit; in a static, the program does
    /// not compile.
    #[must_use]
    pub const fn with_unit(mut self, unit: &'static str) -> Self {
        self.desc = self.desc.with_unit(unit);
        self
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
        self.value.write(&[], &mut out.open_desc(&self.desc));
    }
}

/// The value of one series.
pub trait Value: sealed::Sealed + Sync {
    #[doc(hidden)]
    fn write(&self, labels: &[&str], out: &mut DynFamily<'_>);
}

/// A value that is created when its labels are first used.
pub trait Child: Value + Send + Sized {
    /// What all values of a family share.
    #[doc(hidden)]
    type Settings: Copy + std::fmt::Debug + Send + Sync;

    #[doc(hidden)]
    fn created(settings: Self::Settings, at: SystemTime) -> Self;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::Counter {}
    impl Sealed for super::Gauge {}
    impl Sealed for super::Histogram {}
    impl Sealed for super::Summary {}
}

/// Ignores poisoning: every change under these locks is complete.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
