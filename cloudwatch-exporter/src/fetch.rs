//! Fetches what is due from one target: first the dimension sets, then the datapoints, many calls
//! at once. A call that fails costs its own metrics and no others.

pub(crate) mod allowance;
pub(crate) mod pending;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_cloudwatch::types::Dimension;
use futures_util::{StreamExt, stream};
use tokio::time::{sleep, timeout_at};

use self::allowance::Allowance;
use crate::cloud::{Cloud, Failure};
use crate::cost;
use crate::plan::{self, Call, Query, RuleQueries};
use crate::results::{Point, Results, Set};
use crate::rule::{Api, Rule, Statistic};
use crate::usage;

/// After this many seconds, what a fetch could not get is asked for again.
pub(crate) const RETRY: u64 = 10;

/// How often queries are asked again that were throttled to the end, or answered with an error.
const ROUNDS: u32 = 3;

/// Before the second round; the next one is longer.
const PAUSE: Duration = Duration::from_millis(250);

/// A fetch ends after this time, whatever is still to be asked.
const LONGEST: Duration = Duration::from_mins(10);

/// Results are published at most this often while a fetch goes on.
const PUBLISH: Duration = Duration::from_millis(100);

/// What to fetch, and with what it is known already.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) rules: &'a [Rule],
    /// The places of the rules that are due.
    pub(crate) due: Vec<usize>,
    /// Results by the place of their rule.
    pub(crate) known: BTreeMap<usize, Arc<Results>>,
    /// In how many of a rule's periods it is asked for once, where that is not each period.
    pub(crate) stretch: BTreeMap<usize, u32>,
    /// In seconds since 1970.
    pub(crate) now: u64,
    /// Calls under way at most.
    pub(crate) concurrency: usize,
    /// The least time between two scrapes, in seconds, as far as costs depend on it.
    pub(crate) scrape: u64,
}

/// Fetches, and hands the results of a rule to `publish` as they come. Returns what failed.
pub(crate) async fn fetch(
    cloud: &Cloud,
    job: Job<'_>,
    publish: &(dyn Fn(usize, Results) + Send + Sync),
) -> Vec<Failure> {
    usage::FETCHES.inc();
    let start = Instant::now();
    let allowance = Allowance::default();
    let (results, failures) = pending::pending(cloud, &job, &allowance).await;
    let apis = cost::choose(&sizes(&job, &results), job.scrape);
    let context = Context::new(cloud, job.rules, &results, &allowance);
    let mut fetch = Fetch {
        context: &context,
        concurrency: job.concurrency,
        results,
        failures,
        deadline: start + LONGEST,
        published: Instant::now(),
        changed: Vec::new(),
        publish,
    };
    fetch.publish_all();
    let may_choose = !cloud.is_data_denied();
    let calls = fetch.calls(|index, rule| match (rule.api, apis.get(index)) {
        (None, Some(api)) if may_choose => Some(*api),
        (None, _) => Some(Api::Statistics),
        (given, _) => given,
    });
    fetch.run(calls).await;
    if may_choose && cloud.is_data_denied() {
        let calls = fetch.calls(|_, rule| rule.api.is_none().then_some(Api::Statistics));
        fetch.run(calls).await;
    }
    let ended = job.now + start.elapsed().as_secs();
    if let Some(limit) = allowance.reached() {
        usage::LIMITED.with([limit.label()]).inc();
    }
    for (index, mut results) in std::mem::take(&mut fetch.results) {
        let Some(rule) = job.rules.get(index) else { continue };
        let is_pending = results.points.contains(&Point::Pending);
        results.is_incomplete |= is_pending;
        let stretch = job.stretch.get(&index).copied().unwrap_or(1);
        results.good_until = rule.window.good_until(job.now, stretch);
        if allowance.reached().is_some() {
            // A repetition would be as expensive.
            results.good_until =
                results.good_until.max(ended + u64::from(rule.window.period).max(60));
        } else if results.is_incomplete {
            results.good_until = results.good_until.min(ended + RETRY);
        }
        if !is_pending {
            results.previous = Arc::default();
        }
        results.fetched_at = Some(ended);
        publish(index, results);
    }
    fetch.failures
}

/// The size of each rule, as far as it is known.
fn sizes<'a>(job: &Job<'a>, results: &BTreeMap<usize, Results>) -> Vec<(&'a Rule, cost::Size)> {
    let size = |(index, rule)| {
        let known = || job.known.get(&index).map(|known| known.size());
        let size = results.get(&index).map(Results::size).or_else(known);
        (rule, size.unwrap_or_default())
    };
    job.rules.iter().enumerate().map(size).collect()
}

/// A fetch under way.
struct Fetch<'a> {
    context: &'a Context<'a>,
    concurrency: usize,
    /// Of the rules that are due, by their place.
    results: BTreeMap<usize, Results>,
    failures: Vec<Failure>,
    deadline: Instant,
    published: Instant,
    /// The rules with results that are not published.
    changed: Vec<usize>,
    publish: &'a (dyn Fn(usize, Results) + Send + Sync),
}

impl Fetch<'_> {
    /// Calls for all that is pending, of the rules that `api` has an operation for.
    fn calls(&self, api: impl Fn(usize, &Rule) -> Option<Api>) -> Vec<Call> {
        let queries = |(index, results): (&usize, _)| {
            let rule = self.context.rules.get(*index)?;
            Some(RuleQueries { index: *index, rule, results, api: api(*index, rule)? })
        };
        plan::calls(&self.results.iter().filter_map(queries).collect::<Vec<_>>())
    }

    async fn run(&mut self, mut calls: Vec<Call>) {
        self.context.allowance.plan(&calls);
        for round in 1..=ROUNDS {
            let again = self.ask(&calls).await;
            self.publish_changed();
            if again.is_empty() || round == ROUNDS {
                self.failures.extend(again.into_iter().filter_map(|(_, failure)| failure));
                break;
            }
            calls = again.into_iter().map(|(call, _)| call).collect();
            sleep(PAUSE * round).await;
        }
    }

    /// Makes the calls. Returns what to ask again, with the failure where there was one.
    async fn ask(&mut self, calls: &[Call]) -> Vec<(Call, Option<Failure>)> {
        let context = self.context;
        // Each future is made when it is its turn: it is large, and there may be thousands. By
        // their places, because closures over references do not get on with tasks.
        let answer = |at| Some(answer(at, CallContext { call: calls.get(at)?, context }));
        let answers = (0..calls.len()).filter_map(answer);
        let mut answers = stream::iter(answers).buffer_unordered(self.concurrency.max(1));
        let mut again = Vec::new();
        loop {
            match timeout_at(self.deadline.into(), answers.next()).await {
                Ok(Some((at, answer))) => {
                    let Some(call) = calls.get(at) else { continue };
                    match answer {
                        Ok(answer) => {
                            again.extend(self.take(call, answer).map(|call| (call, None)));
                        }
                        Err(failure) => again.extend(self.fail(call, failure)),
                    }
                    if self.published.elapsed() >= PUBLISH {
                        self.publish_changed();
                    }
                }
                Ok(None) => return again,
                Err(_) => {
                    let minutes = LONGEST.as_secs() / 60;
                    self.failures.push(Failure::setup(format!(
                        "not all calls could be made within {minutes} minutes"
                    )));
                    return Vec::new();
                }
            }
        }
    }

    /// Keeps an answer, and returns the call to repeat where some of it is still pending.
    fn take(&mut self, call: &Call, answer: Answer) -> Option<Call> {
        let mut points = answer.points.into_iter();
        let mut again = Vec::new();
        for metric in call.by_metric() {
            let mut pending = Vec::new();
            for (query, point) in metric.iter().zip(points.by_ref()) {
                let rule = self.context.rules.get(query.rule);
                let (Some(rule), Some(results)) = (rule, self.results.get_mut(&query.rule)) else {
                    continue;
                };
                let at = query.set * rule.statistics.len() + query.statistic;
                if let Some(place) = results.points.get_mut(at) {
                    *place = point;
                }
                if answer.unit.is_some() {
                    results.unit.clone_from(&answer.unit);
                }
                if self.changed.last() != Some(&query.rule) {
                    self.changed.push(query.rule);
                }
                if point == Point::Pending {
                    pending.push(*query);
                }
            }
            if !pending.is_empty() {
                again.push(pending);
            }
        }
        (!again.is_empty()).then(|| Call::again(call.api, &again))
    }

    /// Where the configuration leaves the operation open, one that is not allowed is given up for
    /// the other: there was a time without a choice, when permission for that one was enough.
    fn fail(&mut self, call: &Call, failure: Failure) -> Option<(Call, Option<Failure>)> {
        let rule = call.queries.first().and_then(|query| self.context.rules.get(query.rule));
        let is_open = rule.is_some_and(|rule| rule.api.is_none());
        if call.api == Api::Data && is_open && failure.is_denial() {
            self.context.cloud.deny_data(&failure);
            return None;
        }
        if failure.is_throttling() {
            return Some((call.clone(), Some(failure)));
        }
        self.failures.push(failure);
        None
    }

    fn publish_all(&mut self) {
        self.changed = self.results.keys().copied().collect();
        self.publish_changed();
    }

    fn publish_changed(&mut self) {
        self.published = Instant::now();
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        for index in changed {
            if let Some(results) = self.results.get(&index) {
                (self.publish)(index, results.clone());
            }
        }
    }
}

/// What an answer brought: a point for each query of its call.
struct Answer {
    points: Vec<Point>,
    unit: Option<String>,
}

async fn answer(at: usize, call: CallContext<'_>) -> (usize, Result<Answer, Failure>) {
    let cloud = call.context.cloud;
    let answer = match call.call.api {
        Api::Data => cloud.data(call).await.map(|points| Answer { points, unit: None }),
        Api::Statistics => {
            cloud.statistics(call).await.map(|(points, unit)| Answer { points, unit })
        }
    };
    (at, answer)
}

/// What the calls of a fetch refer to.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    cloud: &'a Cloud,
    rules: &'a [Rule],
    pub(crate) allowance: &'a Allowance,
    sets: BTreeMap<usize, RuleSets>,
}

#[derive(Debug)]
struct RuleSets {
    sets: Arc<Vec<Set>>,
    span: (u64, u64),
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        cloud: &'a Cloud,
        rules: &'a [Rule],
        results: &BTreeMap<usize, Results>,
        allowance: &'a Allowance,
    ) -> Self {
        let sets = |(index, results): (&usize, &Results)| {
            let sets = Arc::clone(&results.sets);
            (*index, RuleSets { sets, span: results.span })
        };
        Self { cloud, rules, allowance, sets: results.iter().map(sets).collect() }
    }
}

/// A call, and what it refers to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallContext<'a> {
    pub(crate) call: &'a Call,
    pub(crate) context: &'a Context<'a>,
}

/// A query with the names in the place of numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamedQuery<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) set: &'a Set,
    pub(crate) statistic: &'a Statistic,
    /// In seconds since 1970.
    pub(crate) span: (i64, i64),
}

impl<'a> CallContext<'a> {
    pub(crate) fn queries(self) -> impl Iterator<Item = NamedQuery<'a>> {
        self.call.queries.iter().filter_map(move |query: &'a Query| {
            let rule = self.context.rules.get(query.rule)?;
            let RuleSets { sets, span } = self.context.sets.get(&query.rule)?;
            let seconds = |at| i64::try_from(at).unwrap_or(i64::MAX);
            Some(NamedQuery {
                rule,
                set: sets.get(query.set)?,
                statistic: rule.statistics.get(query.statistic)?,
                span: (seconds(span.0), seconds(span.1)),
            })
        })
    }
}

impl<'a> NamedQuery<'a> {
    pub(crate) fn dimensions(self) -> impl Iterator<Item = Dimension> + 'a {
        let pairs = self.set.pairs();
        pairs.map(|(name, value)| Dimension::builder().name(name).value(value).build())
    }
}
