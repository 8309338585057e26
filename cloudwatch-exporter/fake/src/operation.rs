//! The operations of the services.

use serde::{Deserialize, Serialize};

/// An operation of CloudWatch, STS or the tagging API.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Operation {
    ListMetrics,
    GetMetricData,
    GetMetricStatistics,
    AssumeRole,
    AssumeRoleWithWebIdentity,
    GetCallerIdentity,
    GetResources,
}

impl Operation {
    pub const ALL: [Self; 7] = [
        Self::ListMetrics,
        Self::GetMetricData,
        Self::GetMetricStatistics,
        Self::AssumeRole,
        Self::AssumeRoleWithWebIdentity,
        Self::GetCallerIdentity,
        Self::GetResources,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ListMetrics => "ListMetrics",
            Self::GetMetricData => "GetMetricData",
            Self::GetMetricStatistics => "GetMetricStatistics",
            Self::AssumeRole => "AssumeRole",
            Self::AssumeRoleWithWebIdentity => "AssumeRoleWithWebIdentity",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::GetResources => "GetResources",
        }
    }
}
