//! One instrument for each set of label values.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant, SystemTime};

use super::gauge::{Gauge, InProgress};
use super::timer::{Observe, Timer};
use super::{Child, Instrument};
use crate::exposition::desc::{Desc, Describe, DynDesc};
use crate::exposition::families::Families;

pub(crate) static REFUSED: Desc<1> = Desc::counter(
    "instrument_refused_label_sets_total",
    "Requests for a label set that an instrument did not have when it was at its limit.",
    ["family"],
);

/// A family of instruments, one for each set of label values.
///
/// An instrument is created when its label values are first used, and stays until it is removed.
/// Take label values from a small set, never from what clients send; or set a limit with
/// [`at_most`](Self::at_most).
///
/// ```
/// use exporter_core::instrument::{Counter, Labelled};
///
/// static REQUESTS: Labelled<Counter, 2> =
///     Labelled::counter("app_requests_total", "Requests answered.", ["method", "code"]);
///
/// REQUESTS.with(["GET", "200"]).inc();
/// ```
#[derive(Debug)]
pub struct Labelled<T: Child, const N: usize> {
    desc: Desc<'static, N>,
    settings: T::Settings,
    max: usize,
    refused: AtomicU64,
    series: RwLock<BTreeMap<Values<N>, Arc<T>>>,
}

impl<T: Child, const N: usize> Labelled<T, N> {
    pub(super) const fn new(desc: Desc<'static, N>, settings: T::Settings) -> Self {
        let (max, refused) = (usize::MAX, AtomicU64::new(0));
        Self { desc, settings, max, refused, series: RwLock::new(BTreeMap::new()) }
    }

    /// Limits the number of label sets. At the limit, [`with`](Self::with) returns an instrument
    /// that works but is not exposed, and `instrument_refused_label_sets_total` counts it.
    #[must_use]
    pub const fn at_most(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

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

    #[cfg(feature = "tower")]
    pub(crate) const fn set_max(&mut self, max: usize) {
        self.max = max;
    }

    #[cfg(feature = "tower")]
    pub(crate) const fn set_settings(&mut self, settings: T::Settings) {
        self.settings = settings;
    }

    /// The instrument with these label values, in the order of the label names. Keep it where the
    /// values do not change: that saves the lookup. A removed instrument can still be used, but is
    /// no longer exposed.
    pub fn with(&self, labels: [&str; N]) -> Series<T> {
        if let Some(found) = self.read().get(&labels as &dyn LabelValues) {
            return Series(Arc::clone(found));
        }
        let mut series = self.write_lock();
        if let Some(found) = series.get(&labels as &dyn LabelValues) {
            return Series(Arc::clone(found));
        }
        let created = Arc::new(T::created(self.settings, SystemTime::now()));
        if series.len() < self.max {
            series.insert(Values(labels.map(Box::from)), Arc::clone(&created));
        } else {
            self.refused.fetch_add(1, Relaxed);
        }
        Series(created)
    }

    /// How often a new label set was refused because of [`at_most`](Self::at_most).
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Removes one label set, and returns whether it existed.
    pub fn remove(&self, labels: [&str; N]) -> bool {
        self.write_lock().remove(&labels as &dyn LabelValues).is_some()
    }

    /// Removes the label sets for which `keep` returns false.
    pub fn retain(&self, mut keep: impl FnMut([&str; N]) -> bool) {
        self.write_lock().retain(|values, _| keep(values.as_strs()));
    }

    /// Removes all label sets.
    pub fn clear(&self) {
        self.write_lock().clear();
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Values<N>, Arc<T>>> {
        self.series.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lock(&self) -> RwLockWriteGuard<'_, BTreeMap<Values<N>, Arc<T>>> {
        self.series.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Child + Observe, const N: usize> Labelled<T, N> {
    /// Starts a timer whose labels are given when it is stopped.
    ///
    /// ```
    /// use exporter_core::instrument::{Buckets, Histogram, Labelled};
    ///
    /// static TOOK: Labelled<Histogram, 1> = Labelled::histogram(
    ///     "app_request_duration_seconds",
    ///     "Time to answer a request.",
    ///     ["code"],
    ///     Buckets::native(),
    /// );
    ///
    /// let timer = TOOK.start_timer();
    /// let code = "200"; // what the request came to
    /// timer.stop([code]);
    /// ```
    pub fn start_timer(&self) -> LabelledTimer<'_, T, N> {
        LabelledTimer::new(self)
    }
}

impl<T: Child, const N: usize> Describe for Labelled<T, N> {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        self.desc.describe(visit);
        if self.max < usize::MAX {
            REFUSED.describe(visit);
        }
    }
}

impl<T: Child, const N: usize> Instrument for Labelled<T, N> {
    fn write(&self, out: &mut Families) {
        let mut family = out.open_desc(&self.desc);
        for (labels, value) in &*self.read() {
            value.write(&labels.as_strs(), &mut family);
        }
        if self.max < usize::MAX {
            out.family(&REFUSED).sample([self.desc.name], self.refused() as f64);
        }
    }
}

/// The instrument of one label set, shared with its family.
#[derive(Debug)]
pub struct Series<T>(Arc<T>);

impl<T: Observe> Series<T> {
    /// Records the elapsed seconds when the returned guard is dropped.
    pub fn time(&self) -> Timer<Self> {
        Timer::new(self.clone())
    }
}

impl Series<Gauge> {
    /// Increments the gauge until the returned guard is dropped.
    pub fn in_progress(&self) -> InProgress<Self> {
        InProgress::new(self.clone())
    }
}

impl<T> Clone for Series<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Series<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
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
    fn new(family: &'a Labelled<T, N>) -> Self {
        Self { family, start: Instant::now() }
    }

    /// Records the elapsed seconds under these label values, and returns the time.
    pub fn stop(self, labels: [&str; N]) -> Duration {
        let elapsed = self.start.elapsed();
        self.family.with(labels).observe(elapsed.as_secs_f64());
        elapsed
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Values<const N: usize>([Box<str>; N]);

impl<const N: usize> Values<N> {
    fn as_strs(&self) -> [&str; N] {
        self.0.each_ref().map(|value| &**value)
    }
}

/// Owned and borrowed label values, so that a lookup does not allocate.
trait LabelValues {
    fn value(&self, nth: usize) -> Option<&str>;
}

impl<const N: usize> LabelValues for Values<N> {
    fn value(&self, nth: usize) -> Option<&str> {
        self.0.get(nth).map(|value| &**value)
    }
}

impl<const N: usize> LabelValues for [&str; N] {
    fn value(&self, nth: usize) -> Option<&str> {
        self.get(nth).copied()
    }
}

impl<'a, const N: usize> Borrow<dyn LabelValues + 'a> for Values<N> {
    fn borrow(&self) -> &(dyn LabelValues + 'a) {
        self
    }
}

impl Ord for dyn LabelValues + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut nth = 0;
        loop {
            match (self.value(nth), other.value(nth)) {
                (Some(a), Some(b)) if a == b => nth += 1,
                (a, b) => return a.cmp(&b),
            }
        }
    }
}

impl PartialOrd for dyn LabelValues + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn LabelValues + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for dyn LabelValues + '_ {}
