//! The rules that are due, with the dimension sets that they will be asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use futures_util::{StreamExt, future, stream};

use crate::cloud::{Cloud, Failure, Listed, Listing, Selection};
use crate::rule::{Rule, Select, Tags};
use crate::sheet::{Point, Resource, Set, Sheet};

/// The sheets of the rules that are due, by the place of the rule; what of them has to be asked for
/// is open.
pub(crate) async fn drafts(
    cloud: &Cloud,
    rules: &[Rule],
    old: &[Arc<Sheet>],
    now: u64,
    concurrency: usize,
) -> (BTreeMap<usize, Sheet>, Vec<Failure>) {
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
    let mut lists = Lists::ask(cloud, to_list.iter().map(|(_, rule, _)| *rule), concurrency).await;
    for (index, rule, before) in to_list {
        let found = lists.of(rule);
        drafts.insert(index, draft(rule, found, before.map(|sheet| &**sheet), now));
    }
    (drafts, lists.failures())
}

/// A sheet that need not be listed again: with what it still lacks of its span, or with all of a
/// new span open.
fn carried_over(rule: &Rule, before: &Sheet, now: u64) -> Option<Sheet> {
    let listed_at = before.listed_at?;
    let span = rule.window.span(now);
    let is_same_span = before.is_incomplete && before.span == span;
    if !is_same_span && now >= listed_at + rule.list_ttl.as_secs() {
        return None;
    }
    let mut sheet = Sheet { is_incomplete: false, span, ..before.clone() };
    if !is_same_span {
        sheet.points.fill(Point::Open);
    }
    Some(sheet)
}

/// A sheet of what was found; where nothing could be found, of what was there before.
fn draft(
    rule: &Rule,
    found: Option<(Listed, Vec<Resource>)>,
    before: Option<&Sheet>,
    now: u64,
) -> Sheet {
    let span = rule.window.span(now);
    let mut sheet = match (found, before) {
        (Some((list, resources)), _) => Sheet {
            sets: Arc::new(selected(rule, list.sets, &resources)),
            resources: Arc::new(resources),
            listed_at: Some(now),
            pages: list.pages,
            ..Sheet::default()
        },
        (None, Some(before)) => Sheet { listed_at: None, is_incomplete: true, ..before.clone() },
        (None, None) => Sheet { is_incomplete: true, ..Sheet::default() },
    };
    if sheet.sets.is_empty() && rule.warn_on_empty && !sheet.is_incomplete {
        let metric = format!("{}:{}", rule.namespace, rule.metric);
        tracing::warn!(metric, "no metric has these dimensions and the values that are selected");
    }
    let paid = before.filter(|before| before.span == span);
    sheet.points = points(rule, &sheet.sets, paid);
    sheet.span = span;
    sheet
}

/// Open, but for those that were answered for the same span.
fn points(rule: &Rule, sets: &[Set], paid: Option<&Sheet>) -> Vec<Point> {
    let statistics = rule.statistics.len();
    let Some(paid) = paid else { return vec![Point::Open; sets.len() * statistics] };
    let known = paid.sets.iter().enumerate();
    let known: HashMap<_, _> = known.map(|(at, set)| (set, paid.of(at, statistics))).collect();
    let open = vec![Point::Open; statistics];
    let of = |set| known.get(set).copied().unwrap_or(&open);
    sets.iter().flat_map(|set| of(set).iter().copied()).collect()
}

/// The sets that the rule wants.
fn selected(rule: &Rule, mut sets: Vec<Set>, resources: &[Resource]) -> Vec<Set> {
    let names = rule.dimensions.as_deref().unwrap_or_default();
    if !matches!(rule.select, Select::All) {
        sets.retain(|set| {
            names.iter().zip(set).all(|(name, value)| rule.select.takes(name, value))
        });
    }
    if let Some(tags @ Tags { selections: Some(_), id_dimension, .. }) = &rule.tags {
        let ids: HashSet<_> = resources.iter().filter_map(|one| tags.id(&one.arn)).collect();
        let tagged = |name: &String, value: &str| name != id_dimension || ids.contains(value);
        sets.retain(|set| names.iter().zip(set).all(|(name, value)| tagged(name, value)));
    }
    sets
}

/// Results of many calls by what they were asked with.
type By<K, V> = BTreeMap<K, Result<V, Failure>>;

/// What was listed for some rules, each list asked for once.
struct Lists {
    metrics: By<Listing, Listed>,
    resources: By<Selection, Vec<Resource>>,
}

impl Lists {
    async fn ask<'a>(
        cloud: &Cloud,
        rules: impl Iterator<Item = &'a Rule> + Clone,
        concurrency: usize,
    ) -> Self {
        let listings: BTreeSet<_> = rules.clone().filter_map(Listing::of).collect();
        let tags = rules.filter_map(|rule| rule.tags.as_ref());
        let selections: BTreeSet<_> = tags.map(Selection::of).collect();
        let metrics = listings.into_iter().map(|listing| async move {
            let list = cloud.list(&listing).await;
            (listing, list)
        });
        let resources = selections.into_iter().map(|selection| async move {
            let resources = cloud.resources(&selection).await;
            (selection, resources)
        });
        let (metrics, resources) = future::join(
            stream::iter(metrics).buffer_unordered(concurrency).collect(),
            stream::iter(resources).buffer_unordered(concurrency).collect(),
        )
        .await;
        Self { metrics, resources }
    }

    /// What a rule asked for; `None` where some of it failed.
    fn of(&mut self, rule: &Rule) -> Option<(Listed, Vec<Resource>)> {
        let list = match Listing::of(rule) {
            Some(listing) => {
                let list = self.metrics.get_mut(&listing)?.as_mut().ok()?;
                // The next rule with the same list has it for nothing.
                Listed { sets: list.sets.clone(), pages: mem::take(&mut list.pages) }
            }
            None => Listed { sets: known(rule), pages: 0 },
        };
        let resources = match &rule.tags {
            Some(tags) => self.resources.get(&Selection::of(tags))?.as_ref().ok()?.clone(),
            None => Vec::new(),
        };
        Some((list, resources))
    }

    fn failures(self) -> Vec<Failure> {
        let metrics = self.metrics.into_values().filter_map(Result::err);
        metrics.chain(self.resources.into_values().filter_map(Result::err)).collect()
    }
}

/// The sets that need no list.
fn known(rule: &Rule) -> Vec<Set> {
    let boxed = |set: Vec<String>| set.into_iter().map(String::into_boxed_str).collect();
    rule.product()
        .map_or_else(|| vec![Set::default()], |sets| sets.into_iter().map(boxed).collect())
}
