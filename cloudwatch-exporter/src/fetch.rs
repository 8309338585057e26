//! Asks AWS for what is due: first the dimension sets, then the datapoints, many calls at once.
//! A call that fails costs its own metrics and no others.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatch::types::Dimension;
use futures_util::{StreamExt, future, stream};
use tokio::time::sleep;

use crate::charges;
use crate::cloud::{Cloud, Failure, Listed, Listing, Selection};
use crate::cost::{self, Size};
use crate::plan::{self, Ask, Call, Query};
use crate::rule::{Api, Rule, Select, Statistic, Tags};
use crate::sheet::{Point, Resource, Set, Sheet};

/// What is still to be had is asked for again after this many seconds.
const RETRY: u64 = 60;

/// How often queries are asked again that CloudWatch has answered with an error of its own.
const ROUNDS: u32 = 3;

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
    let mut failures = Vec::new();
    let mut drafts = drafts(cloud, rules, old, now, concurrency, &mut failures).await;
    let size = |(index, rule)| {
        let sheet = drafts.get(&index).or_else(|| old.get(index).map(|sheet| &**sheet));
        let size = |sheet: &Sheet| Size { sets: sheet.sets.len(), pages: sheet.pages };
        (rule, sheet.map(size).unwrap_or_default())
    };
    let sizes: Vec<_> = rules.iter().enumerate().map(size).collect();
    let apis = cost::choose(&sizes, SCRAPE);
    let asks: Vec<_> = drafts
        .iter()
        .filter_map(|(index, sheet)| {
            let (rule, api) = (rules.get(*index)?, *apis.get(*index)?);
            Some(Ask { index: *index, rule, sheet, api })
        })
        .collect();
    let mut calls = plan::calls(&asks);
    for round in 1..=ROUNDS {
        let answers = ask(cloud, rules, &drafts, &calls, concurrency).await;
        let mut again = Vec::new();
        for (call, answer) in calls.iter().zip(answers) {
            match answer {
                Ok(answer) => again.extend(take(&mut drafts, rules, call, answer)),
                Err(failure) => failures.push(failure),
            }
        }
        if again.is_empty() || round == ROUNDS {
            break;
        }
        calls = again;
        sleep(Duration::from_millis(250) * round).await;
    }
    let mut sheets: Vec<_> = rules
        .iter()
        .enumerate()
        .map(|(index, _)| old.get(index).cloned().unwrap_or_default())
        .collect();
    for (index, mut sheet) in drafts {
        let Some(rule) = rules.get(index) else { continue };
        sheet.is_incomplete |= sheet.points.contains(&Point::Open);
        sheet.good_until = rule.window.good_until(now);
        if sheet.is_incomplete {
            sheet.good_until = sheet.good_until.min(now + RETRY);
        }
        if let Some(place) = sheets.get_mut(index) {
            *place = Arc::new(sheet);
        }
    }
    Fetched { sheets, failures }
}

/// Results of many calls by what they were asked with.
type By<K, V> = BTreeMap<K, Result<V, Failure>>;

/// The rules that are due, by their place, with their dimension sets and points still open.
pub(crate) async fn drafts(
    cloud: &Cloud,
    rules: &[Rule],
    old: &[Arc<Sheet>],
    now: u64,
    concurrency: usize,
    failures: &mut Vec<Failure>,
) -> BTreeMap<usize, Sheet> {
    let mut drafts = BTreeMap::new();
    let mut to_list = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let before = old.get(index).filter(|sheet| sheet.good_until > 0);
        if before.is_some_and(|sheet| now < sheet.good_until) {
            continue;
        }
        match before.and_then(|sheet| carried_over(rule, sheet, now)) {
            Some(sheet) => {
                drafts.insert(index, sheet);
            }
            None => to_list.push((index, rule, before)),
        }
    }
    let listings: BTreeSet<_> =
        to_list.iter().filter_map(|(_, rule, _)| Listing::of(rule)).collect();
    let tags = to_list.iter().filter_map(|(_, rule, _)| rule.tags.as_ref());
    let selections: BTreeSet<_> = tags.map(Selection::of).collect();
    let lists = listings.into_iter().map(|listing| async move {
        let list = cloud.list(&listing).await;
        (listing, list)
    });
    let selections = selections.into_iter().map(|selection| async move {
        let resources = cloud.resources(&selection).await;
        (selection, resources)
    });
    let (mut lists, resources): (By<Listing, Listed>, By<Selection, Vec<Resource>>) = future::join(
        stream::iter(lists).buffer_unordered(concurrency).collect(),
        stream::iter(selections).buffer_unordered(concurrency).collect(),
    )
    .await;
    failures.extend(lists.values().filter_map(|list| list.as_ref().err().cloned()));
    failures.extend(resources.values().filter_map(|list| list.as_ref().err().cloned()));
    for (index, rule, before) in to_list {
        let list = Listing::of(rule).map(|listing| lists.get_mut(&listing));
        let tagged = rule.tags.as_ref().map(|tags| resources.get(&Selection::of(tags)));
        let list = match list {
            None => Some(Listed { sets: known(rule), pages: 0 }),
            Some(Some(Ok(list))) => {
                // The next rule with the same list has it for nothing.
                let pages = std::mem::take(&mut list.pages);
                Some(Listed { sets: list.sets.clone(), pages })
            }
            Some(_) => None,
        };
        let tagged = match tagged {
            None => Some(Vec::new()),
            Some(Some(Ok(resources))) => Some(resources.clone()),
            Some(_) => None,
        };
        let mut sheet = Sheet { span: rule.window.span(now), ..Sheet::default() };
        match (list, tagged) {
            (Some(list), Some(resources)) => {
                sheet.pages = list.pages;
                sheet.listed_at = (rule.is_listed() || rule.tags.is_some()).then_some(now);
                sheet.sets = Arc::new(selected(rule, list.sets, &resources));
                sheet.resources = Arc::new(resources);
            }
            // As it was, rather than nothing.
            _ => {
                sheet.is_incomplete = true;
                if let Some(before) = before {
                    sheet.pages = before.pages;
                    sheet.sets = Arc::clone(&before.sets);
                    sheet.resources = Arc::clone(&before.resources);
                }
            }
        }
        if sheet.sets.is_empty() && rule.warn_on_empty && !sheet.is_incomplete {
            let metric = format!("{}:{}", rule.namespace, rule.metric);
            tracing::warn!(metric, "no metric has these dimensions, and values that are selected");
        }
        sheet.points = vec![Point::Open; sheet.sets.len() * rule.statistics.len()];
        drafts.insert(index, sheet);
    }
    drafts
}

/// A sheet that need not be listed again: with what it still lacks of its span, or with all of a
/// new span open.
fn carried_over(rule: &Rule, before: &Sheet, now: u64) -> Option<Sheet> {
    let listed_at = before.listed_at?;
    let is_same_span = before.span == rule.window.span(now) && before.is_incomplete;
    if !is_same_span && now >= listed_at + rule.list_ttl.as_secs() {
        return None;
    }
    let mut sheet = Sheet { is_incomplete: false, ..before.clone() };
    if !is_same_span {
        sheet.span = rule.window.span(now);
        sheet.points.fill(Point::Open);
    }
    Some(sheet)
}

/// The sets that need no list.
fn known(rule: &Rule) -> Vec<Set> {
    let boxed = |set: Vec<String>| set.into_iter().map(String::into_boxed_str).collect();
    rule.product()
        .map_or_else(|| vec![Set::default()], |sets| sets.into_iter().map(boxed).collect())
}

/// The sets that the rule wants.
fn selected(rule: &Rule, mut sets: Vec<Set>, resources: &[Resource]) -> Vec<Set> {
    let names = rule.dimensions.as_deref().unwrap_or_default();
    if !matches!(rule.select, Select::All) {
        sets.retain(|set| {
            names.iter().zip(set).all(|(name, value)| rule.select.takes(name, value))
        });
    }
    if let Some(tags @ Tags { selections: Some(_), .. }) = &rule.tags {
        let ids: HashSet<_> = resources.iter().filter_map(|one| tags.id(&one.arn)).collect();
        let tagged = |name: &String, value: &str| *name != tags.id_dimension || ids.contains(value);
        sets.retain(|set| names.iter().zip(set).all(|(name, value)| tagged(name, value)));
    }
    sets
}

/// The answers to calls, in their order.
async fn ask(
    cloud: &Cloud,
    rules: &[Rule],
    drafts: &BTreeMap<usize, Sheet>,
    calls: &[Call],
    concurrency: usize,
) -> Vec<Result<Answer, Failure>> {
    // Made as they are run: the future of a call is large, and there may be thousands.
    // By their places: closures over references do not get on with tasks.
    let answer = |at| Some(answer(cloud, Job { call: calls.get(at)?, rules, drafts }));
    let answers = (0..calls.len()).filter_map(answer);
    stream::iter(answers).buffered(concurrency).collect().await
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

/// Writes an answer down, and gives the call to repeat where some of it is still open.
fn take(
    drafts: &mut BTreeMap<usize, Sheet>,
    rules: &[Rule],
    call: &Call,
    answer: Answer,
) -> Option<Call> {
    let mut open = Vec::new();
    for (query, point) in call.queries.iter().zip(answer.points) {
        let rule = rules.get(query.rule);
        let (Some(rule), Some(sheet)) = (rule, drafts.get_mut(&query.rule)) else { continue };
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

/// A call, and what its queries refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) call: &'a Call,
    rules: &'a [Rule],
    drafts: &'a BTreeMap<usize, Sheet>,
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
