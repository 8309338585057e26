//! `GetMetricStatistics`: the newest datapoint of several statistics of one metric.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Datapoint, Statistic};

use super::{Cloud, Failure};
use crate::calls::context::CallContext;
use crate::results::Point;
use crate::usage;

const ACTION: &str = "getMetricStatistics";

/// The maximum number of datapoints of one call.
const MAX_STATISTICS_DATAPOINTS: i64 = crate::cost::MAX_STATISTICS_DATAPOINTS as i64;

impl Cloud {
    /// A point for each query of the call, and the unit of the newest datapoint.
    pub(crate) async fn statistics(
        &self,
        call: CallContext<'_>,
    ) -> Result<(Vec<Point>, Option<String>), Failure> {
        let Some(first) = call.queries().next() else { return Ok(Default::default()) };
        let namespace = &first.rule.namespace;
        let names: Vec<_> = call.queries().map(|query| query.statistic.name.as_str()).collect();
        let period = i64::from(first.rule.window.period.max(1));
        let (start, end) = first.span;
        let start = start.max(end - period * MAX_STATISTICS_DATAPOINTS);
        let mut request = self
            .cloudwatch
            .get_metric_statistics()
            .namespace(namespace)
            .metric_name(&first.rule.metric)
            .set_dimensions(Some(first.dimensions().collect()))
            .start_time(DateTime::from_secs(start))
            .end_time(DateTime::from_secs(end))
            .period(i32::try_from(first.rule.window.period).unwrap_or(i32::MAX));
        for name in &names {
            request = if first.statistic.is_extended {
                request.extended_statistics(*name)
            } else {
                request.statistics(Statistic::from(*name))
            };
        }
        self.take(ACTION, call, 1)?;
        let response = {
            let _permit = self.permit().await;
            let attempts = self.attempts(ACTION, &usage::REQUESTS, namespace);
            request.customize().interceptor(attempts).send().await
        };
        let response = response.map_err(|error| self.failure(ACTION, namespace, &error))?;
        usage::count_response(ACTION, namespace, Some(&first.rule.metric));
        let newest = response.datapoints().iter().max_by_key(|point| millis(point));
        let point = |name: &&str| {
            let value = newest.and_then(|point| value(point, name));
            match (value, newest.and_then(millis)) {
                (Some(value), Some(millis)) => Point::Value { value, millis },
                _ => Point::NoData,
            }
        };
        let unit = newest.and_then(|point| point.unit()).map(|unit| unit.as_str().to_owned());
        Ok((names.iter().map(point).collect(), unit))
    }
}

fn millis(point: &Datapoint) -> Option<i64> {
    point.timestamp()?.to_millis().ok()
}

fn value(point: &Datapoint, statistic: &str) -> Option<f64> {
    match statistic {
        "Average" => point.average(),
        "Maximum" => point.maximum(),
        "Minimum" => point.minimum(),
        "SampleCount" => point.sample_count(),
        "Sum" => point.sum(),
        extended => point.extended_statistics()?.get(extended).copied(),
    }
}
