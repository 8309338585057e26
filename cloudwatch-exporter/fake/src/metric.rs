//! A metric, and its samples as a function of time.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One metric: a namespace, a name and one set of dimensions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    pub namespace: String,
    pub name: String,
    /// In the order of `ListMetrics`.
    #[serde(default)]
    pub dimensions: Vec<Dimension>,
    #[serde(default = "count")]
    pub unit: String,
    #[serde(default)]
    pub values: Values,
    /// Seconds between samples, which are aligned to the Unix epoch.
    #[serde(default = "minute")]
    pub every: i64,
    /// The shortest period that has data, in seconds: 60, or 1 for a high resolution metric.
    #[serde(default = "minute")]
    pub resolution: i64,
    /// Unix seconds of the first possible sample.
    #[serde(default)]
    pub from: Option<i64>,
    /// Unix seconds of the end of the samples, as for a deleted resource.
    #[serde(default)]
    pub until: Option<i64>,
    /// Seconds until a sample becomes visible.
    #[serde(default)]
    pub lag: i64,
    /// The account that owns it: others see it only if they include linked accounts. `None` means
    /// every account.
    #[serde(default)]
    pub account: Option<String>,
    /// Its region; `None` means every region.
    #[serde(default)]
    pub region: Option<String>,
}

fn count() -> String {
    "Count".to_owned()
}

const fn minute() -> i64 {
    60
}

impl Metric {
    /// A metric without dimensions, with the value 1 each minute.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            dimensions: Vec::new(),
            unit: count(),
            values: Values::default(),
            every: minute(),
            resolution: minute(),
            from: None,
            until: None,
            lag: 0,
            account: None,
            region: None,
        }
    }

    #[must_use]
    pub fn dimension(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.dimensions.push(Dimension { name: name.into(), value: value.into() });
        self
    }

    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    #[must_use]
    pub fn values(mut self, values: Values) -> Self {
        self.values = values;
        self
    }

    #[must_use]
    pub fn every(mut self, seconds: i64) -> Self {
        self.every = seconds;
        self
    }

    #[must_use]
    pub fn resolution(mut self, seconds: i64) -> Self {
        self.resolution = seconds;
        self
    }

    #[must_use]
    pub fn from(mut self, unix: i64) -> Self {
        self.from = Some(unix);
        self
    }

    #[must_use]
    pub fn until(mut self, unix: i64) -> Self {
        self.until = Some(unix);
        self
    }

    #[must_use]
    pub fn lag(mut self, seconds: i64) -> Self {
        self.lag = seconds;
        self
    }

    #[must_use]
    pub fn account(mut self, id: impl Into<String>) -> Self {
        self.account = Some(id.into());
        self
    }

    #[must_use]
    pub fn region(mut self, name: impl Into<String>) -> Self {
        self.region = Some(name.into());
        self
    }

    /// Calls `sample` with each value between `start` and `end` that is visible at `now`.
    pub(crate) fn samples(&self, start: i64, end: i64, now: i64, mut sample: impl FnMut(f64)) {
        let start = self.from.map_or(start, |from| from.max(start));
        let end =
            end.min(self.until.unwrap_or(end)).min(now.saturating_sub(self.lag).saturating_add(1));
        if let Values::Points(points) = &self.values {
            points
                .iter()
                .filter(|(at, _)| (start..end).contains(at))
                .for_each(|(_, value)| sample(*value));
            return;
        }
        let every = self.every.max(1);
        let mut at = start.div_euclid(every).saturating_mul(every);
        if at < start {
            at = at.saturating_add(every);
        }
        while at < end {
            match &self.values {
                Values::Constant(value) => sample(*value),
                Values::Samples(values) => values.iter().copied().for_each(&mut sample),
                Values::Sine { mean, amplitude, period } => {
                    sample(mean + amplitude * (std::f64::consts::TAU * at as f64 / period).sin());
                }
                Values::Function(value) => value(at).into_iter().for_each(&mut sample),
                Values::Points(_) => return,
            }
            at = at.saturating_add(every);
        }
    }

    /// An upper bound, in Unix seconds, for the newest sample that is visible at `now`.
    pub(crate) fn newest(&self, now: i64) -> Option<i64> {
        let visible_until = now.saturating_sub(self.lag);
        let newest = match &self.values {
            Values::Points(points) => {
                points.iter().map(|(at, _)| *at).filter(|at| *at <= visible_until).max()?
            }
            _ => visible_until,
        };
        let newest = self.until.map_or(newest, |until| newest.min(until));
        (self.from.is_none_or(|from| from <= newest)).then_some(newest)
    }
}

#[derive(Clone, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Hash, Serialize)]
pub struct Dimension {
    pub name: String,
    pub value: String,
}

/// The values that the source of a metric reports.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Values {
    Constant(f64),
    /// Several values at each time, so that all statistics differ.
    Samples(Vec<f64>),
    /// These values, each at its Unix second.
    Points(Vec<(i64, f64)>),
    /// `period` in seconds.
    Sine {
        mean: f64,
        amplitude: f64,
        period: f64,
    },
    /// A function of the Unix second; `None` means no sample.
    #[serde(skip)]
    Function(Arc<dyn Fn(i64) -> Option<f64> + Send + Sync>),
}

impl Values {
    pub fn function(value: impl Fn(i64) -> Option<f64> + Send + Sync + 'static) -> Self {
        Self::Function(Arc::new(value))
    }
}

impl Default for Values {
    fn default() -> Self {
        Self::Constant(1.0)
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => write!(f, "Constant({value})"),
            Self::Samples(values) => write!(f, "Samples({values:?})"),
            Self::Points(points) => write!(f, "Points({points:?})"),
            Self::Sine { mean, amplitude, period } => {
                write!(f, "Sine({mean}, {amplitude}, {period})")
            }
            Self::Function(_) => f.write_str("Function"),
        }
    }
}
