//! What was asked of the fake, and what the real one would charge for it.

use serde::Serialize;

use crate::fault::Operation;

/// Counted since the start or the last reset.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counters {
    pub list_metrics: Calls,
    pub get_metric_data: Calls,
    pub get_metric_statistics: Calls,
    /// Queries in the `GetMetricData` calls that were answered.
    pub queries: u64,
    pub datapoints: u64,
    /// The most calls that were under way together.
    pub most_at_once: u64,
    /// Bodies only.
    pub bytes_received: u64,
    pub bytes_sent: u64,
}

/// Calls of one operation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Calls {
    pub received: u64,
    pub answered: u64,
    /// Injected: `Throttling` and its like.
    pub throttled: u64,
    /// Injected: all other errors, and connections dropped.
    pub failed: u64,
    /// Requests that were wrong.
    pub refused: u64,
    /// What costs 0.01 dollars a thousand. A call that is not answered is free. `GetMetricData`: each metric of
    /// a call, whose statistics count as one up to five, as two up to ten, …; a further page of a call is a call.
    /// The others: one a call.
    pub billed: u64,
}

impl Counters {
    pub fn of(&self, operation: Operation) -> &Calls {
        match operation {
            Operation::ListMetrics => &self.list_metrics,
            Operation::GetMetricData => &self.get_metric_data,
            Operation::GetMetricStatistics => &self.get_metric_statistics,
        }
    }

    pub(crate) fn of_mut(&mut self, operation: Operation) -> &mut Calls {
        match operation {
            Operation::ListMetrics => &mut self.list_metrics,
            Operation::GetMetricData => &mut self.get_metric_data,
            Operation::GetMetricStatistics => &mut self.get_metric_statistics,
        }
    }

    /// Calls of all operations, whatever became of them.
    pub fn received(&self) -> u64 {
        Operation::ALL.iter().map(|operation| self.of(*operation).received).sum()
    }

    pub fn billed(&self) -> u64 {
        Operation::ALL.iter().map(|operation| self.of(*operation).billed).sum()
    }
}
