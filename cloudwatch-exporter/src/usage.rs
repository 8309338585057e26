//! The exporter's own metrics about its calls, and what they have cost.

use exporter_core::instrument::{Counter, Gauge, Instrument, Labelled, Metric, Series};

use crate::cost::UNIT;

/// Those of the Java exporter come first.
pub(crate) static REQUESTS: Labelled<Counter, 2> = Labelled::counter(
    "cloudwatch_requests_total",
    "Requests sent to CloudWatch, every attempt of a call counted.",
    ["action", "namespace"],
);
pub(crate) static METRICS: Labelled<Counter, 2> = Labelled::counter(
    "cloudwatch_metrics_requested_total",
    "Metrics asked for: one for a call of GetMetricStatistics, one for each query of GetMetricData.",
    ["metric_name", "namespace"],
);
pub(crate) static TAGGING_REQUESTS: Labelled<Counter, 2> = Labelled::counter(
    "tagging_api_requests_total",
    "Requests sent to the tagging service, every attempt of a call counted.",
    ["action", "resource_type"],
);
pub(crate) static RETRIES: Labelled<Counter, 2> = Labelled::counter(
    "cloudwatch_request_retries_total",
    "Requests that were sent because an attempt before them was throttled or failed.",
    ["action", "namespace"],
);
pub(crate) static FAILED: Labelled<Counter, 3> = Labelled::counter(
    "cloudwatch_failed_calls_total",
    "Calls given up after all attempts; their metrics are missing until they are asked for again.",
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
    "Times that CloudWatch was asked. Scrapes in between are answered from what is known.",
);
pub(crate) static LIMITED: Labelled<Counter, 1> = Labelled::counter(
    "cloudwatch_exporter_limited_fetches_total",
    "Fetches that ended at a limit: three times the planned calls or billed units.",
    ["limit"],
);
pub(crate) static SCRAPE_ERROR: Metric<Gauge> = Metric::gauge(
    "cloudwatch_exporter_scrape_error",
    "Whether something on this page is missing because a call failed.",
);
pub(crate) static SCRAPE_DURATION: Metric<Gauge> = Metric::gauge(
    "cloudwatch_exporter_scrape_duration_seconds",
    "How long this scrape took, fetching included where it was due.",
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
    "What a month costs at list price as it is asked now; 0 without a budget.",
);
pub(crate) static STRETCHED: Metric<Gauge> = Metric::gauge(
    "cloudwatch_exporter_budget_stretched_rules",
    "Rules that are asked for less often than each period, to stay within the budget.",
);

/// All of them, in the order of the exposition.
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

/// A request of which each attempt is counted.
pub(crate) fn attempts(
    family: &Labelled<Counter, 2>,
    action: &str,
    scope: &str,
) -> (Series<Counter>, Series<Counter>) {
    (family.with([action, scope]), RETRIES.with([action, scope]))
}

/// An answered request that is billed as such, and asked for a metric or for a list.
pub(crate) fn answered(action: &str, namespace: &str, metric: Option<&str>) {
    BILLED.with([action, namespace]).inc();
    if let Some(metric) = metric {
        METRICS.with([metric, namespace]).inc();
    }
    cost(1, 1);
}

/// An answered request of `GetMetricData`, with the queries of each metric in it.
pub(crate) fn data_answered<'a>(
    action: &str,
    namespace: &str,
    billed: u64,
    queries: impl IntoIterator<Item = (&'a str, u64)>,
) {
    BILLED.with([action, namespace]).inc_by(billed);
    let mut all = 0;
    for (metric, count) in queries {
        METRICS.with([metric, namespace]).inc_by(count);
        all += count;
    }
    cost(billed, all);
}

fn cost(bundles: u64, queries: u64) {
    DOLLARS.with(["five_statistics"]).add(bundles as f64 * UNIT);
    DOLLARS.with(["query"]).add(queries as f64 * UNIT);
}
