//! The cost of metric streams.

use std::collections::HashSet;

use super::MONTH;
use crate::cost::{FIREHOSE_GIGABYTE, STREAM_UPDATE};
use crate::results::{Results, Set};
use crate::rule::Rule;

/// Bytes of one update in Firehose. OpenTelemetry has fewer than JSON.
const BYTES: f64 = 500.0;

/// A metric with most datapoints has one a minute. The estimate assumes it of all.
const MINUTE: f64 = 60.0;

/// Statistics beyond the usual ones that are billed as one update.
const BUNDLE: usize = 5;

/// The dollars of a month for a stream of the metric of each rule at one target, before it is known
/// whether a stream can feed the rule.
pub(super) fn dollars(rules: &[Rule], results: &[Results]) -> Vec<f64> {
    // A metric that several rules share is streamed once, and counted for the first of those that
    // are fed by a stream, or else for the first.
    let mut counted: HashSet<(&str, &str, &Set)> = HashSet::new();
    let mut dollars = vec![0.0; rules.len()];
    for from_stream in [true, false] {
        for ((rule, results), dollars) in rules.iter().zip(results).zip(&mut dollars) {
            if rule.from_stream != from_stream {
                continue;
            }
            // A stream selects metrics by name: it has the sets as well that tags do not select.
            let all = if results.listed.len() > results.sets.len() {
                results.listed.iter()
            } else {
                results.sets.iter()
            };
            let new = all
                .map(|set| counted.insert((rule.namespace.as_str(), rule.metric.as_str(), set)))
                .filter(|is_new| *is_new);
            *dollars =
                updates(rule, new.count()) * (STREAM_UPDATE + BYTES / 1e9 * FIREHOSE_GIGABYTE);
        }
    }
    dollars
}

/// The billed updates of a month.
fn updates(rule: &Rule, sets: usize) -> f64 {
    let extended = rule.statistics.iter().filter(|statistic| statistic.is_extended).count();
    (sets * (1 + extended.div_ceil(BUNDLE))) as f64 * MONTH / MINUTE
}
