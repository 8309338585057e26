//! The model: the contents of a fake.

use serde::Deserialize;

use crate::metric::{Metric, Values};

/// The contents of a fake, and the limits of its responses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    pub metrics: Vec<Metric>,
    /// The resources of the tagging API.
    pub resources: Vec<Resource>,
    pub limits: Limits,
    /// The roles that may be assumed. If empty, every role may be.
    pub roles: Vec<Role>,
}

/// A role of an account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    pub arn: String,
    /// The external ID that is required to assume it.
    #[serde(default)]
    pub external_id: Option<String>,
}

/// The account and region of a request.
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

    /// Adds a resource to the tagging API.
    #[must_use]
    pub fn resource(mut self, arn: impl Into<String>, tags: &[(&str, &str)]) -> Self {
        let tags =
            tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.resources.push(Resource { arn: arn.into(), tags });
        self
    }

    /// Adds a role that may be assumed; roles that are not added may then not be.
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

    /// Adds `names` metrics, each with `sets` values of a dimension `Id` (`id-0`, `id-1`, …), for load
    /// tests.
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

/// The limits of CloudWatch by default; lower them to test paging.
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

/// A resource with its tags, in the given order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    pub arn: String,
    #[serde(default)]
    pub tags: Vec<(String, String)>,
}
