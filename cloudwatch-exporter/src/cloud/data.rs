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
const MAX_IDLE_PAGES: u32 = 2;

impl Cloud {
    /// A point for each query of the call. A point stays pending if CloudWatch has not returned the
    /// result of its query.
    pub(crate) async fn data(&self, call: CallContext<'_>) -> Result<Vec<Point>, Failure> {
        let Some(first) = call.queries().next() else { return Ok(Vec::new()) };
        let namespace = &first.rule.namespace;
        let (start, end) = first.span;
        let mut points = vec![Point::Pending; call.call.queries.len()];
        let mut failed: Option<(String, usize)> = None;
        let mut token = None;
        let (mut page_number, mut idle_pages) = (0, 0);
        loop {
            // The plan of the fetch includes all pages that a call needs.
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
                .set_next_token(token.clone());
            let page = {
                let _permit = self.permit().await;
                let attempts = self.attempts(ACTION, &usage::REQUESTS, namespace);
                request.customize().interceptor(attempts).send().await
            };
            let page = page.map_err(|error| self.failure(ACTION, namespace, &error))?;
            usage::count_data_response(
                ACTION,
                namespace,
                call.call.billed,
                queries_by_metric(call),
            );
            let missing_before = missing(&points);
            for result in page.metric_data_results() {
                let index = result.id().and_then(query_index);
                let Some(point) = index.and_then(|index| points.get_mut(index)) else {
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
                        failed.get_or_insert((code.as_str().to_owned(), 0)).1 += 1;
                    }
                }
            }
            let missing = missing(&points);
            idle_pages = if missing < missing_before { 0 } else { idle_pages + 1 };
            let next = page.next_token.filter(|token| !token.is_empty());
            // The newest datapoints come first. Once each query has one, further pages have only older
            // ones, and would be billed.
            if missing == 0 || next.is_none() || next == token || idle_pages >= MAX_IDLE_PAGES {
                break;
            }
            token = next;
        }
        if let Some((code, count)) = failed {
            self.failed(&Failure::of_queries(ACTION, namespace, &code, count));
        }
        Ok(points)
    }
}

/// The number of pages for all datapoints of the queried spans.
fn pages(call: CallContext<'_>) -> usize {
    let datapoints = call.queries().map(|named| {
        let (start, end) = named.span;
        usize::try_from((end - start) / i64::from(named.rule.window.period.max(1))).unwrap_or(0)
    });
    datapoints.sum::<usize>() / cost::MAX_DATAPOINTS + 1
}

/// The number of queries without a result.
fn missing(points: &[Point]) -> usize {
    points.iter().filter(|point| **point == Point::Pending).count()
}

/// The number of queries of each metric.
fn queries_by_metric(call: CallContext<'_>) -> BTreeMap<&str, u64> {
    let mut queries = BTreeMap::new();
    for named in call.queries() {
        *queries.entry(named.rule.metric.as_str()).or_default() += 1;
    }
    queries
}

fn query((index, named): (usize, NamedQuery<'_>)) -> MetricDataQuery {
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
        .id(format!("q{index}"))
        .set_account_id(named.set.owner.as_ref().map(ToString::to_string))
        .metric_stat(statistic.build())
        .build()
}

/// The index of a query, from its ID.
fn query_index(id: &str) -> Option<usize> {
    id.strip_prefix('q')?.parse().ok()
}

/// The newest of the datapoints, which may be in any order.
fn newest(times: &[DateTime], values: &[f64]) -> Point {
    let mut newest = Point::NoData;
    for (time, value) in times.iter().zip(values) {
        if let Ok(millis) = time.to_millis() {
            newest.merge(Point::Value { value: *value, millis });
        }
    }
    newest
}
