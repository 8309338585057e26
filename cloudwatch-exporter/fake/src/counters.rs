//! Counts requests, and what CloudWatch would charge for them.

use serde::Serialize;

use crate::operation::Operation;
use crate::request::Request;

/// Counters since the start or the last reset.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counters {
    pub list_metrics: Calls,
    pub get_metric_data: Calls,
    pub get_metric_statistics: Calls,
    pub assume_role: Calls,
    pub assume_role_with_web_identity: Calls,
    pub get_caller_identity: Calls,
    pub get_resources: Calls,
    /// Queries in successful `GetMetricData` calls.
    pub queries: u64,
    pub datapoints: u64,
    /// The maximum number of concurrent calls.
    pub most_at_once: u64,
    /// Bytes of bodies.
    pub bytes_received: u64,
    pub bytes_sent: u64,
}

/// Calls of one operation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Calls {
    pub received: u64,
    pub answered: u64,
    /// Injected throttling errors.
    pub throttled: u64,
    /// Injected other errors, and dropped connections.
    pub failed: u64,
    /// Invalid requests.
    pub refused: u64,
    /// Billed units, 0.01 dollars per thousand. A call without a response is free. Each page of `GetMetricData` costs
    /// one unit per metric for up to five statistics, two for up to ten, and so on. `ListMetrics` and
    /// `GetMetricStatistics` cost one unit per call. The other services are free.
    pub billed: u64,
}

impl Counters {
    pub fn of(&self, operation: Operation) -> &Calls {
        match operation {
            Operation::ListMetrics => &self.list_metrics,
            Operation::GetMetricData => &self.get_metric_data,
            Operation::GetMetricStatistics => &self.get_metric_statistics,
            Operation::AssumeRole => &self.assume_role,
            Operation::AssumeRoleWithWebIdentity => &self.assume_role_with_web_identity,
            Operation::GetCallerIdentity => &self.get_caller_identity,
            Operation::GetResources => &self.get_resources,
        }
    }

    pub(crate) fn of_mut(&mut self, operation: Operation) -> &mut Calls {
        match operation {
            Operation::ListMetrics => &mut self.list_metrics,
            Operation::GetMetricData => &mut self.get_metric_data,
            Operation::GetMetricStatistics => &mut self.get_metric_statistics,
            Operation::AssumeRole => &mut self.assume_role,
            Operation::AssumeRoleWithWebIdentity => &mut self.assume_role_with_web_identity,
            Operation::GetCallerIdentity => &mut self.get_caller_identity,
            Operation::GetResources => &mut self.get_resources,
        }
    }

    pub(crate) fn count_response(&mut self, request: &Request, datapoints: u64, bytes: usize) {
        let (queries, billed) = match request {
            Request::GetMetricData(request) => (request.queries.len() as u64, request.billed()),
            Request::ListMetrics(_) | Request::GetMetricStatistics(_) => (0, 1),
            Request::AssumeRole(_) | Request::GetCallerIdentity | Request::GetResources(_) => {
                (0, 0)
            }
        };
        self.queries += queries;
        self.datapoints += datapoints;
        self.bytes_sent += bytes as u64;
        let calls = self.of_mut(request.operation());
        calls.answered += 1;
        calls.billed += billed;
    }

    /// Calls of all operations, successful or not.
    pub fn received(&self) -> u64 {
        Operation::ALL.iter().map(|operation| self.of(*operation).received).sum()
    }

    pub fn billed(&self) -> u64 {
        Operation::ALL.iter().map(|operation| self.of(*operation).billed).sum()
    }
}
