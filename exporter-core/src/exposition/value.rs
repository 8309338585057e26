//! Values that are more than a number: counters with their history, histograms, summaries.

use std::time::SystemTime;

/// A counter with what some formats carry beside its value.
#[derive(Clone, Copy, Debug, Default)]
pub struct CounterValue<'a> {
    pub value: f64,
    /// When it was zero. In protobuf always, in `OpenMetrics` if the page has `_created` lines.
    pub created: Option<SystemTime>,
    /// In protobuf, and in `OpenMetrics` if the family is a counter there.
    pub exemplar: Option<Exemplar<'a>>,
}

/// A histogram: by classic buckets, by native ones, or by both.
///
/// Text formats and `OpenMetrics` have classic buckets only. They always end with one for
/// everything, `+Inf`, whether it is given here or not.
#[derive(Clone, Copy, Debug, Default)]
pub struct HistogramValue<'a> {
    pub count: u64,
    pub sum: f64,
    /// By ascending bound.
    pub buckets: &'a [Bucket<'a>],
    pub native: Option<NativeBuckets<'a>>,
    /// Exemplars of native buckets, which only protobuf carries; those without a time are left
    /// out.
    pub exemplars: &'a [Exemplar<'a>],
    pub created: Option<SystemTime>,
}

/// A classic bucket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket<'a> {
    /// Its upper bound, which is in it.
    pub le: f64,
    /// The observations up to that bound, those of all smaller buckets among them.
    pub count: u64,
    pub exemplar: Option<Exemplar<'a>>,
}

impl Bucket<'_> {
    pub const fn new(le: f64, count: u64) -> Self {
        Self { le, count, exemplar: None }
    }
}

/// The buckets of a native histogram: bucket `i` holds what is above `base^(i-1)` and not above
/// `base^i`, where `base` is `2^(2^-schema)`. Only protobuf has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeBuckets<'a> {
    /// From -4 to 8.
    pub schema: i32,
    /// What is no further from zero is counted in `zero_count`.
    pub zero_threshold: f64,
    pub zero_count: u64,
    /// Index and count, by ascending index. Empty buckets may be left out.
    pub negative: &'a [(i32, u64)],
    pub positive: &'a [(i32, u64)],
}

/// A summary.
#[derive(Clone, Copy, Debug, Default)]
pub struct SummaryValue<'a> {
    pub count: u64,
    pub sum: f64,
    /// Quantile (0 to 1) and value, by ascending quantile.
    pub quantiles: &'a [(f64, f64)],
    pub created: Option<SystemTime>,
}

/// One observation behind a counter or a bucket, with the way to its trace.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exemplar<'a> {
    /// Name and value, together 128 letters at most: one with more is left out.
    pub labels: &'a [(&'a str, &'a str)],
    pub value: f64,
    pub at: Option<SystemTime>,
}

impl HistogramValue<'_> {
    /// Whether there is no bucket twice and none without a place.
    pub(crate) fn is_sound(&self) -> bool {
        self.buckets.iter().map(|bucket| bucket.le).is_sorted_by(|a, b| a < b)
            && self.buckets.first().is_none_or(|bucket| !bucket.le.is_nan())
            && self.native.is_none_or(|native| native.is_sound())
    }

    /// Bound, count and exemplar of all buckets, up to the one for everything. Counts that were
    /// read while others were made may fall; here they do not.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = (f64, u64, Option<&Exemplar<'_>>)> {
        let mut seen = 0;
        let (last, finite) = match self.buckets.split_last() {
            Some((last, finite)) if last.le == f64::INFINITY => (Some(last), finite),
            _ => (None, self.buckets),
        };
        let total = self.total();
        let everything = (f64::INFINITY, total, last.and_then(|last| last.exemplar.as_ref()));
        let finite = finite.iter().map(move |bucket| {
            seen = bucket.count.max(seen);
            (bucket.le, seen, bucket.exemplar.as_ref())
        });
        finite.chain([everything])
    }

    /// The count, never less than that of a bucket.
    pub(crate) fn total(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0).max(self.count)
    }
}

impl NativeBuckets<'_> {
    fn is_sound(&self) -> bool {
        let ascends = |side: &[(i32, u64)]| side.is_sorted_by(|(a, _), (b, _)| a < b);
        (-4..=8).contains(&self.schema)
            && self.zero_threshold >= 0.0
            && ascends(self.negative)
            && ascends(self.positive)
    }
}

impl SummaryValue<'_> {
    /// Whether all quantiles are some, and none is there twice.
    pub(crate) fn is_sound(&self) -> bool {
        self.quantiles.is_sorted_by(|(a, _), (b, _)| a < b)
            && self.quantiles.iter().all(|(quantile, _)| (0.0..=1.0).contains(quantile))
    }
}

impl Exemplar<'_> {
    /// Whether it can be written everywhere.
    pub(crate) fn is_sound(&self) -> bool {
        let mut letters = 0;
        self.labels.iter().enumerate().all(|(at, (name, value))| {
            letters += name.len() + value.chars().count();
            letters <= 128
                && super::desc::is_label_name(name)
                && !self.labels.iter().take(at).any(|(other, _)| other == name)
        })
    }
}
