//! The series of one rule at one target.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::periods::{LATENCY, Periods};
use super::{Datapoint, Outcome};
use crate::fetch::pending::selected;
use crate::results::{Point, Resource, Results, Set};
use crate::rule::Rule;

/// Dimension sets of all rules. A set takes some 400 bytes.
const SETS: usize = 100_000;

/// Different lists of dimension names of one rule.
const LISTS: usize = 1000;

/// Series without datapoints stay for this many seconds, as in the lists of CloudWatch.
const REMEMBERED: u64 = 3 * 3600;

/// The dimension sets of one rule at one target, with their datapoints.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// With the account that owns the metric, by whose ID series of unnamed accounts are kept apart.
    places: HashMap<Set, usize>,
    /// As they are exposed.
    sets: Arc<Vec<Set>>,
    /// In the order of `sets`.
    periods: Vec<Periods>,
    /// The lists of names that sets share.
    names: Vec<Arc<[String]>>,
    /// The unit of the newest datapoint that has one.
    unit: Option<String>,
    /// Cleared when `sets` changes.
    selection: Option<Selection>,
    /// When series were last removed, in seconds since 1970.
    cleaned_at: u64,
}

/// The sets that the resources of a rule select.
#[derive(Debug)]
struct Selection {
    resources: Arc<Vec<Resource>>,
    sets: Arc<Vec<Set>>,
    owners: Arc<Vec<Option<u32>>>,
    /// Of each set, its place among all.
    places: Vec<usize>,
}

/// Whether and how series are exposed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) rule: &'a Rule,
    /// Whether the target is a monitoring account: series then name the owners of metrics.
    pub(super) is_linked: bool,
    /// In seconds since 1970.
    pub(super) now: u64,
    /// The number of sets of all rules.
    pub(super) total: &'a AtomicUsize,
}

impl Context<'_> {
    /// In milliseconds.
    fn period(&self) -> i64 {
        i64::from(self.rule.window.period.max(60)) * 1000
    }

    /// In milliseconds since 1970.
    fn now(&self) -> i64 {
        i64::try_from(self.now).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
    }

    /// The start of the oldest period that is exposed: it ended within the range of the rule, but for
    /// what a delivery may take.
    fn oldest(&self) -> i64 {
        let range = i64::from(self.rule.window.range.max(300)) * 1000;
        self.now() - range - LATENCY - self.period()
    }
}

/// How far the clock of this machine may be behind that of AWS, in milliseconds.
const CLOCK: i64 = 60_000;

impl Series {
    pub(super) fn len(&self) -> usize {
        self.sets.len()
    }

    /// Adds a datapoint of the rule's metric.
    pub(super) fn insert(&mut self, context: Context<'_>, point: &Datapoint<'_>) -> Outcome {
        let set = match self.set(context.rule, point) {
            Ok(set) => set,
            Err(outcome) => return outcome,
        };
        if point.start < context.oldest() {
            return Outcome::TooOld;
        }
        if point.start > context.now() + CLOCK {
            return Outcome::InFuture;
        }
        let place = match self.places.get(&set) {
            Some(place) => *place,
            None => match self.add(context, set) {
                Some(place) => place,
                None => return Outcome::TooManySeries,
            },
        };
        if !point.unit.is_empty() && self.unit.as_deref() != Some(&*point.unit) {
            self.unit = Some(point.unit.clone().into_owned());
        }
        let Some(periods) = self.periods.get_mut(place) else { return Outcome::NoRule };
        let value = |name: &str| point.extended.iter().find(|(known, _)| known == name);
        let extended = context.rule.statistics.iter().filter(|statistic| statistic.is_extended);
        let extended =
            extended.map(|statistic| value(&statistic.name).map_or(f64::NAN, |(_, value)| *value));
        periods.insert(point.start, point.values, extended, context.period(), context.now())
    }

    /// The set of a datapoint, if its dimensions are those of the rule.
    fn set(&mut self, rule: &Rule, point: &Datapoint<'_>) -> Result<Set, Outcome> {
        let mut pairs: Vec<_> =
            point.dimensions.iter().map(|(name, value)| (&**name, &**value)).collect();
        if !pairs.iter().all(|(name, value)| rule.select.matches(name, value)) {
            return Err(Outcome::NoRule);
        }
        let names = match &rule.dimensions {
            Some(wanted) => {
                let place = |name: &str| wanted.iter().position(|wanted| wanted == name);
                pairs.sort_by_key(|(name, _)| place(name));
                if !pairs.iter().map(|(name, _)| *name).eq(wanted.iter().map(String::as_str)) {
                    return Err(Outcome::NoRule);
                }
                Arc::clone(wanted)
            }
            None if rule.discovery.is_some() => {
                pairs.sort_unstable();
                self.shared(&pairs).ok_or(Outcome::TooManySeries)?
            }
            None if pairs.is_empty() => Arc::default(),
            None => return Err(Outcome::NoRule),
        };
        let values = pairs.into_iter().map(|(_, value)| value.into()).collect();
        Ok(Set { names, values, owner: Some(point.account.as_ref().into()) })
    }

    /// The list of these names.
    fn shared(&mut self, pairs: &[(&str, &str)]) -> Option<Arc<[String]>> {
        let names = || pairs.iter().map(|(name, _)| *name);
        if let Some(known) =
            self.names.iter().find(|known| known.iter().map(String::as_str).eq(names()))
        {
            return Some(Arc::clone(known));
        }
        if self.names.len() >= LISTS {
            return None;
        }
        let shared: Arc<[String]> = names().map(str::to_owned).collect();
        self.names.push(Arc::clone(&shared));
        Some(shared)
    }

    /// Adds a set, if there is room. Returns its place.
    fn add(&mut self, context: Context<'_>, set: Set) -> Option<usize> {
        if context.total.load(Ordering::Relaxed) >= SETS {
            self.clean(context);
            if context.total.load(Ordering::Relaxed) >= SETS {
                return None;
            }
        }
        context.total.fetch_add(1, Ordering::Relaxed);
        self.selection = None;
        let place = self.periods.len();
        let owner = set.owner.clone().filter(|_| context.is_linked);
        Arc::make_mut(&mut self.sets).push(Set { owner, ..set.clone() });
        self.periods.push(Periods::default());
        self.places.insert(set, place);
        Some(place)
    }

    /// Removes series that have had no datapoint for hours, once a minute at most.
    fn clean(&mut self, context: Context<'_>) {
        if context.now < self.cleaned_at + 60 {
            return;
        }
        self.cleaned_at = context.now;
        let oldest =
            context.now.saturating_sub(REMEMBERED.max(u64::from(context.rule.window.range)));
        let oldest = i64::try_from(oldest).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
        let is_old = |periods: &Periods| periods.newest_start().is_none_or(|start| start < oldest);
        if !self.periods.iter().any(is_old) {
            return;
        }
        let before = self.periods.len();
        let mut places: Vec<_> = std::mem::take(&mut self.places).into_iter().collect();
        places.sort_unstable_by_key(|(_, place)| *place);
        let sets = std::mem::take(&mut self.sets);
        let kept = places.into_iter().zip(sets.iter()).zip(std::mem::take(&mut self.periods));
        let mut sets = Vec::new();
        for (((key, _), set), periods) in kept.filter(|(_, periods)| !is_old(periods)) {
            self.places.insert(key, sets.len());
            sets.push(set.clone());
            self.periods.push(periods);
        }
        // While a configuration is replaced, a set may be added that the new store does not count.
        let removed = before - sets.len();
        let less = |total: usize| Some(total.saturating_sub(removed));
        _ = context.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        self.names.retain(|names| Arc::strong_count(names) > 1);
        self.sets = Arc::new(sets);
        self.selection = None;
    }

    /// The results of the rule: `fetched` has its resources.
    pub(super) fn results(&mut self, context: Context<'_>, fetched: &Results) -> Results {
        let Context { rule, now, .. } = context;
        self.clean(context);
        let selection = match self.selection.take() {
            Some(known) if Arc::ptr_eq(&known.resources, &fetched.resources) => known,
            _ => self.select(rule, &fetched.resources),
        };
        let mut points = Vec::with_capacity(selection.sets.len() * rule.statistics.len());
        for place in &selection.places {
            self.write(context, *place, &mut points);
        }
        let results = Results {
            sets: Arc::clone(&selection.sets),
            owners: Arc::clone(&selection.owners),
            points,
            // Without its resources, a rule cannot tell which series are wanted.
            fetched_at: if rule.has_resources() { fetched.fetched_at } else { Some(now) },
            good_until: now,
            unit: self.unit.clone(),
            ..fetched.clone()
        };
        self.selection = Some(selection);
        results
    }

    fn select(&self, rule: &Rule, resources: &Arc<Vec<Resource>>) -> Selection {
        let (sets, owners) = selected(rule, &self.sets, resources);
        let (sets, places) = if sets.len() == self.sets.len() {
            (Arc::clone(&self.sets), (0..sets.len()).collect())
        } else {
            // Those that are selected are in the order of all.
            let mut wanted = sets.iter().peekable();
            let all = self.sets.iter().enumerate();
            let places = all.filter_map(|(at, set)| wanted.next_if_eq(&set).map(|_| at)).collect();
            (Arc::new(sets), places)
        };
        Selection { resources: Arc::clone(resources), sets, owners: Arc::new(owners), places }
    }

    /// Appends the points of a series.
    fn write(&self, context: Context<'_>, place: usize, points: &mut Vec<Point>) {
        let periods = self.periods.get(place);
        let newest = periods.and_then(|periods| periods.newest(context.period(), context.now()));
        let newest = newest.filter(|newest| newest.start >= context.oldest());
        let mut extended = newest.map(|newest| newest.extended).unwrap_or_default().iter();
        for statistic in &context.rule.statistics {
            let value = newest.and_then(|newest| {
                if statistic.is_extended {
                    extended.next().copied().filter(|value| !value.is_nan())
                } else {
                    newest.value(&statistic.name)
                }
            });
            points.push(match (value, newest) {
                (Some(value), Some(newest)) => Point::Value { value, millis: newest.start },
                _ => Point::NoData,
            });
        }
    }
}
