//! The distribution of observations.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};
use std::time::SystemTime;

use super::exemplar::StoredExemplar;
use super::float::Float;
use super::native::Native;
use super::start::start_time;
use super::timer::Timer;
use super::{Child, Labelled, Value, lock};
use crate::exposition::desc::Desc;
use crate::exposition::families::DynFamily;
use crate::exposition::value::{Bucket, HistogramValue};

/// The buckets of a histogram.
#[derive(Clone, Copy, Debug)]
pub struct Buckets {
    /// Ascending upper bounds.
    classic: &'static [f64],
    native: bool,
}

impl Buckets {
    /// Buckets for the time that a request takes, in seconds: eleven from 5 ms to 10 s, and native
    /// ones.
    pub const DURATIONS: Self =
        Self::classic(&[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
            .and_native();

    /// A bucket up to each of `bounds`, and one for all observations.
    ///
    /// # Panics
    ///
    /// Panics if the bounds do not ascend or are not finite; in a static, the program does not
    /// compile.
    pub const fn classic(bounds: &'static [f64]) -> Self {
        let mut rest = bounds;
        while let [bound, tail @ ..] = rest {
            assert!(bound.is_finite(), "a bound is not finite");
            if let [next, ..] = tail {
                assert!(*bound < *next, "bounds do not ascend");
            }
            rest = tail;
        }
        Self { classic: bounds, native: false }
    }

    /// Native buckets: each is less than 10 % wider than the one before, and the resolution is
    /// halved whenever there are more than 160 of them. Only protobuf carries them; readers of the
    /// text formats get count and sum.
    pub const fn native() -> Self {
        Self { classic: &[], native: true }
    }

    /// Native buckets in addition to these.
    #[must_use]
    pub const fn and_native(self) -> Self {
        Self { native: true, ..self }
    }
}

/// A histogram.
///
/// With classic buckets alone, an observation is two atomic additions, and a scrape may see one
/// without the other. With native buckets, observations take a lock.
#[derive(Debug)]
pub struct Histogram {
    buckets: Buckets,
    /// The count of each classic bucket (not cumulative), and of the values above all bounds.
    /// Allocated at the first observation.
    counts: OnceLock<Box<[AtomicU64]>>,
    sum: Float,
    /// One for each classic bucket, allocated with the first exemplar.
    exemplars: Mutex<Vec<Option<StoredExemplar>>>,
    native: Mutex<Native>,
    /// `None` in a static, which exists since the start of the process.
    created: Option<SystemTime>,
}

impl Histogram {
    pub(super) const fn new(buckets: Buckets) -> Self {
        Self {
            buckets,
            counts: OnceLock::new(),
            sum: Float::zero(),
            exemplars: Mutex::new(Vec::new()),
            native: Mutex::new(Native::new()),
            created: None,
        }
    }

    /// Records one observation. NaN is ignored.
    pub fn observe(&self, value: f64) {
        if value.is_nan() {
            return;
        }
        let native = self.buckets.native.then(|| lock(&self.native));
        if let Some(count) = self.counts().get(self.bucket_of(value)) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.add(value);
        if let Some(mut native) = native {
            native.observe(value);
        }
    }

    /// As [`Histogram::observe`], and keeps the observation as the exemplar of its bucket. A
    /// histogram that has native buckets alone keeps the last one. `labels` identify the trace,
    /// such as `[("trace_id", "...")]`; an exemplar whose labels have more than 128 characters is
    /// not exposed.
    pub fn observe_with_exemplar(&self, value: f64, labels: &[(&str, &str)]) {
        if value.is_nan() {
            return;
        }
        self.observe(value);
        let mut exemplars = lock(&self.exemplars);
        exemplars.resize_with(self.buckets.classic.len() + 1, || None);
        if let Some(exemplar) = exemplars.get_mut(self.bucket_of(value)) {
            *exemplar = Some(StoredExemplar::new(labels, value));
        }
    }

    /// Records the elapsed seconds when the returned guard is dropped.
    pub fn time(&self) -> Timer<&Self> {
        Timer::new(self)
    }

    /// The number of observations.
    pub fn count(&self) -> u64 {
        self.counts().iter().map(|count| count.load(Relaxed)).sum()
    }

    /// The sum of all observations.
    pub fn sum(&self) -> f64 {
        self.sum.load()
    }

    fn bucket_of(&self, value: f64) -> usize {
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
        let exemplar_labels: Vec<_> = exemplars
            .iter()
            .map(|stored| stored.as_ref().map(StoredExemplar::labels).unwrap_or_default())
            .collect();
        let native = lock(&self.native);
        let mut count = 0;
        let bounds = self.buckets.classic.iter().chain([&f64::INFINITY]);
        let buckets: Vec<_> = bounds
            .zip(self.counts())
            .enumerate()
            .map(|(nth, (&le, in_bucket))| {
                count += in_bucket.load(Relaxed);
                let stored = exemplars.get(nth).and_then(Option::as_ref);
                let stored = stored.zip(exemplar_labels.get(nth));
                let exemplar = stored.map(|(stored, labels)| stored.exemplar(labels));
                Bucket { le, count, exemplar }
            })
            .collect();
        let (negative, positive) = native.sides();
        // Exemplars of classic buckets are written with those.
        let (classic, exemplars) = if self.buckets.classic.is_empty() {
            (&[][..], buckets.iter().filter_map(|bucket| bucket.exemplar).collect())
        } else {
            (&*buckets, Vec::new())
        };
        let value = HistogramValue {
            count,
            sum: self.sum.load(),
            buckets: classic,
            native: self.buckets.native.then(|| native.value(&negative, &positive)),
            exemplars: &exemplars,
            created: Some(self.created.unwrap_or_else(start_time)),
        };
        out.histogram(labels, &value);
    }
}

impl Child for Histogram {
    type Settings = Buckets;

    fn created(buckets: Buckets, at: SystemTime) -> Self {
        Self { created: Some(at), ..Self::new(buckets) }
    }
}

impl<const N: usize> Labelled<Histogram, N> {
    /// A family of histograms.
    pub const fn histogram(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        buckets: Buckets,
    ) -> Self {
        Self::new(Desc::histogram(name, help, labels), buckets)
    }
}
