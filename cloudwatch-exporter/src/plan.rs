//! From rules to calls, before anything is asked: what it will cost is decided here.

pub(crate) mod table;

use std::collections::BTreeMap;

use crate::cost::{self, DATAPOINTS, EXTENDED, QUERIES};
use crate::rule::{Api, Rule, Window};
use crate::sheet::{Point, Sheet};

/// A rule whose points are to be asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// Its place in the configuration.
    pub(crate) index: usize,
    pub(crate) rule: &'a Rule,
    pub(crate) sheet: &'a Sheet,
    pub(crate) api: Api,
}

/// One statistic of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) rule: usize,
    pub(crate) set: usize,
    pub(crate) statistic: usize,
}

/// One request to AWS, but for its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) api: Api,
    /// Of one namespace and one window, the statistics of a metric side by side. With
    /// [`Api::Statistics`] they are all of one metric, and either plain or extended.
    pub(crate) queries: Vec<Query>,
    /// What it is billed as: metrics or, with [`Api::Statistics`], one request.
    pub(crate) billed: u64,
}

/// All points that are open, in as few calls as may be and with no metric billed twice.
pub(crate) fn calls(asks: &[Ask<'_>]) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut groups: BTreeMap<(Window, &str), Vec<Ask<'_>>> = BTreeMap::new();
    for ask in asks {
        match ask.api {
            Api::Statistics => one_by_one(*ask, &mut calls),
            Api::Data => {
                groups.entry((ask.rule.window, &ask.rule.namespace)).or_default().push(*ask);
            }
        }
    }
    for ((window, _), group) in &groups {
        batched(group, room(*window), &mut calls);
    }
    calls
}

/// Queries of a window that fit in one call and in one page of its answer: each page is another
/// request, and may be billed as one.
fn room(window: Window) -> usize {
    let points = window.range.div_ceil(window.period.max(1)).max(1) as usize;
    (DATAPOINTS / points).clamp(1, QUERIES)
}

/// What is open of one set.
fn open(ask: Ask<'_>, set: usize) -> impl Iterator<Item = Query> {
    let points = ask.sheet.of(set, ask.rule.statistics.len()).iter().enumerate();
    points.filter(|(_, point)| **point == Point::Open).map(move |(statistic, _)| Query {
        rule: ask.index,
        set,
        statistic,
    })
}

fn one_by_one(ask: Ask<'_>, calls: &mut Vec<Call>) {
    for set in 0..ask.sheet.sets.len() {
        let is_extended = |query: &Query| {
            ask.rule.statistics.get(query.statistic).is_some_and(|known| known.is_extended)
        };
        let (extended, plain): (Vec<_>, Vec<_>) = open(ask, set).partition(is_extended);
        let parts = [plain.as_slice()].into_iter().chain(extended.chunks(EXTENDED));
        calls.extend(parts.filter(|queries| !queries.is_empty()).map(|queries| Call {
            api: Api::Statistics,
            queries: queries.to_vec(),
            billed: 1,
        }));
    }
}

fn batched(group: &[Ask<'_>], room: usize, calls: &mut Vec<Call>) {
    let mut batch = Batch::new(room);
    for metric in metrics(group) {
        let start = batch.queries.len();
        for (ask, set) in metric {
            batch.queries.extend(open(ask, set));
        }
        batch.end_metric(start, calls);
    }
    batch.flush(calls);
}

/// The metrics of a group: each a rule and a set, or several where rules ask for the same metric.
fn metrics<'a>(group: &[Ask<'a>]) -> Vec<Vec<(Ask<'a>, usize)>> {
    let mut by_name: BTreeMap<&str, Vec<Ask<'a>>> = BTreeMap::new();
    for ask in group {
        by_name.entry(&ask.rule.metric).or_default().push(*ask);
    }
    let mut metrics = Vec::new();
    for asks in by_name.values() {
        if let [ask] = asks.as_slice() {
            metrics.extend((0..ask.sheet.sets.len()).map(|set| vec![(*ask, set)]));
            continue;
        }
        let mut by_dimensions: BTreeMap<Vec<(&str, &str)>, Vec<_>> = BTreeMap::new();
        for ask in asks {
            for (set, values) in ask.sheet.sets.iter().enumerate() {
                let names = ask.rule.dimensions.as_deref().unwrap_or_default().iter();
                let pairs = names.map(String::as_str).zip(values.iter().map(|value| &**value));
                let mut key: Vec<_> = pairs.collect();
                key.sort_unstable();
                by_dimensions.entry(key).or_default().push((*ask, set));
            }
        }
        metrics.extend(by_dimensions.into_values());
    }
    metrics
}

/// A call of `GetMetricData` as it fills.
struct Batch {
    room: usize,
    queries: Vec<Query>,
    billed: u64,
}

impl Batch {
    fn new(room: usize) -> Self {
        Self { room, queries: Vec::new(), billed: 0 }
    }

    /// The queries from `start` on are one metric's. Where they do not fit, a new call begins with
    /// them: a metric whose statistics are in two calls is billed in both.
    fn end_metric(&mut self, start: usize, calls: &mut Vec<Call>) {
        let mut mine = self.queries.len() - start;
        if mine == 0 {
            return;
        }
        if self.queries.len() > self.room {
            let moved = self.queries.split_off(start);
            self.flush(calls);
            self.queries = moved;
            while self.queries.len() > self.room {
                let rest = self.queries.split_off(self.room);
                self.billed = cost::bundles(self.room);
                self.flush(calls);
                self.queries = rest;
            }
            mine = self.queries.len();
        }
        self.billed += cost::bundles(mine);
    }

    fn flush(&mut self, calls: &mut Vec<Call>) {
        let full = std::mem::replace(self, Self::new(self.room));
        if !full.queries.is_empty() {
            calls.push(Call { api: Api::Data, queries: full.queries, billed: full.billed });
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rule::Statistic;
    use crate::rule::tests::rule;

    pub(crate) fn sheet(rule: &Rule, sets: usize) -> Sheet {
        let names = rule.dimensions.as_ref().map_or(0, Vec::len);
        let value = |set: usize| vec![Box::from(format!("v{set}").as_str()); names];
        Sheet {
            sets: Arc::new((0..sets).map(|set| value(set).into_boxed_slice()).collect()),
            points: vec![Point::Open; sets * rule.statistics.len()],
            ..Sheet::default()
        }
    }

    /// The calls for so many sets of a rule.
    pub(crate) fn calls_for(
        rule: &Rule,
        api: Api,
        sets: usize,
    ) -> (BTreeMap<usize, Sheet>, Vec<Call>) {
        let sheet = Sheet { span: (1_800_000_000, 1_800_000_600), ..sheet(rule, sets) };
        let calls = calls(&[Ask { index: 0, rule, sheet: &sheet, api }]);
        (BTreeMap::from([(0, sheet)]), calls)
    }

    fn planned(asks: &[(&Rule, Api, usize)]) -> Vec<Call> {
        let sheets: Vec<_> = asks.iter().map(|(rule, _, sets)| sheet(rule, *sets)).collect();
        let asks = asks.iter().zip(&sheets).enumerate();
        let asks: Vec<_> = asks
            .map(|(index, ((rule, api, _), sheet))| Ask { index, rule, sheet, api: *api })
            .collect();
        calls(&asks)
    }

    fn shape(calls: &[Call]) -> Vec<(usize, u64)> {
        calls.iter().map(|call| (call.queries.len(), call.billed)).collect()
    }

    fn percentiles(rule: &mut Rule, count: usize) {
        let named = |n| Statistic { name: format!("p{n}"), is_extended: true };
        rule.statistics.extend((0..count).map(named));
    }

    #[test]
    fn a_metric_is_billed_once_however_many_there_are() {
        let rules: Vec<_> = (0..20).map(|n| rule("A", &format!("M{n}"), &["D"])).collect();
        let asks: Vec<_> = rules.iter().map(|rule| (rule, Api::Data, 500)).collect();
        let calls = planned(&asks);
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
    fn rules_that_ask_for_the_same_metric_are_billed_once() {
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
    fn windows_and_namespaces_have_calls_of_their_own() {
        let one = rule("A", "M", &["D"]);
        let other = rule("B", "M", &["D"]);
        let mut slow = rule("A", "N", &["D"]);
        slow.window.period = 300;
        let asks = [(&one, Api::Data, 1), (&other, Api::Data, 1), (&slow, Api::Data, 1)];
        assert_eq!(shape(&planned(&asks)), [(5, 1), (5, 1), (5, 1)]);
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
    fn statistics_one_by_one_are_plain_or_extended() {
        let mut rule = rule("A", "M", &["D"]);
        percentiles(&mut rule, 12);
        let calls = planned(&[(&rule, Api::Statistics, 2)]);
        assert_eq!(shape(&calls), [(5, 1), (10, 1), (2, 1), (5, 1), (10, 1), (2, 1)]);
        assert!(calls.iter().all(|call| call.api == Api::Statistics));
    }

    #[test]
    fn what_is_answered_is_not_asked_again() {
        let rule = rule("A", "M", &["D"]);
        let mut sheet = sheet(&rule, 3);
        for (at, point) in sheet.points.iter_mut().enumerate() {
            if at != 7 {
                *point =
                    if at % 2 == 0 { Point::Nothing } else { Point::At { value: 1.0, millis: 1 } };
            }
        }
        for api in [Api::Data, Api::Statistics] {
            let ask = Ask { index: 4, rule: &rule, sheet: &sheet, api };
            let query = Query { rule: 4, set: 1, statistic: 2 };
            assert_eq!(calls(&[ask]), [Call { api, queries: vec![query], billed: 1 }]);
        }
        assert!(planned(&[(&rule, Api::Data, 0)]).is_empty());
    }
}
