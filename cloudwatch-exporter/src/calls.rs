//! Groups the queries of rules into calls. The grouping determines the cost.

pub(crate) mod context;

use std::collections::BTreeMap;

use crate::cost::{self, MAX_DATAPOINTS, MAX_EXTENDED_STATISTICS, MAX_QUERIES};
use crate::results::{Point, Results};
use crate::rule::{Api, Rule, Window};

/// A rule with pending points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleQueries<'a> {
    /// The index of the rule in the configuration.
    pub(crate) index: usize,
    pub(crate) rule: &'a Rule,
    pub(crate) results: &'a Results,
    pub(crate) api: Api,
}

/// One statistic of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) rule: usize,
    pub(crate) set: usize,
    pub(crate) statistic: usize,
}

/// One call to AWS, with all pages of its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) api: Api,
    /// Queries of one namespace and one window. The statistics of a metric are consecutive. With
    /// [`Api::Statistics`], all queries are of one metric, and either basic or extended.
    pub(crate) queries: Vec<Query>,
    /// The number of queries of each metric, including those of several rules with the same metric.
    pub(crate) metrics: Vec<u32>,
    /// The billed units: metrics or, with [`Api::Statistics`], one request.
    pub(crate) billed: u64,
}

impl Call {
    /// A call that repeats some queries. `metrics` has the queries of each metric.
    pub(crate) fn retry(api: Api, metrics: &[Vec<Query>]) -> Self {
        let billed = match api {
            Api::Data => metrics.iter().map(|metric| cost::billed_metrics(metric.len())).sum(),
            Api::Statistics => 1,
        };
        let size = |metric: &Vec<Query>| u32::try_from(metric.len()).unwrap_or(u32::MAX);
        Self { api, queries: metrics.concat(), metrics: metrics.iter().map(size).collect(), billed }
    }

    /// The queries of each metric.
    pub(crate) fn by_metric(&self) -> impl Iterator<Item = &[Query]> {
        let mut rest = self.queries.as_slice();
        self.metrics.iter().map(move |size| {
            let size = usize::try_from(*size).unwrap_or(usize::MAX).min(rest.len());
            let (metric, after) = rest.split_at(size);
            rest = after;
            metric
        })
    }
}

/// The calls for all pending points: as few calls as possible, and no metric is billed twice.
pub(crate) fn calls(entries: &[RuleQueries<'_>]) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut groups: BTreeMap<(Window, &str), Vec<RuleQueries<'_>>> = BTreeMap::new();
    for entry in entries {
        match entry.api {
            Api::Statistics => statistics_calls(*entry, &mut calls),
            Api::Data => {
                groups.entry((entry.rule.window, &entry.rule.namespace)).or_default().push(*entry);
            }
        }
    }
    for ((window, _), group) in &groups {
        data_calls(group, queries_per_call(*window), &mut calls);
    }
    calls
}

/// The number of queries of a window that fit in one call and in one page of its response. Each page is
/// another request, which may be billed.
fn queries_per_call(window: Window) -> usize {
    let points = window.datapoints() as usize;
    (MAX_DATAPOINTS / points).clamp(1, MAX_QUERIES)
}

/// The queries for the pending points of one dimension set.
fn pending(entry: RuleQueries<'_>, set: usize) -> impl Iterator<Item = Query> {
    let points = entry.results.set_points(set, entry.rule.statistics.len()).iter().enumerate();
    points.filter(|(_, point)| **point == Point::Pending).map(move |(statistic, _)| Query {
        rule: entry.index,
        set,
        statistic,
    })
}

fn statistics_calls(entry: RuleQueries<'_>, calls: &mut Vec<Call>) {
    for set in 0..entry.results.sets.len() {
        let is_extended = |query: &Query| {
            entry.rule.statistics.get(query.statistic).is_some_and(|known| known.is_extended)
        };
        let (extended, basic): (Vec<_>, Vec<_>) = pending(entry, set).partition(is_extended);
        let parts = [basic.as_slice()].into_iter().chain(extended.chunks(MAX_EXTENDED_STATISTICS));
        calls.extend(parts.filter(|queries| !queries.is_empty()).map(|queries| Call {
            api: Api::Statistics,
            queries: queries.to_vec(),
            metrics: vec![u32::try_from(queries.len()).unwrap_or(u32::MAX)],
            billed: 1,
        }));
    }
}

fn data_calls(group: &[RuleQueries<'_>], max_queries: usize, calls: &mut Vec<Call>) {
    let mut batch = Batch::new(max_queries);
    for metric in metrics(group) {
        let start = batch.queries.len();
        for (entry, set) in metric {
            batch.queries.extend(pending(entry, set));
        }
        batch.end_metric(start, calls);
    }
    batch.flush(calls);
}

/// The metrics of a group. Each is a rule and a dimension set, or several if rules have the same metric.
fn metrics<'a>(group: &[RuleQueries<'a>]) -> Vec<Vec<(RuleQueries<'a>, usize)>> {
    let mut by_name: BTreeMap<&str, Vec<RuleQueries<'a>>> = BTreeMap::new();
    for entry in group {
        by_name.entry(&entry.rule.metric).or_default().push(*entry);
    }
    let mut metrics = Vec::new();
    for entries in by_name.values() {
        if let [entry] = entries.as_slice() {
            metrics.extend((0..entry.results.sets.len()).map(|set| vec![(*entry, set)]));
            continue;
        }
        let mut by_dimensions = BTreeMap::<_, Vec<_>>::new();
        for entry in entries {
            for (set, values) in entry.results.sets.iter().enumerate() {
                let mut key: Vec<_> = values.pairs().collect();
                key.sort_unstable();
                let key = (values.owner.as_deref(), key);
                by_dimensions.entry(key).or_default().push((*entry, set));
            }
        }
        metrics.extend(by_dimensions.into_values());
    }
    metrics
}

/// A call of `GetMetricData` that is being assembled.
struct Batch {
    max_queries: usize,
    queries: Vec<Query>,
    metrics: Vec<u32>,
}

impl Batch {
    fn new(max_queries: usize) -> Self {
        Self { max_queries, queries: Vec::new(), metrics: Vec::new() }
    }

    /// Ends a metric, whose queries begin at index `start`. If they do not fit, they are moved to a new
    /// call, because a metric with statistics in two calls is billed twice.
    fn end_metric(&mut self, start: usize, calls: &mut Vec<Call>) {
        let mut count = self.queries.len() - start;
        if count == 0 {
            return;
        }
        if self.queries.len() > self.max_queries {
            let moved = self.queries.split_off(start);
            self.flush(calls);
            self.queries = moved;
            while self.queries.len() > self.max_queries {
                let rest = self.queries.split_off(self.max_queries);
                self.add_metric(self.max_queries);
                self.flush(calls);
                self.queries = rest;
            }
            count = self.queries.len();
        }
        self.add_metric(count);
    }

    fn add_metric(&mut self, queries: usize) {
        self.metrics.push(u32::try_from(queries).unwrap_or(u32::MAX));
    }

    fn flush(&mut self, calls: &mut Vec<Call>) {
        let full = std::mem::replace(self, Self::new(self.max_queries));
        if !full.queries.is_empty() {
            let size =
                |size: &u32| cost::billed_metrics(usize::try_from(*size).unwrap_or(usize::MAX));
            let billed = full.metrics.iter().map(size).sum();
            calls.push(Call {
                api: Api::Data,
                queries: full.queries,
                metrics: full.metrics,
                billed,
            });
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::results::DimensionSet;
    use crate::rule::Statistic;
    use crate::rule::tests::rule;

    pub(crate) fn results(rule: &Rule, sets: usize) -> Results {
        let names = rule.dimensions.clone().unwrap_or_default();
        let values = |set: usize| vec![Box::from(format!("v{set}").as_str()); names.len()];
        let set = |set| DimensionSet {
            names: Arc::clone(&names),
            values: values(set).into(),
            owner: None,
        };
        Results {
            sets: Arc::new((0..sets).map(set).collect()),
            points: vec![Point::Pending; sets * rule.statistics.len()],
            ..Results::default()
        }
    }

    /// Results with this many sets of a rule, and the calls for them.
    pub(crate) fn calls_for(
        rule: &Rule,
        api: Api,
        sets: usize,
    ) -> (BTreeMap<usize, Results>, Vec<Call>) {
        let results = Results { span: (1_800_000_000, 1_800_000_600), ..results(rule, sets) };
        let calls = calls(&[RuleQueries { index: 0, rule, results: &results, api }]);
        (BTreeMap::from([(0, results)]), calls)
    }

    fn planned(entries: &[(&Rule, Api, usize)]) -> Vec<Call> {
        let known: Vec<_> = entries.iter().map(|(rule, _, sets)| results(rule, *sets)).collect();
        let entries = entries.iter().zip(&known).enumerate();
        let entries: Vec<_> = entries
            .map(|(index, ((rule, api, _), results))| RuleQueries {
                index,
                rule,
                results,
                api: *api,
            })
            .collect();
        calls(&entries)
    }

    fn shape(calls: &[Call]) -> Vec<(usize, u64)> {
        calls.iter().map(|call| (call.queries.len(), call.billed)).collect()
    }

    fn percentiles(rule: &mut Rule, count: usize) {
        let named = |n| Statistic { name: format!("p{n}"), is_extended: true };
        rule.statistics.extend((0..count).map(named));
    }

    #[test]
    fn each_metric_is_billed_once() {
        let rules: Vec<_> = (0..20).map(|n| rule("A", &format!("M{n}"), &["D"])).collect();
        let entries: Vec<_> = rules.iter().map(|rule| (rule, Api::Data, 500)).collect();
        let calls = planned(&entries);
        assert_eq!(calls.len(), 100);
        assert_eq!(calls.iter().map(|call| call.queries.len()).sum::<usize>(), 50_000);
        assert_eq!(calls.iter().map(|call| call.billed).sum::<u64>(), 10_000);
    }

    #[test]
    fn the_statistics_of_a_metric_stay_together() {
        let mut three = rule("A", "M", &["D"]);
        three.statistics.truncate(3);
        assert_eq!(shape(&planned(&[(&three, Api::Data, 167)])), [(498, 166), (3, 1)]);
        let mut seven = rule("A", "M", &["D"]);
        percentiles(&mut seven, 2);
        assert_eq!(shape(&planned(&[(&seven, Api::Data, 72)])), [(497, 142), (7, 2)]);
        let mut huge = rule("A", "M", &["D"]);
        percentiles(&mut huge, 700);
        assert_eq!(
            shape(&planned(&[(&huge, Api::Data, 2)])),
            [(500, 100), (205, 41), (500, 100), (205, 41)]
        );
    }

    #[test]
    fn rules_with_the_same_metric_are_billed_once() {
        let mut averages = rule("A", "M", &["D", "E"]);
        averages.statistics.retain(|statistic| statistic.name == "Average");
        let mut sums = rule("A", "M", &["E", "D"]);
        sums.statistics.retain(|statistic| statistic.name == "Sum");
        let calls = planned(&[(&averages, Api::Data, 3), (&sums, Api::Data, 3)]);
        assert_eq!(shape(&calls), [(6, 3)]);
        let rules: Vec<_> = calls[0].queries.iter().map(|query| query.rule).collect();
        assert_eq!(rules, [0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn windows_and_namespaces_have_separate_calls() {
        let one = rule("A", "M", &["D"]);
        let other = rule("B", "M", &["D"]);
        let mut slow = rule("A", "N", &["D"]);
        slow.window.period = 300;
        let entries = [(&one, Api::Data, 1), (&other, Api::Data, 1), (&slow, Api::Data, 1)];
        assert_eq!(shape(&planned(&entries)), [(5, 1), (5, 1), (5, 1)]);
    }

    #[test]
    fn a_long_range_makes_smaller_calls_instead_of_pages() {
        let mut long = rule("A", "M", &["D"]);
        long.window.range = 60 * 2880;
        assert_eq!(shape(&planned(&[(&long, Api::Data, 8)])), [(35, 7), (5, 1)]);
        long.window.range = u32::MAX;
        long.statistics.truncate(2);
        assert_eq!(shape(&planned(&[(&long, Api::Data, 1)])), [(1, 1), (1, 1)]);
    }

    #[test]
    fn calls_have_either_basic_or_extended_statistics() {
        let mut rule = rule("A", "M", &["D"]);
        percentiles(&mut rule, 12);
        let calls = planned(&[(&rule, Api::Statistics, 2)]);
        assert_eq!(shape(&calls), [(5, 1), (10, 1), (2, 1), (5, 1), (10, 1), (2, 1)]);
        assert!(calls.iter().all(|call| call.api == Api::Statistics));
    }

    #[test]
    fn known_points_are_not_queried_again() {
        let rule = rule("A", "M", &["D"]);
        let mut results = results(&rule, 3);
        for (index, point) in results.points.iter_mut().enumerate() {
            if index != 7 {
                *point = if index % 2 == 0 {
                    Point::NoData
                } else {
                    Point::Value { value: 1.0, millis: 1 }
                };
            }
        }
        for api in [Api::Data, Api::Statistics] {
            let entry = RuleQueries { index: 4, rule: &rule, results: &results, api };
            let query = Query { rule: 4, set: 1, statistic: 2 };
            assert_eq!(
                calls(&[entry]),
                [Call { api, queries: vec![query], metrics: vec![1], billed: 1 }]
            );
        }
        assert!(planned(&[(&rule, Api::Data, 0)]).is_empty());
    }
}
