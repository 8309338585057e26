//! Asks AWS for what is due: first the dimension sets, then the datapoints, many calls at once.
//! A call that fails costs its own metrics and no others.

mod draft;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatch::types::Dimension;
use futures_util::{StreamExt, stream};
use tokio::time::sleep;

pub(crate) use self::draft::drafts;
use crate::charges;
use crate::cloud::{Cloud, Failure};
use crate::cost;
use crate::plan::{self, Ask, Call, Query};
use crate::rule::{Api, Rule, Statistic};
use crate::sheet::{Point, Set, Sheet};

/// What is still to be had is asked for again after this many seconds.
const RETRY: u64 = 60;

/// How often queries are asked again that CloudWatch has answered with an error of its own.
const ROUNDS: u32 = 3;

/// Before the second round; the next is longer.
const PAUSE: Duration = Duration::from_millis(250);

/// Scrapes are taken to come at most this often, in seconds, where a month's requests are counted.
pub(crate) const SCRAPE: u64 = 60;

/// What a fetch brought.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// One for each rule.
    pub(crate) sheets: Vec<Arc<Sheet>>,
    pub(crate) failures: Vec<Failure>,
}

/// Asks for the rules whose sheets are no longer good, or not there.
pub(crate) async fn fetch(
    cloud: &Cloud,
    rules: &[Rule],
    old: &[Arc<Sheet>],
    now: u64,
    concurrency: usize,
) -> Fetched {
    charges::FETCHES.inc();
    let (drafts, failures) = drafts(cloud, rules, old, now, concurrency).await;
    let mut fetch = Fetch { cloud, rules, concurrency, drafts, failures };
    let size = |(index, rule)| {
        let sheet = fetch.drafts.get(&index).or_else(|| old.get(index).map(|sheet| &**sheet));
        (rule, sheet.map(Sheet::size).unwrap_or_default())
    };
    let sizes: Vec<_> = rules.iter().enumerate().map(size).collect();
    let apis = cost::choose(&sizes, SCRAPE);
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
    let mut sheets: Vec<_> = old.to_vec();
    sheets.resize_with(rules.len(), Arc::default);
    for (index, mut sheet) in fetch.drafts {
        let (Some(rule), Some(place)) = (rules.get(index), sheets.get_mut(index)) else { continue };
        sheet.is_incomplete |= sheet.points.contains(&Point::Open);
        sheet.good_until = rule.window.good_until(now);
        if sheet.is_incomplete {
            sheet.good_until = sheet.good_until.min(now + RETRY);
        }
        *place = Arc::new(sheet);
    }
    Fetched { sheets, failures: fetch.failures }
}

/// A fetch under way.
struct Fetch<'a> {
    cloud: &'a Cloud,
    rules: &'a [Rule],
    concurrency: usize,
    /// The rules that are due, by their place.
    drafts: BTreeMap<usize, Sheet>,
    failures: Vec<Failure>,
}

impl Fetch<'_> {
    /// Calls for all that is open, of the rules that `api` has an operation for.
    fn calls(&self, api: impl Fn(usize, &Rule) -> Option<Api>) -> Vec<Call> {
        let ask = |(index, sheet): (&usize, _)| {
            let rule = self.rules.get(*index)?;
            Some(Ask { index: *index, rule, sheet, api: api(*index, rule)? })
        };
        plan::calls(&self.drafts.iter().filter_map(ask).collect::<Vec<_>>())
    }

    async fn run(&mut self, mut calls: Vec<Call>) {
        for round in 1..=ROUNDS {
            let answers = self.ask(&calls).await;
            let mut again = Vec::new();
            for (call, answer) in calls.iter().zip(answers) {
                match answer {
                    Ok(answer) => again.extend(self.take(call, answer)),
                    Err(failure) => self.fail(call, failure),
                }
            }
            if again.is_empty() || round == ROUNDS {
                break;
            }
            calls = again;
            sleep(PAUSE * round).await;
        }
    }

    /// The answers to calls, in their order.
    async fn ask(&self, calls: &[Call]) -> Vec<Result<Answer, Failure>> {
        let Self { cloud, rules, drafts, .. } = self;
        // Made as they are run: the future of a call is large, and there may be thousands. By their
        // places, because closures over references do not get on with tasks.
        let answer = |at| Some(answer(cloud, Job { call: calls.get(at)?, rules, drafts }));
        let answers = (0..calls.len()).filter_map(answer);
        stream::iter(answers).buffered(self.concurrency).collect().await
    }

    /// Writes an answer down, and gives the call to repeat where some of it is still open.
    fn take(&mut self, call: &Call, answer: Answer) -> Option<Call> {
        let mut open = Vec::new();
        for (query, point) in call.queries.iter().zip(answer.points) {
            let rule = self.rules.get(query.rule);
            let (Some(rule), Some(sheet)) = (rule, self.drafts.get_mut(&query.rule)) else {
                continue;
            };
            let at = query.set * rule.statistics.len() + query.statistic;
            if let Some(place) = sheet.points.get_mut(at) {
                *place = point;
            }
            if answer.unit.is_some() {
                sheet.unit.clone_from(&answer.unit);
            }
            if point == Point::Open {
                open.push(*query);
            }
        }
        let billed = open.chunk_by(|a, b| (a.rule, a.set) == (b.rule, b.set));
        let billed = billed.map(|metric| cost::bundles(metric.len())).sum();
        (!open.is_empty()).then_some(Call { api: call.api, queries: open, billed })
    }

    /// Where the configuration leaves the operation open, one that is not allowed is given up for
    /// the other: before there was a choice, permission for that one was enough.
    fn fail(&mut self, call: &Call, failure: Failure) {
        let rule = call.queries.first().and_then(|query| self.rules.get(query.rule));
        let is_open = rule.is_some_and(|rule| rule.api.is_none());
        if call.api == Api::Data && is_open && failure.is_denial() {
            self.cloud.deny_data(&failure);
        } else {
            self.failures.push(failure);
        }
    }
}

/// What a call brought: a point for each of its queries.
struct Answer {
    points: Vec<Point>,
    unit: Option<String>,
}

async fn answer(cloud: &Cloud, job: Job<'_>) -> Result<Answer, Failure> {
    match job.call.api {
        Api::Data => Ok(Answer { points: cloud.data(job).await?, unit: None }),
        Api::Statistics => {
            let (points, unit) = cloud.statistics(job).await?;
            Ok(Answer { points, unit })
        }
    }
}

/// A call, and what its queries refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) call: &'a Call,
    pub(crate) rules: &'a [Rule],
    pub(crate) drafts: &'a BTreeMap<usize, Sheet>,
}

/// A query spelled out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) rule: &'a Rule,
    set: &'a Set,
    pub(crate) statistic: &'a Statistic,
    /// In seconds since 1970.
    pub(crate) span: (i64, i64),
}

impl<'a> Job<'a> {
    pub(crate) fn questions(self) -> impl Iterator<Item = Question<'a>> {
        self.call.queries.iter().filter_map(move |query: &'a Query| {
            let (rule, sheet) = (self.rules.get(query.rule)?, self.drafts.get(&query.rule)?);
            let seconds = |at| i64::try_from(at).unwrap_or(i64::MAX);
            Some(Question {
                rule,
                set: sheet.sets.get(query.set)?,
                statistic: rule.statistics.get(query.statistic)?,
                span: (seconds(sheet.span.0), seconds(sheet.span.1)),
            })
        })
    }
}

impl<'a> Question<'a> {
    pub(crate) fn dimensions(self) -> impl Iterator<Item = Dimension> + 'a {
        let names = self.rule.dimensions.as_deref().unwrap_or_default().iter();
        let pairs = names.zip(self.set);
        pairs.map(|(name, value)| Dimension::builder().name(name).value(&**value).build())
    }
}
