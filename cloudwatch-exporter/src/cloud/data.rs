//! `GetMetricData`: the newest datapoints of up to 500 queries.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricStat, ScanBy, StatusCode};

use super::{Cloud, Failure};
use crate::calls::context::{CallContext, NamedQuery};
use crate::results::Point;
use crate::{cost, usage};

const ACTION: &str = "getMetricData";

/// The maximum number of consecutive pages without a result.
const IDLE_PAGES: u32 = 2;

impl Cloud {
    /// A point for each query of the job. A point stays pending if CloudWatch could not answer its
    /// query.
    pub(crate) async fn data(&self, call: CallContext<'_>) -> Result<Vec<Point>, Failure> {
        let Some(first) = call.queries().next() else { return Ok(Vec::new()) };
        let namespace = &first.rule.namespace;
        let (start, end) = first.span;
        let mut points = vec![Point::Pending; call.call.queries.len()];
        let mut refused: Option<(String, usize)> = None;
        let mut next = None;
        let (mut page_number, mut idle) = (0, 0);
        loop {
            // The pages that a call needs are part of what is planned.
            let is_planned = 0 < page_number && page_number < pages(call);
            self.take(ACTION, call, if is_planned { 0 } else { call.call.billed })?;
            page_number += 1;
            let request = self
                .cloudwatch
                .get_metric_data()
                .set_metric_data_queries(Some(call.queries().enumerate().map(query).collect()))
                .start_time(DateTime::from_secs(start))
                .end_time(DateTime::from_secs(end))
                .scan_by(ScanBy::TimestampDescending)
                .set_next_token(next.clone());
            let page = {
                let _permit = self.permit().await;
                let attempts = self.attempts(ACTION, &usage::REQUESTS, namespace);
                request.customize().interceptor(attempts).send().await
            };
            let page = page.map_err(|error| self.failure(ACTION, namespace, &error))?;
            usage::data_answered(ACTION, namespace, call.call.billed, asked(call));
            let before = missing(&points);
            for result in page.metric_data_results() {
                let Some(point) = result.id().and_then(place).and_then(|at| points.get_mut(at))
                else {
                    continue;
                };
                let newest = newest(result.timestamps(), result.values());
                match result.status_code() {
                    // Without a datapoint, a later page may still have one.
                    Some(StatusCode::PartialData) if newest == Point::NoData => {}
                    None | Some(StatusCode::Complete | StatusCode::PartialData) => {
                        point.merge(newest);
                    }
                    Some(code) => {
                        refused.get_or_insert((code.as_str().to_owned(), 0)).1 += 1;
                    }
                }
            }
            let left = missing(&points);
            idle = if left < before { 0 } else { idle + 1 };
            let after = page.next_token.filter(|token| !token.is_empty());
            // The newest datapoints come first: once each query has one, further pages are older,
            // and would be billed.
            if left == 0 || after.is_none() || after == next || idle >= IDLE_PAGES {
                break;
            }
            next = after;
        }
        if let Some((code, count)) = refused {
            self.failed(&Failure::of_queries(ACTION, namespace, &code, count));
        }
        Ok(points)
    }
}

/// The number of pages that all datapoints of the spans need.
fn pages(call: CallContext<'_>) -> usize {
    let datapoints = call.queries().map(|named| {
        let (start, end) = named.span;
        usize::try_from((end - start) / i64::from(named.rule.window.period.max(1))).unwrap_or(0)
    });
    datapoints.sum::<usize>() / cost::MAX_DATAPOINTS + 1
}

/// The number of queries without an answer.
fn missing(points: &[Point]) -> usize {
    points.iter().filter(|point| **point == Point::Pending).count()
}

/// The number of queries of each metric.
fn asked(call: CallContext<'_>) -> BTreeMap<&str, u64> {
    let mut asked = BTreeMap::new();
    for named in call.queries() {
        *asked.entry(named.rule.metric.as_str()).or_default() += 1;
    }
    asked
}

fn query((at, named): (usize, NamedQuery<'_>)) -> MetricDataQuery {
    let metric = Metric::builder()
        .namespace(&named.rule.namespace)
        .metric_name(&named.rule.metric)
        .set_dimensions(Some(named.dimensions().collect()))
        .build();
    let statistic = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(named.rule.window.period).unwrap_or(i32::MAX))
        .stat(&named.statistic.name);
    MetricDataQuery::builder()
        .id(format!("q{at}"))
        .set_account_id(named.set.owner.as_ref().map(ToString::to_string))
        .metric_stat(statistic.build())
        .build()
}

/// The index of a query, from its ID.
fn place(id: &str) -> Option<usize> {
    id.strip_prefix('q')?.parse().ok()
}

/// The newest datapoint, in any order.
fn newest(times: &[DateTime], values: &[f64]) -> Point {
    let mut newest = Point::NoData;
    for (time, value) in times.iter().zip(values) {
        if let Ok(millis) = time.to_millis() {
            newest.merge(Point::Value { value: *value, millis });
        }
    }
    newest
}
