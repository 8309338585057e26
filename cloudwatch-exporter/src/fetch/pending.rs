//! The due rules, with the dimension sets to query.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use futures_util::{StreamExt, future, stream};

use super::Job;
use crate::allowance::Allowance;
use crate::cloud::{Cloud, Failure, Listed, Listing, Selection};
use crate::results::{Point, Resource, Results, Set};
use crate::rule::{Rule, Select, Tags};

/// The results of the due rules by index; points that have to be fetched are pending.
pub(crate) async fn pending(
    cloud: &Cloud,
    job: &Job<'_>,
    allowance: &Allowance,
) -> (BTreeMap<usize, Results>, Vec<Failure>) {
    let mut all = BTreeMap::new();
    let mut needs = Vec::new();
    for index in &job.due {
        let Some(rule) = job.rules.get(*index) else { continue };
        let before = job.known.get(index).filter(|known| known.fetched_at.is_some());
        let need = Need::of(rule, before.map(|before| &**before), job.now);
        match (before, need) {
            (Some(before), Need { list: false, tags: false }) => {
                all.insert(*index, renewed(rule, before, job.now));
            }
            _ => needs.push((*index, rule, before, need)),
        }
    }
    let requested = needs.iter().map(|(_, rule, _, need)| (*rule, *need));
    let mut lists = Lists::request(cloud, requested, job.concurrency, allowance).await;
    for (index, rule, before, need) in needs {
        let found = lists.of(rule, need, before.map(|before| &**before));
        all.insert(index, listed(rule, found, before.map(|before| &**before), need, job.now));
    }
    (all, lists.failures())
}

/// The parts that have to be listed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Need {
    list: bool,
    tags: bool,
}

/// The interval in seconds after which resources are listed again, which is free.
const TAGS_TTL: u64 = 300;

impl Need {
    fn of(rule: &Rule, before: Option<&Results>, now: u64) -> Self {
        let Some(before) = before else { return Self { list: true, tags: rule.has_resources() } };
        let is_same_span = before.is_incomplete && before.span == rule.window.span(now);
        let list = match before.listed_at {
            None => true,
            Some(listed_at) => !is_same_span && now >= listed_at + rule.list_ttl.as_secs(),
        };
        Self { list, tags: rule.has_resources() && now >= before.tagged_at + TAGS_TTL }
    }
}

/// Results whose lists are current: with the points that are missing in the same span, or all
/// points of a new span.
fn renewed(rule: &Rule, before: &Results, now: u64) -> Results {
    let span = rule.window.span(now);
    let mut results = Results { is_incomplete: false, span, ..before.clone() };
    if before.span != span {
        results.previous = Arc::new(shown(before, now));
        results.previous_until = shown_until(rule, now);
        results.points.fill(Point::Pending);
    }
    results
}

fn shown(results: &Results, now: u64) -> Vec<Point> {
    (0..results.points.len()).map(|at| results.shown(at, now)).collect()
}

/// The time for which points of the previous span replace pending ones.
fn shown_until(rule: &Rule, now: u64) -> u64 {
    now + u64::from(rule.window.period).max(300)
}

struct Found {
    list: Listed,
    resources: Arc<Vec<Resource>>,
}

/// Results with new lists, or with the previous ones if listing failed.
fn listed(
    rule: &Rule,
    found: Option<Found>,
    before: Option<&Results>,
    need: Need,
    now: u64,
) -> Results {
    let span = rule.window.span(now);
    let mut results = match (found, before) {
        (Some(Found { list, resources }), _) => {
            let (sets, owners) = selected(rule, &list.sets, &resources);
            let before = before.cloned().unwrap_or_default();
            let is_tagged = rule.has_resources();
            Results {
                sets: Arc::new(sets),
                owners: Arc::new(owners),
                listed: if is_tagged { list.sets } else { Arc::default() },
                resources,
                listed_at: if need.list { Some(now) } else { before.listed_at },
                tagged_at: if need.tags { now } else { before.tagged_at },
                pages: if need.list { list.pages } else { before.pages },
                unit: before.unit,
                fetched_at: before.fetched_at,
                good_until: before.good_until,
                ..Results::default()
            }
        }
        (None, Some(before)) => Results { listed_at: None, is_incomplete: true, ..before.clone() },
        (None, None) => Results { is_incomplete: true, ..Results::default() },
    };
    let is_listed = !rule.from_stream && !results.is_incomplete;
    if results.sets.is_empty() && rule.warn_on_empty && is_listed {
        let metric = format!("{}:{}", rule.namespace, rule.metric);
        tracing::warn!(metric, "no metric has these dimensions and the values that are selected");
    }
    let statistics = rule.statistics.len();
    match before {
        // Points of the same span are already paid for.
        Some(before) if before.span == span => {
            results.points = moved(before, &before.points, &results.sets, statistics);
            results.previous = Arc::new(if before.previous.is_empty() {
                Vec::new()
            } else {
                moved(before, &before.previous, &results.sets, statistics)
            });
            results.previous_until = before.previous_until;
        }
        Some(before) => {
            let shown = shown(before, now);
            results.points = vec![Point::Pending; results.sets.len() * statistics];
            results.previous = Arc::new(moved(before, &shown, &results.sets, statistics));
            results.previous_until = shown_until(rule, now);
        }
        None => results.points = vec![Point::Pending; results.sets.len() * statistics],
    }
    results.span = span;
    results
}

/// The points of the sets of `before`, mapped to other sets.
fn moved(before: &Results, points: &[Point], sets: &[Set], statistics: usize) -> Vec<Point> {
    if before.sets.as_slice() == sets {
        return points.to_vec();
    }
    let of = |at: usize| points.get(at * statistics..(at + 1) * statistics).unwrap_or_default();
    let known: HashMap<_, _> =
        before.sets.iter().enumerate().map(|(at, set)| (set, of(at))).collect();
    let pending = vec![Point::Pending; statistics];
    let of = |set| known.get(set).filter(|points| !points.is_empty()).copied();
    sets.iter().flat_map(|set| of(set).unwrap_or(&pending).iter().copied()).collect()
}

/// The selected sets, and the resource of each.
pub(crate) fn selected(
    rule: &Rule,
    sets: &[Set],
    resources: &[Resource],
) -> (Vec<Set>, Vec<Option<u32>>) {
    let wanted = |set: &&Set| set.pairs().all(|(name, value)| rule.select.matches(name, value));
    let is_all = matches!(rule.select, Select::All);
    let sets = sets.iter().filter(|set| is_all || wanted(set));
    if let Some(discovery) = &rule.discovery {
        return discovery.select(sets, resources);
    }
    match &rule.tags {
        Some(tags @ Tags { selections: Some(_), id_dimension, .. }) => {
            let ids: HashSet<_> = resources.iter().filter_map(|one| tags.id(&one.arn)).collect();
            let tagged = |(name, value)| name != id_dimension.as_str() || ids.contains(value);
            (sets.filter(|set| set.pairs().all(tagged)).cloned().collect(), Vec::new())
        }
        _ => (sets.cloned().collect(), Vec::new()),
    }
}

/// The results of many calls by their parameters.
type By<K, V> = BTreeMap<K, Result<V, Failure>>;

/// The lists for some rules, each requested once.
struct Lists {
    metrics: By<Listing, Listed>,
    resources: By<Selection, Arc<Vec<Resource>>>,
}

impl Lists {
    async fn request<'a>(
        cloud: &Cloud,
        rules: impl Iterator<Item = (&'a Rule, Need)> + Clone,
        concurrency: usize,
        allowance: &Allowance,
    ) -> Self {
        let listed = rules.clone().filter(|(_, need)| need.list);
        let listings: BTreeSet<_> = listed.filter_map(|(rule, _)| Listing::of(rule)).collect();
        let tagged = rules.filter(|(_, need)| need.tags);
        let selections: BTreeSet<_> = tagged.filter_map(|(rule, _)| Selection::of(rule)).collect();
        let metrics = listings.into_iter().map(|listing| async move {
            let list = cloud.list(&listing, allowance).await;
            (listing, list)
        });
        let resources = selections.into_iter().map(|selection| async move {
            let resources = cloud.resources(&selection, allowance).await.map(Arc::new);
            (selection, resources)
        });
        let (metrics, resources) = future::join(
            stream::iter(metrics).buffer_unordered(concurrency.max(1)).collect(),
            stream::iter(resources).buffer_unordered(concurrency.max(1)).collect(),
        )
        .await;
        Self { metrics, resources }
    }

    /// The list for a rule; `None` if a part of it failed.
    fn of(&mut self, rule: &Rule, need: Need, before: Option<&Results>) -> Option<Found> {
        let list = match (Listing::of(rule), before) {
            (Some(listing), _) if need.list => {
                let list = self.metrics.get_mut(&listing)?.as_mut().ok()?;
                // The pages are counted for the first rule with this list.
                Listed { sets: Arc::clone(&list.sets), pages: mem::take(&mut list.pages) }
            }
            (Some(_), Some(before)) => Listed { sets: Arc::clone(&before.listed), pages: 0 },
            (Some(_), None) => return None,
            (None, _) => Listed { sets: Arc::new(known(rule)), pages: 0 },
        };
        let resources = match (Selection::of(rule), before) {
            (Some(selection), _) if need.tags => {
                let all = self.resources.get(&selection)?.as_ref().ok()?;
                let discovery = rule.discovery.as_ref();
                match discovery.filter(|discovery| !discovery.tag_patterns.is_empty()) {
                    Some(discovery) => {
                        let has_tags = |one: &&Resource| discovery.has_tags(&one.tags);
                        Arc::new(all.iter().filter(has_tags).cloned().collect())
                    }
                    None => Arc::clone(all),
                }
            }
            (Some(_), Some(before)) => Arc::clone(&before.resources),
            _ => Arc::default(),
        };
        Some(Found { list, resources })
    }

    fn failures(self) -> Vec<Failure> {
        let metrics = self.metrics.into_values().filter_map(Result::err);
        metrics.chain(self.resources.into_values().filter_map(Result::err)).collect()
    }
}

/// The sets that need no list.
fn known(rule: &Rule) -> Vec<Set> {
    if rule.from_stream {
        return Vec::new();
    }
    let names = rule.dimensions.clone().unwrap_or_default();
    let set = |values: Vec<String>| Set {
        names: Arc::clone(&names),
        values: values.into_iter().map(String::into_boxed_str).collect(),
        owner: None,
    };
    rule.product().map_or_else(|| vec![Set::default()], |sets| sets.into_iter().map(set).collect())
}
