//! The series of one rule at one target.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::periods::{MAX_DELAY, Periods};
use super::{Datapoint, Outcome};
use crate::fetch::pending::selected;
use crate::results::{DimensionSet, Point, Resource, Results};
use crate::rule::Rule;

/// The maximum number of dimension sets of all rules. A set takes about 400 bytes.
const MAX_SETS: usize = 100_000;

/// The maximum number of different lists of dimension names of one rule.
const MAX_NAME_LISTS: usize = 1000;

/// The time in seconds after which series without new datapoints are removed. CloudWatch removes them
/// from lists of recently active metrics after the same time.
const EXPIRY: u64 = 3 * 3600;

/// The dimension sets of one rule at one target, with their datapoints.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// The indices of the sets in `sets`. The keys include the owner of the metric, so that series of
    /// different accounts are distinct even if they have no label for the account.
    indices: HashMap<DimensionSet, usize>,
    /// The sets as they are exposed.
    sets: Arc<Vec<DimensionSet>>,
    /// The datapoints of each set, in the order of `sets`.
    periods: Vec<Periods>,
    /// The lists of names that sets share.
    names: Vec<Arc<[String]>>,
    /// The unit of the newest datapoint that has one.
    unit: Option<String>,
    /// Cleared when `sets` changes.
    selection: Option<Selection>,
    /// When series were last removed, in seconds since 1970.
    expired_removed_at: u64,
}

/// The sets that the resources of a rule select.
#[derive(Debug)]
struct Selection {
    resources: Arc<Vec<Resource>>,
    sets: Arc<Vec<DimensionSet>>,
    resource_indices: Arc<Vec<Option<u32>>>,
    /// The index of each set among all sets of the rule.
    indices: Vec<usize>,
}

/// What determines whether and how series are exposed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) rule: &'a Rule,
    /// Whether the target is a monitoring account, whose series name the owners of metrics.
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

    /// The start of the oldest period that is exposed. It ended within the range of the rule, plus the
    /// maximum delay of a delivery.
    fn oldest_start(&self) -> i64 {
        let range = i64::from(self.rule.window.range.max(300)) * 1000;
        self.now() - range - MAX_DELAY - self.period()
    }
}

/// The maximum time by which the clock of this machine may be behind that of AWS, in milliseconds.
const MAX_CLOCK_SKEW: i64 = 60_000;

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
        if point.start < context.oldest_start() {
            return Outcome::TooOld;
        }
        if point.start > context.now() + MAX_CLOCK_SKEW {
            return Outcome::InFuture;
        }
        let index = match self.indices.get(&set) {
            Some(index) => *index,
            None => match self.add(context, set) {
                Some(index) => index,
                None => return Outcome::TooManySeries,
            },
        };
        if !point.unit.is_empty() && self.unit.as_deref() != Some(&*point.unit) {
            self.unit = Some(point.unit.clone().into_owned());
        }
        let Some(periods) = self.periods.get_mut(index) else { return Outcome::NoRule };
        let value = |name: &str| point.extended.iter().find(|(known, _)| known == name);
        let extended = context.rule.statistics.iter().filter(|statistic| statistic.is_extended);
        let extended =
            extended.map(|statistic| value(&statistic.name).map_or(f64::NAN, |(_, value)| *value));
        periods.insert(point.start, point.values, extended, context.period(), context.now())
    }

    /// The set of a datapoint, if its dimensions are those of the rule.
    fn set(&mut self, rule: &Rule, point: &Datapoint<'_>) -> Result<DimensionSet, Outcome> {
        let mut pairs: Vec<_> =
            point.dimensions.iter().map(|(name, value)| (&**name, &**value)).collect();
        if !pairs.iter().all(|(name, value)| rule.select.matches(name, value)) {
            return Err(Outcome::NoRule);
        }
        let names = match &rule.dimensions {
            Some(wanted) => {
                let position = |name: &str| wanted.iter().position(|wanted| wanted == name);
                pairs.sort_by_key(|(name, _)| position(name));
                if !pairs.iter().map(|(name, _)| *name).eq(wanted.iter().map(String::as_str)) {
                    return Err(Outcome::NoRule);
                }
                Arc::clone(wanted)
            }
            None if rule.discovery.is_some() => {
                pairs.sort_unstable();
                self.shared_names(&pairs).ok_or(Outcome::TooManySeries)?
            }
            None if pairs.is_empty() => Arc::default(),
            None => return Err(Outcome::NoRule),
        };
        let values = pairs.into_iter().map(|(_, value)| value.into()).collect();
        Ok(DimensionSet { names, values, owner: Some(point.account.as_ref().into()) })
    }

    /// The shared list of these names. `None` if there are too many lists.
    fn shared_names(&mut self, pairs: &[(&str, &str)]) -> Option<Arc<[String]>> {
        let names = || pairs.iter().map(|(name, _)| *name);
        if let Some(known) =
            self.names.iter().find(|known| known.iter().map(String::as_str).eq(names()))
        {
            return Some(Arc::clone(known));
        }
        if self.names.len() >= MAX_NAME_LISTS {
            return None;
        }
        let shared: Arc<[String]> = names().map(str::to_owned).collect();
        self.names.push(Arc::clone(&shared));
        Some(shared)
    }

    /// Adds a set, unless there are too many. Returns its index.
    fn add(&mut self, context: Context<'_>, set: DimensionSet) -> Option<usize> {
        if context.total.load(Ordering::Relaxed) >= MAX_SETS {
            self.remove_expired(context);
            if context.total.load(Ordering::Relaxed) >= MAX_SETS {
                return None;
            }
        }
        context.total.fetch_add(1, Ordering::Relaxed);
        self.selection = None;
        let index = self.periods.len();
        let owner = set.owner.clone().filter(|_| context.is_linked);
        Arc::make_mut(&mut self.sets).push(DimensionSet { owner, ..set.clone() });
        self.periods.push(Periods::default());
        self.indices.insert(set, index);
        Some(index)
    }

    /// Removes series without new datapoints, at most once a minute.
    fn remove_expired(&mut self, context: Context<'_>) {
        if context.now < self.expired_removed_at + 60 {
            return;
        }
        self.expired_removed_at = context.now;
        let oldest = context.now.saturating_sub(EXPIRY.max(u64::from(context.rule.window.range)));
        let oldest = i64::try_from(oldest).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
        let is_expired =
            |periods: &Periods| periods.newest_start().is_none_or(|start| start < oldest);
        if !self.periods.iter().any(is_expired) {
            return;
        }
        let before = self.periods.len();
        let mut indices: Vec<_> = std::mem::take(&mut self.indices).into_iter().collect();
        indices.sort_unstable_by_key(|(_, index)| *index);
        let sets = std::mem::take(&mut self.sets);
        let kept = indices.into_iter().zip(sets.iter()).zip(std::mem::take(&mut self.periods));
        let mut sets = Vec::new();
        for (((key, _), set), periods) in kept.filter(|(_, periods)| !is_expired(periods)) {
            self.indices.insert(key, sets.len());
            sets.push(set.clone());
            self.periods.push(periods);
        }
        // The total may be too small: while a configuration is replaced, a set may be added that the new
        // store does not count.
        let removed = before - sets.len();
        let less = |total: usize| Some(total.saturating_sub(removed));
        _ = context.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        self.names.retain(|names| Arc::strong_count(names) > 1);
        self.sets = Arc::new(sets);
        self.selection = None;
    }

    /// The results of the rule. `fetched` contains its resources.
    pub(super) fn results(&mut self, context: Context<'_>, fetched: &Results) -> Results {
        let Context { rule, now, .. } = context;
        self.remove_expired(context);
        let selection = match self.selection.take() {
            Some(known) if Arc::ptr_eq(&known.resources, &fetched.resources) => known,
            _ => self.select(rule, &fetched.resources),
        };
        let mut points = Vec::with_capacity(selection.sets.len() * rule.statistics.len());
        for index in &selection.indices {
            self.append_points(context, *index, &mut points);
        }
        let results = Results {
            sets: Arc::clone(&selection.sets),
            resource_indices: Arc::clone(&selection.resource_indices),
            points,
            // Without its resources, it is unknown which series a rule selects.
            fetched_at: if rule.has_resources() { fetched.fetched_at } else { Some(now) },
            valid_until: now,
            unit: self.unit.clone(),
            ..fetched.clone()
        };
        self.selection = Some(selection);
        results
    }

    fn select(&self, rule: &Rule, resources: &Arc<Vec<Resource>>) -> Selection {
        let (sets, resource_indices) = selected(rule, &self.sets, resources);
        let (sets, indices) = if sets.len() == self.sets.len() {
            (Arc::clone(&self.sets), (0..sets.len()).collect())
        } else {
            // The selected sets have the same order as all sets.
            let mut selected = sets.iter().peekable();
            let all = self.sets.iter().enumerate();
            let indices =
                all.filter_map(|(index, set)| selected.next_if_eq(&set).map(|_| index)).collect();
            (Arc::new(sets), indices)
        };
        Selection {
            resources: Arc::clone(resources),
            sets,
            resource_indices: Arc::new(resource_indices),
            indices,
        }
    }

    /// Appends the points of a series.
    fn append_points(&self, context: Context<'_>, index: usize, points: &mut Vec<Point>) {
        let periods = self.periods.get(index);
        let newest = periods.and_then(|periods| periods.newest(context.period(), context.now()));
        let newest = newest.filter(|newest| newest.start >= context.oldest_start());
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
