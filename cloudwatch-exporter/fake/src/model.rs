//! The model: metrics, their samples as functions of time, and tagged resources.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What the fake holds, and how large its answers may be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    pub metrics: Vec<Metric>,
    /// What the tagging API knows.
    pub resources: Vec<Resource>,
    pub limits: Limits,
    /// Roles that may be assumed. None: all of them.
    pub roles: Vec<Role>,
}

/// A role of an account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    pub arn: String,
    /// What must be given to assume it.
    #[serde(default)]
    pub external_id: Option<String>,
}

/// Who makes a call, and where.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Model {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// For the tagging API.
    #[must_use]
    pub fn resource(mut self, arn: impl Into<String>, tags: &[(&str, &str)]) -> Self {
        let tags =
            tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.resources.push(Resource { arn: arn.into(), tags });
        self
    }

    /// A role that may be assumed; all others then may not.
    #[must_use]
    pub fn role(mut self, arn: impl Into<String>, external_id: Option<&str>) -> Self {
        let external_id = external_id.map(str::to_owned);
        self.roles.push(Role { arn: arn.into(), external_id });
        self
    }

    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Every name with every one of `sets` values of a dimension called `Id` (`id-0`, `id-1`, …): a load test in one line.
    #[must_use]
    pub fn grid(mut self, namespace: &str, names: usize, sets: usize, values: &Values) -> Self {
        for name in 0..names {
            for set in 0..sets {
                let metric = Metric::new(namespace, format!("Metric{name}"))
                    .dimension("Id", format!("id-{set}"))
                    .values(values.clone());
                self.metrics.push(metric);
            }
        }
        self
    }
}

/// CloudWatch's own by default; small ones make a test of paging small.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Metrics in a page of `ListMetrics`.
    pub list_page: usize,
    /// Queries in a `GetMetricData`.
    pub queries: usize,
    /// Datapoints in a page of `GetMetricData`.
    pub datapoints: usize,
    /// Datapoints of a `GetMetricStatistics`.
    pub statistics_datapoints: usize,
    /// Resources in a page of `GetResources`.
    pub resource_page: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            list_page: 500,
            queries: 500,
            datapoints: 100_800,
            statistics_datapoints: 1440,
            resource_page: 100,
        }
    }
}

/// A resource with its tags, in the order in which they are given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    pub arn: String,
    #[serde(default)]
    pub tags: Vec<(String, String)>,
}

/// One metric: a namespace, a name and one set of dimensions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    pub namespace: String,
    pub name: String,
    /// In the order in which `ListMetrics` gives them.
    #[serde(default)]
    pub dimensions: Vec<Dimension>,
    #[serde(default = "count")]
    pub unit: String,
    #[serde(default)]
    pub values: Values,
    /// Seconds between samples, at multiples of it since 1970.
    #[serde(default = "minute")]
    pub every: i64,
    /// The shortest period that has data, in seconds: 60, or 1 for a high resolution metric.
    #[serde(default = "minute")]
    pub resolution: i64,
    /// Unix seconds of the first possible sample.
    #[serde(default)]
    pub from: Option<i64>,
    /// Unix seconds from which on there are no more samples: a resource that is gone.
    #[serde(default)]
    pub until: Option<i64>,
    /// Seconds after which a sample can be seen.
    #[serde(default)]
    pub lag: i64,
    /// The account that owns it: others see it only if they ask for linked accounts. `None` is
    /// every account.
    #[serde(default)]
    pub account: Option<String>,
    /// Where it is; `None` is everywhere.
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
    /// A metric without dimensions that is 1, once a minute, for ever.
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

    /// Calls `sample` with every value from `start` until `end` that can be seen at `now`.
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

    /// Unix seconds before which the newest sample that can be seen at `now` lies, if there is any.
    pub(crate) fn newest(&self, now: i64) -> Option<i64> {
        let seen = now.saturating_sub(self.lag);
        let newest = match &self.values {
            Values::Points(points) => {
                points.iter().map(|(at, _)| *at).filter(|at| *at <= seen).max()?
            }
            _ => seen,
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

/// What a metric's source reports, each time that it does.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Values {
    Constant(f64),
    /// All of these at once, so that sum, minimum, maximum, average, sample count and percentiles differ.
    Samples(Vec<f64>),
    /// Nothing but these, each at its unix second.
    Points(Vec<(i64, f64)>),
    /// `period` in seconds.
    Sine {
        mean: f64,
        amplitude: f64,
        period: f64,
    },
    /// Of the unix second; `None` where nothing is reported.
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

/// A model with its metrics found by name.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) model: Model,
    by_key: HashMap<String, usize>,
}

impl Catalog {
    pub(crate) fn new(model: Model) -> Self {
        let mut by_key = HashMap::with_capacity(model.metrics.len());
        let mut key = String::new();
        for (index, metric) in model.metrics.iter().enumerate() {
            write_key(
                &mut key,
                [metric.account.as_deref(), metric.region.as_deref()],
                &metric.namespace,
                &metric.name,
                &metric.dimensions,
            );
            by_key.insert(key.clone(), index);
        }
        Self { model, by_key }
    }

    /// The metric with exactly these dimensions, in any order, of this account, or of every one.
    /// `key` is scratch space.
    pub(crate) fn find(
        &self,
        key: &mut String,
        account: &str,
        region: &str,
        namespace: &str,
        name: &str,
        dimensions: &[Dimension],
    ) -> Option<&Metric> {
        let places = [
            [Some(account), Some(region)],
            [Some(account), None],
            [None, Some(region)],
            [None, None],
        ];
        places.into_iter().find_map(|place| {
            write_key(key, place, namespace, name, dimensions);
            self.by_key.get(key.as_str()).and_then(|index| self.model.metrics.get(*index))
        })
    }
}

/// The identity of a metric: what CloudWatch keeps apart, and what it bills.
pub(crate) fn write_key(
    key: &mut String,
    [account, region]: [Option<&str>; 2],
    namespace: &str,
    name: &str,
    dimensions: &[Dimension],
) {
    key.clear();
    for part in [account.unwrap_or_default(), region.unwrap_or_default(), namespace, name] {
        key.push_str(part);
        key.push('\0');
    }
    let mut sorted: Vec<&Dimension> = dimensions.iter().collect();
    sorted.sort_unstable();
    for dimension in sorted {
        key.push_str(&dimension.name);
        key.push('\0');
        key.push_str(&dimension.value);
        key.push('\0');
    }
}
