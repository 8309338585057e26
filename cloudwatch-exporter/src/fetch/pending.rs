//! Lists the dimension sets of the due rules, and determines the points to fetch.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use futures_util::{StreamExt, future, stream};

use super::Job;
use crate::allowance::Allowance;
use crate::cloud::{Cloud, Failure, ListParameters, MetricList, ResourceFilters};
use crate::results::{DimensionSet, Point, Resource, Results};
use crate::rule::{Rule, Select, Tags};

/// The results of the due rules by index. Points that have to be fetched are pending.
pub(crate) async fn pending(
    cloud: &Cloud,
    job: &Job<'_>,
    allowance: &Allowance,
) -> (BTreeMap<usize, Results>, Vec<Failure>) {
    let mut all = BTreeMap::new();
    let mut to_list = Vec::new();
    for index in &job.due {
        let Some(rule) = job.rules.get(*index) else { continue };
        let before = job.known.get(index).filter(|known| known.fetched_at.is_some());
        let refresh = Refresh::of(rule, before.map(|before| &**before), job.now);
        match (before, refresh) {
            (Some(before), Refresh { metrics: false, resources: false }) => {
                all.insert(*index, renewed(rule, before, job.now));
            }
            _ => to_list.push((*index, rule, before, refresh)),
        }
    }
    let requested = to_list.iter().map(|(_, rule, _, refresh)| (*rule, *refresh));
    let mut lists = Lists::request(cloud, requested, job.concurrency, allowance).await;
    for (index, rule, before, refresh) in to_list {
        let lists_of_rule = lists.of(rule, refresh, before.map(|before| &**before));
        all.insert(
            index,
            listed(rule, lists_of_rule, before.map(|before| &**before), refresh, job.now),
        );
    }
    (all, lists.failures())
}

/// Which lists of a rule have to be requested again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refresh {
    metrics: bool,
    resources: bool,
}

/// The interval in seconds after which resources are listed again. These requests are free.
const TAGS_TTL: u64 = 300;

impl Refresh {
    fn of(rule: &Rule, before: Option<&Results>, now: u64) -> Self {
        let Some(before) = before else {
            return Self { metrics: true, resources: rule.has_resources() };
        };
        let is_same_span = before.is_incomplete && before.span == rule.window.span(now);
        let metrics = match before.listed_at {
            None => true,
            Some(listed_at) => !is_same_span && now >= listed_at + rule.list_ttl.as_secs(),
        };
        Self { metrics, resources: rule.has_resources() && now >= before.tagged_at + TAGS_TTL }
    }
}

/// Results with the same lists. In the same span, only missing points are pending; in a new span, all
/// points are.
fn renewed(rule: &Rule, before: &Results, now: u64) -> Results {
    let span = rule.window.span(now);
    let mut results = Results { is_incomplete: false, span, ..before.clone() };
    if before.span != span {
        results.previous = Arc::new(exposed_points(before, now));
        results.previous_until = previous_until(rule, now);
        results.points.fill(Point::Pending);
    }
    results
}

fn exposed_points(results: &Results, now: u64) -> Vec<Point> {
    (0..results.points.len()).map(|index| results.exposed_point(index, now)).collect()
}

/// Until when points of the previous span replace pending ones.
fn previous_until(rule: &Rule, now: u64) -> u64 {
    now + u64::from(rule.window.period).max(300)
}

/// The lists for one rule.
struct RuleLists {
    list: MetricList,
    resources: Arc<Vec<Resource>>,
}

/// Results with new lists, or with the previous ones if a list failed.
fn listed(
    rule: &Rule,
    lists_of_rule: Option<RuleLists>,
    before: Option<&Results>,
    refresh: Refresh,
    now: u64,
) -> Results {
    let span = rule.window.span(now);
    let mut results = match (lists_of_rule, before) {
        (Some(RuleLists { list, resources }), _) => {
            let (sets, resource_indices) = selected(rule, &list.sets, &resources);
            let before = before.cloned().unwrap_or_default();
            let is_tagged = rule.has_resources();
            Results {
                sets: Arc::new(sets),
                resource_indices: Arc::new(resource_indices),
                listed: if is_tagged { list.sets } else { Arc::default() },
                resources,
                listed_at: if refresh.metrics { Some(now) } else { before.listed_at },
                tagged_at: if refresh.resources { now } else { before.tagged_at },
                pages: if refresh.metrics { list.pages } else { before.pages },
                unit: before.unit,
                fetched_at: before.fetched_at,
                valid_until: before.valid_until,
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
            results.points = map_points(before, &before.points, &results.sets, statistics);
            results.previous = Arc::new(if before.previous.is_empty() {
                Vec::new()
            } else {
                map_points(before, &before.previous, &results.sets, statistics)
            });
            results.previous_until = before.previous_until;
        }
        Some(before) => {
            let exposed = exposed_points(before, now);
            results.points = vec![Point::Pending; results.sets.len() * statistics];
            results.previous = Arc::new(map_points(before, &exposed, &results.sets, statistics));
            results.previous_until = previous_until(rule, now);
        }
        None => results.points = vec![Point::Pending; results.sets.len() * statistics],
    }
    results.span = span;
    results
}

/// Maps the points of the sets of `before` to other sets. Points of new sets are pending.
fn map_points(
    before: &Results,
    points: &[Point],
    sets: &[DimensionSet],
    statistics: usize,
) -> Vec<Point> {
    if before.sets.as_slice() == sets {
        return points.to_vec();
    }
    let set_points =
        |index: usize| points.get(index * statistics..(index + 1) * statistics).unwrap_or_default();
    let known: HashMap<_, _> =
        before.sets.iter().enumerate().map(|(index, set)| (set, set_points(index))).collect();
    let pending = vec![Point::Pending; statistics];
    let known_points = |set| known.get(set).filter(|points| !points.is_empty()).copied();
    sets.iter().flat_map(|set| known_points(set).unwrap_or(&pending).iter().copied()).collect()
}

/// The selected sets, and the index of the resource of each.
pub(crate) fn selected(
    rule: &Rule,
    sets: &[DimensionSet],
    resources: &[Resource],
) -> (Vec<DimensionSet>, Vec<Option<u32>>) {
    let is_selected =
        |set: &&DimensionSet| set.pairs().all(|(name, value)| rule.select.matches(name, value));
    let is_all = matches!(rule.select, Select::All);
    let sets = sets.iter().filter(|set| is_all || is_selected(set));
    if let Some(discovery) = &rule.discovery {
        return discovery.select(sets, resources);
    }
    match &rule.tags {
        Some(tags @ Tags { selections: Some(_), id_dimension, .. }) => {
            let ids: HashSet<_> =
                resources.iter().filter_map(|resource| tags.id(&resource.arn)).collect();
            let tagged = |(name, value)| name != id_dimension.as_str() || ids.contains(value);
            (sets.filter(|set| set.pairs().all(tagged)).cloned().collect(), Vec::new())
        }
        _ => (sets.cloned().collect(), Vec::new()),
    }
}

/// The results of calls by their parameters.
type CallResults<K, V> = BTreeMap<K, Result<V, Failure>>;

/// The lists for some rules, each requested once.
struct Lists {
    metrics: CallResults<ListParameters, MetricList>,
    resources: CallResults<ResourceFilters, Arc<Vec<Resource>>>,
}

impl Lists {
    async fn request<'a>(
        cloud: &Cloud,
        rules: impl Iterator<Item = (&'a Rule, Refresh)> + Clone,
        concurrency: usize,
        allowance: &Allowance,
    ) -> Self {
        let listed = rules.clone().filter(|(_, refresh)| refresh.metrics);
        let listings: BTreeSet<_> =
            listed.filter_map(|(rule, _)| ListParameters::of(rule)).collect();
        let tagged = rules.filter(|(_, refresh)| refresh.resources);
        let all_filters: BTreeSet<_> =
            tagged.filter_map(|(rule, _)| ResourceFilters::of(rule)).collect();
        let metrics = listings.into_iter().map(|listing| async move {
            let list = cloud.list(&listing, allowance).await;
            (listing, list)
        });
        let resources = all_filters.into_iter().map(|filters| async move {
            let resources = cloud.resources(&filters, allowance).await.map(Arc::new);
            (filters, resources)
        });
        let (metrics, resources) = future::join(
            stream::iter(metrics).buffer_unordered(concurrency.max(1)).collect(),
            stream::iter(resources).buffer_unordered(concurrency.max(1)).collect(),
        )
        .await;
        Self { metrics, resources }
    }

    /// The lists for a rule. `None` if a request failed.
    fn of(&mut self, rule: &Rule, refresh: Refresh, before: Option<&Results>) -> Option<RuleLists> {
        let list = match (ListParameters::of(rule), before) {
            (Some(listing), _) if refresh.metrics => {
                let list = self.metrics.get_mut(&listing)?.as_mut().ok()?;
                // The pages are counted for the first rule with this list.
                MetricList { sets: Arc::clone(&list.sets), pages: mem::take(&mut list.pages) }
            }
            (Some(_), Some(before)) => MetricList { sets: Arc::clone(&before.listed), pages: 0 },
            (Some(_), None) => return None,
            (None, _) => MetricList { sets: Arc::new(unlisted_sets(rule)), pages: 0 },
        };
        let resources = match (ResourceFilters::of(rule), before) {
            (Some(filters), _) if refresh.resources => {
                let all = self.resources.get(&filters)?.as_ref().ok()?;
                let discovery = rule.discovery.as_ref();
                match discovery.filter(|discovery| !discovery.tag_patterns.is_empty()) {
                    Some(discovery) => {
                        let has_tags = |resource: &&Resource| discovery.has_tags(&resource.tags);
                        Arc::new(all.iter().filter(has_tags).cloned().collect())
                    }
                    None => Arc::clone(all),
                }
            }
            (Some(_), Some(before)) => Arc::clone(&before.resources),
            _ => Arc::default(),
        };
        Some(RuleLists { list, resources })
    }

    fn failures(self) -> Vec<Failure> {
        let metrics = self.metrics.into_values().filter_map(Result::err);
        metrics.chain(self.resources.into_values().filter_map(Result::err)).collect()
    }
}

/// The dimension sets that need not be listed, because the configuration determines them.
fn unlisted_sets(rule: &Rule) -> Vec<DimensionSet> {
    if rule.from_stream {
        return Vec::new();
    }
    let names = rule.dimensions.clone().unwrap_or_default();
    let set = |values: Vec<String>| DimensionSet {
        names: Arc::clone(&names),
        values: values.into_iter().map(String::into_boxed_str).collect(),
        owner: None,
    };
    rule.product()
        .map_or_else(|| vec![DimensionSet::default()], |sets| sets.into_iter().map(set).collect())
}
