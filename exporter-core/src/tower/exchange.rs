//! One request and its response.

use std::time::Instant;

use http::StatusCode;

use super::HttpMetrics;
use crate::instrument::{Gauge, InProgress};

/// A request in progress. It is recorded when it is dropped.
#[derive(Debug)]
pub(super) struct Exchange {
    metrics: &'static HttpMetrics,
    _in_progress: InProgress<&'static Gauge>,
    start: Instant,
    method: &'static str,
    route: Box<str>,
    pub(super) outcome: Outcome,
    /// Bytes of the response's body so far.
    pub(super) size: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// The future was dropped before it had a response.
    Aborted,
    /// The service returned an error.
    Failed,
    Response(StatusCode),
}

impl Exchange {
    pub(super) fn start(metrics: &'static HttpMetrics, method: &'static str, route: &str) -> Self {
        Self {
            metrics,
            _in_progress: metrics.in_progress.in_progress(),
            start: Instant::now(),
            method,
            route: route.into(),
            outcome: Outcome::Aborted,
            size: 0,
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let status = match &self.outcome {
            Outcome::Aborted => "aborted",
            Outcome::Failed => "error",
            Outcome::Response(status) => status.as_str(),
        };
        let labels = [self.method, &*self.route, status];
        self.metrics.duration.with(labels).observe(self.start.elapsed().as_secs_f64());
        if let Outcome::Response(_) = self.outcome {
            self.metrics.size.with(labels).observe(self.size as f64);
        }
    }
}
