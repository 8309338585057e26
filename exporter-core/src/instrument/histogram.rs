//! How observations are spread.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};
use std::time::SystemTime;

use super::float::Float;
use super::native::Native;
use super::timer::Timer;
use super::{Child, Kept, Labelled, Value, lock};
use crate::exposition::desc::Desc;
use crate::exposition::families::DynFamily;
use crate::exposition::value::{Bucket, HistogramValue};
use crate::kernel::process;

/// The buckets of a histogram.
#[derive(Clone, Copy, Debug)]
pub struct Buckets {
    /// Upper bounds, ascending.
    classic: &'static [f64],
    native: bool,
}

impl Buckets {
    /// Buckets up to each of `bounds`, and one for everything.
    ///
    /// # Panics
    ///
    /// When the bounds do not ascend or are not finite.
    pub const fn classic(bounds: &'static [f64]) -> Self {
        let mut rest = bounds;
        while let [bound, tail @ ..] = rest {
            assert!(bound.is_finite(), "a bound that is not finite");
            if let [next, ..] = tail {
                assert!(*bound < *next, "bounds that do not ascend");
            }
            rest = tail;
        }
        Self { classic: bounds, native: false }
    }

    /// Native buckets, each less than a tenth wider than the one before, and wider ones once there
    /// are more than 160 of them. Readers that do not take them get count and sum.
    pub const fn native() -> Self {
        Self { classic: &[], native: true }
    }

    /// Native buckets beside classic ones.
    #[must_use]
    pub const fn and_native(self) -> Self {
        Self { native: true, ..self }
    }
}

/// A histogram.
///
/// With classic buckets alone, an observation is two atomic additions, and a scrape may see the
/// one without the other. Native buckets are kept under a lock, and all else with them.
#[derive(Debug)]
pub struct Histogram {
    buckets: Buckets,
    /// Of each classic bucket by itself, and of what is above all. Made at the first observation.
    counts: OnceLock<Box<[AtomicU64]>>,
    sum: Float,
    /// As many as `counts`, once there is one.
    exemplars: Mutex<Vec<Option<Kept>>>,
    native: Mutex<Native>,
    /// None for a static: it is as old as the process.
    born: Option<SystemTime>,
}

impl Histogram {
    pub(super) const fn new(buckets: Buckets) -> Self {
        Self {
            buckets,
            counts: OnceLock::new(),
            sum: Float::zero(),
            exemplars: Mutex::new(Vec::new()),
            native: Mutex::new(Native::new()),
            born: None,
        }
    }

    /// Takes one observation. What is no number is ignored.
    pub fn observe(&self, value: f64) {
        if value.is_nan() {
            return;
        }
        let native = self.buckets.native.then(|| lock(&self.native));
        if let Some(count) = self.counts().get(self.place(value)) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.add(value);
        if let Some(mut native) = native {
            native.observe(value);
        }
    }

    /// As [`Histogram::observe`], and keeps the observation as the exemplar of its bucket.
    /// `labels` lead to the trace; with more than 128 letters in them there is no exemplar.
    pub fn observe_traced(&self, value: f64, labels: &[(&str, &str)]) {
        if value.is_nan() {
            return;
        }
        self.observe(value);
        let mut exemplars = lock(&self.exemplars);
        exemplars.resize_with(self.buckets.classic.len() + 1, || None);
        if let Some(exemplar) = exemplars.get_mut(self.place(value)) {
            *exemplar = Some(Kept::new(labels, value));
        }
    }

    /// Observes the seconds until the guard is dropped.
    pub fn time(&self) -> Timer<'_, Self> {
        Timer::new(self)
    }

    fn place(&self, value: f64) -> usize {
        self.buckets.classic.partition_point(|bound| *bound < value)
    }

    fn counts(&self) -> &[AtomicU64] {
        let none = || (0..=self.buckets.classic.len()).map(|_| AtomicU64::new(0)).collect();
        self.counts.get_or_init(none)
    }
}

impl Value for Histogram {
    fn write(&self, labels: &[&str], out: &mut DynFamily<'_>) {
        let exemplars = lock(&self.exemplars);
        let traced: Vec<_> = exemplars
            .iter()
            .map(|kept| kept.as_ref().map(Kept::labels).unwrap_or_default())
            .collect();
        let native = lock(&self.native);
        let mut count = 0;
        let bounds = self.buckets.classic.iter().chain([&f64::INFINITY]);
        let buckets: Vec<_> = bounds
            .zip(self.counts())
            .enumerate()
            .map(|(place, (&le, own))| {
                count += own.load(Relaxed);
                let kept = exemplars.get(place).and_then(Option::as_ref);
                let exemplar =
                    kept.zip(traced.get(place)).map(|(kept, labels)| kept.exemplar(labels));
                Bucket { le, count, exemplar }
            })
            .collect();
        let (negative, positive) = native.sides();
        // Without bounds, only native buckets; the exemplar has no place then.
        let classic = if self.buckets.classic.is_empty() { &[][..] } else { &buckets };
        let value = HistogramValue {
            count,
            sum: self.sum.load(),
            buckets: classic,
            native: self.buckets.native.then(|| native.value(&negative, &positive)),
            created: Some(self.born.unwrap_or_else(process::started)),
        };
        out.histogram(labels, &value);
    }
}

impl Child for Histogram {
    type Settings = Buckets;

    fn born(buckets: Buckets, at: SystemTime) -> Self {
        Self { born: Some(at), ..Self::new(buckets) }
    }
}

impl<const N: usize> Labelled<Histogram, N> {
    pub const fn histogram(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        buckets: Buckets,
    ) -> Self {
        Self::new(Desc::histogram(name, help, labels), buckets)
    }
}
