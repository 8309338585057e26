//! Values that consist of more than a number: counters with metadata, histograms, summaries.

use std::time::SystemTime;

/// A counter with the metadata that some formats have.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct CounterValue<'a> {
    /// The value.
    pub value: f64,
    /// When it was zero. Written in protobuf, and in `OpenMetrics` if the page has `_created`
    /// lines.
    pub created: Option<SystemTime>,
    /// Written in protobuf, and in `OpenMetrics` if the family has the type `counter` there.
    pub exemplar: Option<Exemplar<'a>>,
}

/// A histogram with classic buckets, native buckets, or both.
///
/// Text formats and `OpenMetrics` have only classic buckets. The bucket `+Inf` is added if it is
/// missing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct HistogramValue<'a> {
    /// The number of observations.
    pub count: u64,
    /// The sum of the observations.
    pub sum: f64,
    /// By ascending bound.
    pub buckets: &'a [Bucket<'a>],
    /// Native buckets, in addition to the classic ones or in their place.
    pub native: Option<NativeBuckets<'a>>,
    /// Exemplars of native buckets, in ascending order of time: see
    /// [`with_exemplars`](Self::with_exemplars). Protobuf omits those without a time.
    pub exemplars: &'a [Exemplar<'a>],
    /// When it was empty. In protobuf always, in `OpenMetrics` if the page has `_created` lines.
    pub created: Option<SystemTime>,
}

/// A classic bucket.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Bucket<'a> {
    /// Its inclusive upper bound.
    pub le: f64,
    /// The cumulative count: observations up to that bound.
    pub count: u64,
    /// One of its observations.
    pub exemplar: Option<Exemplar<'a>>,
}

impl<'a> CounterValue<'a> {
    /// A counter with a value, and no more.
    pub const fn new(value: f64) -> Self {
        Self { value, created: None, exemplar: None }
    }

    /// With the time when it was zero.
    #[must_use]
    pub const fn with_created(self, created: SystemTime) -> Self {
        Self { created: Some(created), ..self }
    }

    /// With an exemplar.
    #[must_use]
    pub const fn with_exemplar(self, exemplar: Exemplar<'a>) -> Self {
        Self { exemplar: Some(exemplar), ..self }
    }
}

impl<'a> HistogramValue<'a> {
    /// The number of observations and their sum, without buckets.
    pub const fn new(count: u64, sum: f64) -> Self {
        Self { count, sum, buckets: &[], native: None, exemplars: &[], created: None }
    }

    /// With classic buckets, by ascending bound. Their counts are cumulative: a count below that of
    /// the bucket before is raised to it. The bucket `+Inf` may be left out.
    #[must_use]
    pub const fn with_buckets(self, buckets: &'a [Bucket<'a>]) -> Self {
        Self { buckets, ..self }
    }

    /// With native buckets.
    #[must_use]
    pub const fn with_native(self, native: NativeBuckets<'a>) -> Self {
        Self { native: Some(native), ..self }
    }

    /// With exemplars of native buckets, in ascending order of time. Text formats have no native
    /// buckets: without classic ones, `OpenMetrics` has the last exemplar, in the bucket `+Inf`.
    #[must_use]
    pub const fn with_exemplars(self, exemplars: &'a [Exemplar<'a>]) -> Self {
        Self { exemplars, ..self }
    }

    /// With the time when it was empty.
    #[must_use]
    pub const fn with_created(self, created: SystemTime) -> Self {
        Self { created: Some(created), ..self }
    }
}

impl<'a> Bucket<'a> {
    /// A bucket with its upper bound, and the observations up to that.
    pub const fn new(le: f64, count: u64) -> Self {
        Self { le, count, exemplar: None }
    }

    /// With an exemplar.
    #[must_use]
    pub const fn with_exemplar(self, exemplar: Exemplar<'a>) -> Self {
        Self { exemplar: Some(exemplar), ..self }
    }
}

/// The buckets of a native histogram: bucket `i` has the observations above `base^(i-1)` up to
/// `base^i`, where `base` is `2^(2^-schema)`. Only protobuf has them.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NativeBuckets<'a> {
    /// From -4 to 8.
    pub schema: i32,
    /// Observations with an absolute value up to this are in `zero_count`.
    pub zero_threshold: f64,
    /// The observations that are no further from zero than `zero_threshold`.
    pub zero_count: u64,
    /// Index and count, by ascending index. Empty buckets may be omitted.
    pub negative: &'a [(i32, u64)],
    /// As `negative`.
    pub positive: &'a [(i32, u64)],
}

impl<'a> NativeBuckets<'a> {
    /// No buckets, of a schema from -4 to 8.
    pub const fn new(schema: i32) -> Self {
        Self { schema, zero_threshold: 0.0, zero_count: 0, negative: &[], positive: &[] }
    }

    /// With `count` observations that are no further from zero than `threshold`.
    #[must_use]
    pub const fn with_zero(self, threshold: f64, count: u64) -> Self {
        Self { zero_threshold: threshold, zero_count: count, ..self }
    }

    /// With buckets of negative observations: index and count, by ascending index.
    #[must_use]
    pub const fn with_negative(self, negative: &'a [(i32, u64)]) -> Self {
        Self { negative, ..self }
    }

    /// With buckets of positive observations: index and count, by ascending index.
    #[must_use]
    pub const fn with_positive(self, positive: &'a [(i32, u64)]) -> Self {
        Self { positive, ..self }
    }
}

/// A summary.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SummaryValue<'a> {
    /// The number of observations.
    pub count: u64,
    /// The sum of the observations.
    pub sum: f64,
    /// Quantile (0 to 1) and value, by ascending quantile.
    pub quantiles: &'a [(f64, f64)],
    /// When it was empty. In protobuf always, in `OpenMetrics` if the page has `_created` lines.
    pub created: Option<SystemTime>,
}

impl<'a> SummaryValue<'a> {
    /// The number of observations and their sum, without quantiles.
    pub const fn new(count: u64, sum: f64) -> Self {
        Self { count, sum, quantiles: &[], created: None }
    }

    /// With quantiles (0 to 1) and their values, by ascending quantile.
    #[must_use]
    pub const fn with_quantiles(self, quantiles: &'a [(f64, f64)]) -> Self {
        Self { quantiles, ..self }
    }

    /// With the time when it was empty.
    #[must_use]
    pub const fn with_created(self, created: SystemTime) -> Self {
        Self { created: Some(created), ..self }
    }
}

/// One observation of a counter or a bucket, with labels that identify its trace.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Exemplar<'a> {
    /// Names and values, together at most 128 characters: longer exemplars are omitted.
    pub labels: &'a [(&'a str, &'a str)],
    /// The value.
    pub value: f64,
    /// When it was observed.
    pub at: Option<SystemTime>,
}

impl<'a> Exemplar<'a> {
    /// A value with labels, such as the ID of a trace.
    pub const fn new(labels: &'a [(&'a str, &'a str)], value: f64) -> Self {
        Self { labels, value, at: None }
    }

    /// With the time of the observation.
    #[must_use]
    pub const fn with_time(self, at: SystemTime) -> Self {
        Self { at: Some(at), ..self }
    }
}

impl HistogramValue<'_> {
    /// Whether the bounds ascend and all buckets are valid.
    pub(crate) fn is_valid(&self) -> bool {
        self.buckets.iter().map(|bucket| bucket.le).is_sorted_by(|a, b| a < b)
            && self.buckets.first().is_none_or(|bucket| !bucket.le.is_nan())
            && self.native.is_none_or(|native| native.is_valid())
    }

    /// Bound, count and exemplar of all buckets including `+Inf`, which takes over the last exemplar
    /// of native buckets if there are no classic ones. The counts do not decrease, even if they were
    /// read while observations were made.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = (f64, u64, Option<&Exemplar<'_>>)> {
        let mut seen = 0;
        let (last, finite) = match self.buckets.split_last() {
            Some((last, finite)) if last.le == f64::INFINITY => (Some(last), finite),
            _ => (None, self.buckets),
        };
        let total = self.total();
        let exemplar = match last {
            Some(last) => last.exemplar.as_ref(),
            None if self.buckets.is_empty() => self.exemplars.last(),
            None => None,
        };
        let everything = (f64::INFINITY, total, exemplar);
        let finite = finite.iter().map(move |bucket| {
            seen = bucket.count.max(seen);
            (bucket.le, seen, bucket.exemplar.as_ref())
        });
        finite.chain([everything])
    }

    /// The count, at least that of the last bucket.
    pub(crate) fn total(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0).max(self.count)
    }
}

impl NativeBuckets<'_> {
    fn is_valid(&self) -> bool {
        let ascends = |side: &[(i32, u64)]| side.is_sorted_by(|(a, _), (b, _)| a < b);
        (-4..=8).contains(&self.schema)
            && self.zero_threshold >= 0.0
            && ascends(self.negative)
            && ascends(self.positive)
    }
}

impl SummaryValue<'_> {
    /// Whether all quantiles are valid and ascend.
    pub(crate) fn is_valid(&self) -> bool {
        self.quantiles.is_sorted_by(|(a, _), (b, _)| a < b)
            && self.quantiles.iter().all(|(quantile, _)| (0.0..=1.0).contains(quantile))
    }
}

impl Exemplar<'_> {
    /// Whether all formats can write it.
    pub(crate) fn is_valid(&self) -> bool {
        let mut letters = 0;
        self.labels.iter().enumerate().all(|(at, (name, value))| {
            letters += name.len() + value.chars().count();
            letters <= 128
                && super::desc::is_label_name(name)
                && !self.labels.iter().take(at).any(|(other, _)| other == name)
        })
    }
}
