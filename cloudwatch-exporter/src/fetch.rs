//! Fetches the due rules of one target: first the dimension sets, then the datapoints, with many
//! concurrent calls. A failed call affects only its own metrics.

pub(crate) mod pending;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::time::{sleep, timeout_at};

use crate::allowance::Allowance;
use crate::calls::context::{CallContext, Context};
use crate::calls::{self, Call, RuleQueries};
use crate::cloud::{Cloud, Failure};
use crate::cost;
use crate::results::{Point, Results, Size};
use crate::rule::{Api, Rule};
use crate::usage;

/// The delay in seconds before failed queries are retried in another fetch.
pub(crate) const RETRY_DELAY: u64 = 10;

/// The maximum number of rounds of a fetch. Each retries the throttled or failed queries of the previous
/// one.
const MAX_ROUNDS: u32 = 3;

/// The delay before the second round. The delays before later rounds are longer.
const ROUND_DELAY: Duration = Duration::from_millis(250);

/// The time limit of a fetch.
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// The minimum time between two publications of results during a fetch.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(100);

/// The due rules, with the results so far.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) rules: &'a [Rule],
    /// The indices of the rules that are due.
    pub(crate) due: Vec<usize>,
    /// Results by the index of their rule.
    pub(crate) known: BTreeMap<usize, Arc<Results>>,
    /// The number of periods between two queries of a rule, if more than one.
    pub(crate) stretch: BTreeMap<usize, u32>,
    /// In seconds since 1970.
    pub(crate) now: u64,
    /// The maximum number of calls in progress.
    pub(crate) concurrency: usize,
    /// The shortest interval between scrapes in seconds, for estimates of cost.
    pub(crate) scrape: u64,
}

/// Fetches, and passes the results of a rule to `publish` as they arrive. Returns the failures.
pub(crate) async fn fetch(
    cloud: &Cloud,
    job: Job<'_>,
    publish: &(dyn Fn(usize, Results) + Send + Sync),
) -> Vec<Failure> {
    usage::FETCHES.inc();
    let start = Instant::now();
    let allowance = Allowance::default();
    let (results, failures) = pending::pending(cloud, &job, &allowance).await;
    let apis = cost::choose_apis(&sizes(&job, &results), job.scrape);
    let context = Context::new(job.rules, &results, &allowance);
    let mut fetch = Fetch {
        cloud,
        context: &context,
        concurrency: job.concurrency,
        results,
        failures,
        deadline: start + TIME_LIMIT,
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
        results.valid_until = rule.window.valid_until(job.now, stretch);
        if allowance.reached().is_some() {
            // Another fetch would be as expensive.
            results.valid_until =
                results.valid_until.max(ended + u64::from(rule.window.period).max(60));
        } else if results.is_incomplete {
            results.valid_until = results.valid_until.min(ended + RETRY_DELAY);
        }
        if !is_pending {
            results.previous = Arc::default();
        }
        results.fetched_at = Some(ended);
        publish(index, results);
    }
    fetch.failures
}

/// The size of each rule. It is 0 if unknown.
fn sizes<'a>(job: &Job<'a>, results: &BTreeMap<usize, Results>) -> Vec<(&'a Rule, Size)> {
    let size = |(index, rule)| {
        let known = || job.known.get(&index).map(|known| known.size());
        let size = results.get(&index).map(Results::size).or_else(known);
        (rule, size.unwrap_or_default())
    };
    job.rules.iter().enumerate().map(size).collect()
}

/// A fetch in progress.
struct Fetch<'a> {
    cloud: &'a Cloud,
    context: &'a Context<'a>,
    concurrency: usize,
    /// The due rules by their index.
    results: BTreeMap<usize, Results>,
    failures: Vec<Failure>,
    deadline: Instant,
    published: Instant,
    /// The rules with unpublished results.
    changed: Vec<usize>,
    publish: &'a (dyn Fn(usize, Results) + Send + Sync),
}

impl Fetch<'_> {
    /// The calls for all pending points of the rules that `api` selects.
    fn calls(&self, api: impl Fn(usize, &Rule) -> Option<Api>) -> Vec<Call> {
        let queries = |(index, results): (&usize, _)| {
            let rule = self.context.rules.get(*index)?;
            Some(RuleQueries { index: *index, rule, results, api: api(*index, rule)? })
        };
        calls::calls(&self.results.iter().filter_map(queries).collect::<Vec<_>>())
    }

    async fn run(&mut self, mut calls: Vec<Call>) {
        self.context.allowance.plan(calls.iter().map(|call| call.billed));
        for round in 1..=MAX_ROUNDS {
            let retries = self.send(&calls).await;
            self.publish_changed();
            if retries.is_empty() || round == MAX_ROUNDS {
                self.failures.extend(retries.into_iter().filter_map(|(_, failure)| failure));
                break;
            }
            calls = retries.into_iter().map(|(call, _)| call).collect();
            sleep(ROUND_DELAY * round).await;
        }
    }

    /// Sends the calls. Returns those to retry, with their failures.
    async fn send(&mut self, calls: &[Call]) -> Vec<(Call, Option<Failure>)> {
        let context = self.context;
        // Futures are created lazily, because they are large and there may be thousands. Calls are
        // passed by index, because tasks cannot hold closures over references.
        let response =
            |index| Some(send(self.cloud, index, CallContext { call: calls.get(index)?, context }));
        let responses = (0..calls.len()).filter_map(response);
        let mut responses = stream::iter(responses).buffer_unordered(self.concurrency.max(1));
        let mut retries = Vec::new();
        loop {
            match timeout_at(self.deadline.into(), responses.next()).await {
                Ok(Some((index, response))) => {
                    let Some(call) = calls.get(index) else { continue };
                    match response {
                        Ok(response) => {
                            retries.extend(self.store(call, response).map(|call| (call, None)));
                        }
                        Err(failure) => retries.extend(self.handle_failure(call, failure)),
                    }
                    if self.published.elapsed() >= PUBLISH_INTERVAL {
                        self.publish_changed();
                    }
                }
                Ok(None) => return retries,
                Err(_) => {
                    let minutes = TIME_LIMIT.as_secs() / 60;
                    self.failures.push(Failure::setup(format!(
                        "not all calls could be made within {minutes} minutes"
                    )));
                    return Vec::new();
                }
            }
        }
    }

    /// Stores a response, and returns the call to retry for points that are still pending.
    fn store(&mut self, call: &Call, response: Response) -> Option<Call> {
        let mut points = response.points.into_iter();
        let mut retries = Vec::new();
        for metric in call.by_metric() {
            let mut pending = Vec::new();
            for (query, point) in metric.iter().zip(points.by_ref()) {
                let rule = self.context.rules.get(query.rule);
                let (Some(rule), Some(results)) = (rule, self.results.get_mut(&query.rule)) else {
                    continue;
                };
                let index = query.set * rule.statistics.len() + query.statistic;
                if let Some(stored) = results.points.get_mut(index) {
                    *stored = point;
                }
                if response.unit.is_some() {
                    results.unit.clone_from(&response.unit);
                }
                if self.changed.last() != Some(&query.rule) {
                    self.changed.push(query.rule);
                }
                if point == Point::Pending {
                    pending.push(*query);
                }
            }
            if !pending.is_empty() {
                retries.push(pending);
            }
        }
        (!retries.is_empty()).then(|| Call::retry(call.api, &retries))
    }

    /// Records a failure, and returns the call if it has to be retried. If `GetMetricData` is denied,
    /// rules without a configured operation use the other one, which older IAM policies allow.
    fn handle_failure(&mut self, call: &Call, failure: Failure) -> Option<(Call, Option<Failure>)> {
        let rule = call.queries.first().and_then(|query| self.context.rules.get(query.rule));
        let may_choose = rule.is_some_and(|rule| rule.api.is_none());
        if call.api == Api::Data && may_choose && failure.is_denial() {
            self.cloud.deny_data(&failure);
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

/// The content of a response: a point for each query of its call.
struct Response {
    points: Vec<Point>,
    unit: Option<String>,
}

/// Sends the call with this index.
async fn send(
    cloud: &Cloud,
    index: usize,
    call: CallContext<'_>,
) -> (usize, Result<Response, Failure>) {
    let response = match call.call.api {
        Api::Data => cloud.data(call).await.map(|points| Response { points, unit: None }),
        Api::Statistics => {
            cloud.statistics(call).await.map(|(points, unit)| Response { points, unit })
        }
    };
    (index, response)
}
