//! Metric streams: CloudWatch sends datapoints to Firehose, and Firehose delivers them to this
//! program over HTTPS.
//!
//! [`stream_receiver`](crate::stream_receiver) receives deliveries. `delivery`, `json` and
//! `opentelemetry` decode the records of a body. `store` passes each datapoint to the rules that it
//! matches, where `series` and `periods` keep it with the other datapoints of its series. A scrape reads
//! the newest period of each series.

pub(crate) mod delivery;
mod json;
pub(crate) mod metrics;
mod opentelemetry;
mod periods;
mod series;
mod store;

use std::borrow::Cow;

pub(crate) use self::store::Store;

/// One datapoint of one metric, as it was sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Datapoint<'a> {
    /// The ID of the account that owns the metric.
    account: Cow<'a, str>,
    region: Cow<'a, str>,
    namespace: Cow<'a, str>,
    metric: Cow<'a, str>,
    /// The names and values of the dimensions.
    dimensions: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The start of its period, in milliseconds since 1970.
    start: i64,
    values: Values,
    /// Percentiles and other extended statistics, by their names in CloudWatch.
    extended: Vec<(Cow<'a, str>, f64)>,
    /// The unit in CloudWatch, such as `Bytes/Second`. Empty if unknown.
    unit: Cow<'a, str>,
}

/// The statistics that every datapoint has. Missing ones are NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Values {
    count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
}

impl Default for Values {
    fn default() -> Self {
        Self { count: f64::NAN, sum: f64::NAN, minimum: f64::NAN, maximum: f64::NAN }
    }
}

/// The maximum number of dimensions of a metric.
const MAX_DIMENSIONS: usize = 30;

/// The maximum length of a name, or of the value of a dimension, in bytes. CloudWatch allows 1024 ASCII
/// characters.
const MAX_TEXT: usize = 1024;

impl Datapoint<'_> {
    /// The error of a datapoint that CloudWatch cannot have sent.
    fn problem(&self) -> Option<&'static str> {
        let texts = [&self.account, &self.region, &self.namespace, &self.metric, &self.unit];
        let pairs = self.dimensions.iter().flat_map(|(name, value)| [name, value]);
        if self.namespace.is_empty() || self.metric.is_empty() {
            return Some(
                "a datapoint without namespace or metric name; the format of the metric stream has \
                 to be JSON or OpenTelemetry 1.0",
            );
        }
        if self.dimensions.len() > MAX_DIMENSIONS {
            return Some("a datapoint with more than 30 dimensions");
        }
        let is_long = |text: &Cow<'_, str>| text.len() > MAX_TEXT;
        texts.into_iter().chain(pairs).any(is_long).then_some("a name of more than 1024 bytes")
    }
}

/// The outcome of inserting a datapoint. If several rules match it, the greatest outcome counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// No rule matches it.
    NoRule,
    /// Its period is too old to be exposed.
    TooOld,
    /// Its period has not begun, according to the clock of this machine.
    InFuture,
    /// There is already the maximum number of series.
    TooManySeries,
    /// A later period is already exposed.
    Superseded,
    /// The same or a later version of the datapoint was already received.
    Duplicate,
    Kept,
}

impl Outcome {
    /// All outcomes, in ascending order.
    pub(crate) const ALL: [Self; 7] = [
        Self::NoRule,
        Self::TooOld,
        Self::InFuture,
        Self::TooManySeries,
        Self::Superseded,
        Self::Duplicate,
        Self::Kept,
    ];

    /// The reason why the datapoint was dropped, as a label value. `None` if it was kept.
    pub(crate) fn label(self) -> Option<&'static str> {
        match self {
            Self::NoRule => Some("no_rule"),
            Self::TooOld => Some("too_old"),
            Self::InFuture => Some("in_future"),
            Self::TooManySeries => Some("too_many_series"),
            Self::Superseded => Some("superseded"),
            Self::Duplicate => Some("duplicate"),
            Self::Kept => None,
        }
    }
}
