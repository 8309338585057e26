//! Metric streams: CloudWatch sends datapoints to Firehose, and Firehose delivers them to this
//! program over HTTPS.
//!
//! [`stream_receiver`](crate::stream_receiver) receives deliveries. A body is unpacked record by
//! record (`delivery`, `json`, `opentelemetry`); each datapoint goes to the rules that it matches
//! (`store`), and is kept with the other datapoints of its series (`series`, `periods`). A scrape
//! reads the newest period of each series.

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
    /// Names and values.
    dimensions: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The start of its period, in milliseconds since 1970.
    start: i64,
    values: Values,
    /// Percentiles and other extended statistics, by the names that CloudWatch gives them.
    extended: Vec<(Cow<'a, str>, f64)>,
    /// As CloudWatch names it, such as `Bytes/Second`. Empty if unknown.
    unit: Cow<'a, str>,
}

/// The statistics of all datapoints. NaN if one is missing.
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

/// Dimensions that a metric may have.
const DIMENSIONS: usize = 30;

/// Bytes of a name, or of a value of a dimension. CloudWatch allows 1024 characters of ASCII.
const TEXT: usize = 1024;

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
        if self.dimensions.len() > DIMENSIONS {
            return Some("a datapoint with more than 30 dimensions");
        }
        let is_long = |text: &Cow<'_, str>| text.len() > TEXT;
        texts.into_iter().chain(pairs).any(is_long).then_some("a name of more than 1024 bytes")
    }
}

/// What became of a datapoint. If several rules match it, the greatest of their outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// No rule matches it.
    NoRule,
    /// Its period is longer ago than a page would show.
    TooOld,
    /// Its period has not begun, according to the clock of this machine.
    InFuture,
    /// There is no room for another series.
    TooManySeries,
    /// A later period is shown already.
    Superseded,
    /// It is known already, or a later state of it is.
    Duplicate,
    Kept,
}

impl Outcome {
    /// All of them, in their order.
    pub(crate) const ALL: [Self; 7] = [
        Self::NoRule,
        Self::TooOld,
        Self::InFuture,
        Self::TooManySeries,
        Self::Superseded,
        Self::Duplicate,
        Self::Kept,
    ];

    /// The reason why it was dropped, as a label.
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
