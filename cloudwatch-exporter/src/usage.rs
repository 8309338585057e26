//! Metrics about the calls of the exporter and their cost.

use exporter_core::instrument::{Counter, Gauge, Instrument, Labelled, Metric, Series};

use crate::cost::UNIT_PRICE;

// The metrics of the Java exporter come first.
pub(crate) static REQUESTS: Labelled<Counter, 2> = Labelled::counter(
    "cloudwatch_requests_total",
    "Requests sent to CloudWatch, including each attempt of a call.",
    ["action", "namespace"],
);
pub(crate) static METRICS: Labelled<Counter, 2> = Labelled::counter(
    "cloudwatch_metrics_requested_total",
    "Requested metrics: one per call of GetMetricStatistics, one per query of GetMetricData.",
    ["metric_name", "namespace"],
);
pub(crate) static TAGGING_REQUESTS: Labelled<Counter, 2> = Labelled::counter(
    "tagging_api_requests_total",
    "Requests sent to the tagging service, including each attempt of a call.",
    ["action", "resource_type"],
);
pub(crate) static RETRIES: Labelled<Counter, 2> = Labelled::counter(
    "cloudwatch_request_retries_total",
    "Requests that were sent because the previous attempt was throttled or failed.",
    ["action", "namespace"],
);
pub(crate) static FAILED: Labelled<Counter, 3> = Labelled::counter(
    "cloudwatch_failed_calls_total",
    "Calls that failed after all attempts; their metrics are missing until the next fetch.",
    ["action", "namespace", "error"],
);
pub(crate) static BILLED: Labelled<Counter, 2> = Labelled::counter(
    "cloudwatch_billed_units_total",
    "What AWS bills: requests, or metrics with GetMetricData, where up to five statistics of one \
     metric in one call count as one.",
    ["action", "namespace"],
);
pub(crate) static DOLLARS: Labelled<Counter, 1> = Labelled::counter(
    "cloudwatch_estimated_cost_dollars_total",
    "What was asked so far costs at list price, before free requests: with up to five statistics \
     counted as one metric, or every query as one.",
    ["counting"],
);
pub(crate) static FETCHES: Metric<Counter> = Metric::counter(
    "cloudwatch_exporter_fetches_total",
    "Fetches from CloudWatch. Scrapes in between use their results.",
);
pub(crate) static LIMITED: Labelled<Counter, 1> = Labelled::counter(
    "cloudwatch_exporter_limited_fetches_total",
    "Fetches that ended at a limit: three times the planned calls or billed units.",
    ["limit"],
);
pub(crate) static SCRAPE_ERROR: Metric<Gauge> = Metric::gauge(
    "cloudwatch_exporter_scrape_error",
    "Whether metrics of this page are missing because a call failed.",
);
pub(crate) static SCRAPE_DURATION: Metric<Gauge> = Metric::gauge(
    "cloudwatch_exporter_scrape_duration_seconds",
    "Duration of this scrape, including a fetch if it was due.",
);
pub(crate) static RELOADED: Metric<Gauge> = Metric::gauge(
    "cloudwatch_exporter_config_last_reload_successful",
    "Whether the configuration file was valid when it was last read.",
);

pub(crate) static BUDGET: Metric<Gauge> = Metric::gauge(
    "cloudwatch_exporter_budget_dollars",
    "Dollars a month that the configuration file allows; 0 without a budget.",
);
pub(crate) static PLANNED: Metric<Gauge> = Metric::gauge(
    "cloudwatch_exporter_planned_dollars",
    "Cost of a month at list price with the current queries; 0 without a budget.",
);
pub(crate) static STRETCHED: Metric<Gauge> = Metric::gauge(
    "cloudwatch_exporter_budget_stretched_rules",
    "Rules that are queried less often than each period, to stay within the budget.",
);

/// All metrics, in the order of the exposition.
pub(crate) static ALL: [&(dyn Instrument + Send); 15] = [
    &REQUESTS,
    &METRICS,
    &TAGGING_REQUESTS,
    &RETRIES,
    &FAILED,
    &BILLED,
    &DOLLARS,
    &FETCHES,
    &LIMITED,
    &BUDGET,
    &PLANNED,
    &STRETCHED,
    &RELOADED,
    &SCRAPE_DURATION,
    &SCRAPE_ERROR,
];

/// The counters of attempts and retries of a request.
pub(crate) fn attempts(
    family: &Labelled<Counter, 2>,
    action: &str,
    scope: &str,
) -> (Series<Counter>, Series<Counter>) {
    (family.with([action, scope]), RETRIES.with([action, scope]))
}

/// Counts a response that is billed as one request, for a metric or a list.
pub(crate) fn count_response(action: &str, namespace: &str, metric: Option<&str>) {
    BILLED.with([action, namespace]).inc();
    if let Some(metric) = metric {
        METRICS.with([metric, namespace]).inc();
    }
    add_cost(1, 1);
}

/// Counts a response of `GetMetricData`. `queries` has the number of queries of each metric.
pub(crate) fn count_data_response<'a>(
    action: &str,
    namespace: &str,
    billed: u64,
    queries: impl IntoIterator<Item = (&'a str, u64)>,
) {
    BILLED.with([action, namespace]).inc_by(billed);
    let mut total = 0;
    for (metric, count) in queries {
        METRICS.with([metric, namespace]).inc_by(count);
        total += count;
    }
    add_cost(billed, total);
}

fn add_cost(billed: u64, queries: u64) {
    DOLLARS.with(["five_statistics"]).add(billed as f64 * UNIT_PRICE);
    DOLLARS.with(["query"]).add(queries as f64 * UNIT_PRICE);
}
