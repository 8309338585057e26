//! The cost of metric streams.

use std::collections::HashSet;

use super::MONTH;
use crate::cost::{FIREHOSE_GIGABYTE_PRICE, STREAM_UPDATE_PRICE};
use crate::results::{DimensionSet, Results};
use crate::rule::Rule;

/// The assumed size of one update in Firehose, in bytes. OpenTelemetry needs less than JSON.
const UPDATE_BYTES: f64 = 500.0;

/// The assumed interval between the updates of a metric, in seconds. Metrics are updated at most once a
/// minute.
const UPDATE_INTERVAL: f64 = 60.0;

/// The number of extended statistics that are billed as one update.
const STATISTICS_PER_UPDATE: usize = 5;

/// The cost in dollars a month of streaming the metric of each rule at one target, whether or not a
/// stream can feed the rule.
pub(super) fn dollars(rules: &[Rule], results: &[Results]) -> Vec<f64> {
    // A metric that several rules share is streamed once, and counted for the first of those that
    // are fed by a stream, or else for the first.
    let mut counted: HashSet<(&str, &str, &DimensionSet)> = HashSet::new();
    let mut dollars = vec![0.0; rules.len()];
    for from_stream in [true, false] {
        for ((rule, results), dollars) in rules.iter().zip(results).zip(&mut dollars) {
            if rule.from_stream != from_stream {
                continue;
            }
            // A stream selects metrics by name, so it includes sets that tags do not select.
            let all = if results.listed.len() > results.sets.len() {
                results.listed.iter()
            } else {
                results.sets.iter()
            };
            let new = all
                .map(|set| counted.insert((rule.namespace.as_str(), rule.metric.as_str(), set)))
                .filter(|is_new| *is_new);
            *dollars = updates(rule, new.count())
                * (STREAM_UPDATE_PRICE + UPDATE_BYTES / 1e9 * FIREHOSE_GIGABYTE_PRICE);
        }
    }
    dollars
}

/// The billed updates of a month.
fn updates(rule: &Rule, sets: usize) -> f64 {
    let extended = rule.statistics.iter().filter(|statistic| statistic.is_extended).count();
    (sets * (1 + extended.div_ceil(STATISTICS_PER_UPDATE))) as f64 * MONTH / UPDATE_INTERVAL
}
