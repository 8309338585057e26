//! The prices of AWS: its price list of 2026 for most regions.

use crate::results::Size;
use crate::rule::{Api, Rule, Statistic};

/// The price in dollars of one metric of `GetMetricData`, and of one request of the other operations.
pub(crate) const UNIT_PRICE: f64 = 0.01 / 1000.0;

/// The price in dollars of one update of a metric in a metric stream.
pub(crate) const STREAM_UPDATE_PRICE: f64 = 0.003 / 1000.0;

/// The price in dollars of a gigabyte that Firehose delivers.
pub(crate) const FIREHOSE_GIGABYTE_PRICE: f64 = 0.029;

/// Free requests of an account each month; metrics of `GetMetricData` are not included.
pub(crate) const FREE_REQUESTS: f64 = 1_000_000.0;

/// The number of statistics of one metric that are billed as one metric, in one call of
/// `GetMetricData`.
const STATISTICS_PER_BILLED_METRIC: usize = 5;

/// The maximum number of queries in a call of `GetMetricData`.
pub(crate) const MAX_QUERIES: usize = 500;

/// The maximum number of datapoints on a page of `GetMetricData`.
pub(crate) const MAX_DATAPOINTS: usize = 100_800;

/// The maximum number of datapoints of a call of `GetMetricStatistics`.
pub(crate) const MAX_STATISTICS_DATAPOINTS: u32 = 1440;

/// The maximum number of extended statistics in a call of `GetMetricStatistics`.
pub(crate) const MAX_EXTENDED_STATISTICS: usize = 10;

/// The number of metrics that AWS bills for this many statistics of one metric in one call of
/// `GetMetricData`.
pub(crate) fn billed_metrics(statistics: usize) -> u64 {
    statistics.div_ceil(STATISTICS_PER_BILLED_METRIC) as u64
}

/// The number of `GetMetricStatistics` calls for these statistics of one metric: one for the basic
/// ones, and others for the extended ones.
pub(crate) fn statistics_calls(statistics: &[Statistic]) -> u64 {
    let extended = statistics.iter().filter(|statistic| statistic.is_extended).count();
    u64::from(extended < statistics.len()) + extended.div_ceil(MAX_EXTENDED_STATISTICS) as u64
}

/// The number of `ListMetrics` requests a month that keep the list of a rule current.
pub(crate) fn list_requests_per_month(rule: &Rule, size: Size, scrape: u64) -> f64 {
    let scrape = scrape.max(rule.list_ttl.as_secs());
    f64::from(size.pages) * rule.window.queries_per_month(scrape)
}

/// Chooses the operation of each rule. If the configuration does not set it, `GetMetricStatistics` is
/// used while it is free or cheaper than `GetMetricData`. Otherwise both cost the same, and
/// `GetMetricData` needs far fewer calls.
pub(crate) fn choose_apis(rules: &[(&Rule, Size)], scrape: u64) -> Vec<Api> {
    let requests = |rule: &Rule, size: Size| {
        let calls = size.sets as f64 * statistics_calls(&rule.statistics) as f64;
        calls * rule.window.queries_per_month(scrape)
    };
    let mut free = FREE_REQUESTS;
    for (rule, size) in rules {
        free -= list_requests_per_month(rule, *size, scrape);
        if rule.api == Some(Api::Statistics) {
            free -= requests(rule, *size);
        }
    }
    let mut choose_api = |(rule, size): &(&Rule, Size)| {
        if rule.window.datapoints() > MAX_STATISTICS_DATAPOINTS {
            return Api::Data;
        }
        if let Some(api) = rule.api {
            return api;
        }
        let requests = requests(rule, *size);
        if requests <= free {
            free -= requests;
            return Api::Statistics;
        }
        let is_cheaper = statistics_calls(&rule.statistics) < billed_metrics(rule.statistics.len());
        if is_cheaper { Api::Statistics } else { Api::Data }
    };
    rules.iter().map(&mut choose_api).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::rule;

    fn statistics(basic: usize, extended: usize) -> Vec<Statistic> {
        let named = |name: String, is_extended| Statistic { name, is_extended };
        let basic = (0..basic).map(|n| named(format!("Basic{n}"), false));
        basic.chain((0..extended).map(|n| named(format!("p{n}"), true))).collect()
    }

    #[test]
    fn billed_metrics_and_calls_are_counted() {
        for (basic, extended, expected) in [
            (5, 0, (1, 1)),
            (1, 0, (1, 1)),
            (0, 1, (1, 1)),
            (5, 1, (2, 2)),
            (0, 11, (3, 2)),
            (3, 10, (3, 2)),
        ] {
            let statistics = statistics(basic, extended);
            let found = (billed_metrics(statistics.len()), statistics_calls(&statistics));
            assert_eq!(found, expected, "{basic} and {extended}");
        }
    }

    #[test]
    fn free_requests_are_used_first() {
        use Api::{Data, Statistics};
        let open = rule("A", "Open", &["D"]);
        let mut many = rule("A", "Many", &["D"]);
        many.statistics = statistics(0, 10);
        let mut fixed = rule("A", "Fixed", &["D"]);
        fixed.api = Some(Data);
        let mut old = rule("A", "Old", &["D"]);
        old.api = Some(Statistics);
        let size = |sets| Size { sets, pages: 1 };
        // 43,200 times a month: 23 requests each time are free, including those for lists.
        let apis = |rules: &[(&Rule, Size)]| choose_apis(rules, 60);
        assert_eq!(apis(&[(&open, size(21)), (&fixed, size(9))]), [Statistics, Data]);
        assert_eq!(apis(&[(&open, size(23))]), [Data]);
        assert_eq!(apis(&[(&open, size(11)), (&open, size(11))]), [Statistics, Data]);
        assert_eq!(apis(&[(&open, size(11)), (&open, size(10))]), [Statistics, Statistics]);
        assert_eq!(apis(&[(&open, size(2)), (&old, size(20))]), [Data, Statistics]);
        assert_eq!(apis(&[(&many, size(500))]), [Statistics], "half as many units are billed");
        assert_eq!(choose_apis(&[(&open, size(23))], 120), [Statistics], "scraped half as often");
    }
}
