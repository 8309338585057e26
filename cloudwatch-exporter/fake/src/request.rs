//! The requests that the server has received.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::get_metric_data::GetMetricData;
use crate::get_metric_statistics::GetMetricStatistics;
use crate::get_resources::GetResources;
use crate::list_metrics::ListMetrics;
use crate::operation::Operation;
use crate::sts::AssumeRole;

/// A call as received, with the status of its response.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// The access key ID of the signature.
    pub access_key: String,
    pub account: String,
    pub region: String,
    /// 0 if the connection was dropped.
    pub status: u16,
    #[serde(serialize_with = "shared")]
    pub request: Arc<Request>,
}

fn shared<S: Serializer>(request: &Arc<Request>, serializer: S) -> Result<S::Ok, S::Error> {
    Request::serialize(request, serializer)
}

/// A request as received.
#[derive(Debug, Serialize)]
pub enum Request {
    ListMetrics(ListMetrics),
    GetMetricData(GetMetricData),
    GetMetricStatistics(GetMetricStatistics),
    AssumeRole(AssumeRole),
    GetCallerIdentity,
    GetResources(GetResources),
}

impl Request {
    pub fn operation(&self) -> Operation {
        match self {
            Self::ListMetrics(_) => Operation::ListMetrics,
            Self::GetMetricData(_) => Operation::GetMetricData,
            Self::GetMetricStatistics(_) => Operation::GetMetricStatistics,
            Self::AssumeRole(AssumeRole { web_identity_token: Some(_), .. }) => {
                Operation::AssumeRoleWithWebIdentity
            }
            Self::AssumeRole(_) => Operation::AssumeRole,
            Self::GetCallerIdentity => Operation::GetCallerIdentity,
            Self::GetResources(_) => Operation::GetResources,
        }
    }

    /// The same request without a token.
    pub(crate) fn first_page(&self) -> Self {
        match self {
            Self::ListMetrics(request) => {
                Self::ListMetrics(ListMetrics { next_token: None, ..request.clone() })
            }
            Self::GetMetricData(request) => {
                Self::GetMetricData(GetMetricData { next_token: None, ..request.clone() })
            }
            Self::GetMetricStatistics(request) => Self::GetMetricStatistics(request.clone()),
            Self::AssumeRole(request) => Self::AssumeRole(request.clone()),
            Self::GetCallerIdentity => Self::GetCallerIdentity,
            Self::GetResources(request) => {
                Self::GetResources(GetResources { pagination_token: None, ..request.clone() })
            }
        }
    }

    /// The number of queries and one for the call, a measure of the memory that it takes.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::GetMetricData(request) => 1 + request.queries.len(),
            _ => 1,
        }
    }

    /// Whether it names a namespace or metric, a role or a resource type.
    pub fn names(&self, name: &str) -> bool {
        match self {
            Self::ListMetrics(request) => [&request.namespace, &request.name]
                .iter()
                .any(|value| value.as_deref() == Some(name)),
            Self::GetMetricData(request) => request
                .queries
                .iter()
                .filter_map(|query| query.metric.as_ref())
                .any(|metric| metric.namespace == name || metric.name == name),
            Self::GetMetricStatistics(request) => request.namespace == name || request.name == name,
            Self::AssumeRole(request) => request.role_arn == name,
            Self::GetCallerIdentity => false,
            Self::GetResources(request) => {
                request.resource_type_filters.iter().any(|resource_type| resource_type == name)
            }
        }
    }
}
