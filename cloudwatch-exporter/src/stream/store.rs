//! The datapoints that metric streams have delivered, for each rule at each target.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::series::{Context, Series};
use super::{Datapoint, Outcome, metrics};
use crate::config::Config;
use crate::rule::Rule;
use crate::snapshot::Snapshot;
use crate::target::{Account, Target};

/// The datapoints of all rules that are fed by metric streams.
#[derive(Debug, Default)]
pub(crate) struct Store {
    entries: Vec<Entry>,
    /// The indices of entries, by namespace and metric.
    by_metric: HashMap<String, HashMap<String, Vec<usize>>>,
    /// The number of sets of all entries.
    total: AtomicUsize,
}

/// A rule at a target.
#[derive(Debug)]
struct Entry {
    target: usize,
    rule: usize,
    series: Arc<Mutex<Series>>,
    /// The start of the newest datapoint, in milliseconds since 1970.
    newest: AtomicI64,
}

impl Entry {
    fn series(&self) -> MutexGuard<'_, Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// A store for a configuration. Unchanged rules keep their datapoints.
    pub(crate) fn new(config: &Config, previous: Option<(&Config, &Self)>) -> Self {
        let mut store = Self::default();
        for (rule_index, rule) in
            config.rules.iter().enumerate().filter(|(_, rule)| rule.from_stream)
        {
            for (target_index, target) in config.targets.iter().enumerate() {
                if !rule.applies_to(target) {
                    continue;
                }
                let known = previous.and_then(|(config, store)| store.find(config, rule, target));
                let series = known.map(|entry| Arc::clone(&entry.series)).unwrap_or_default();
                let newest = known.map_or(0, |entry| entry.newest.load(Ordering::Relaxed));
                let entry =
                    Entry { target: target_index, rule: rule_index, series, newest: newest.into() };
                store.total.fetch_add(entry.series().len(), Ordering::Relaxed);
                let by_name = store.by_metric.entry(rule.namespace.clone()).or_default();
                by_name.entry(rule.metric.clone()).or_default().push(store.entries.len());
                store.entries.push(entry);
            }
        }
        store
    }

    /// The entry of an equal rule at an equal target.
    fn find(&self, config: &Config, rule: &Rule, target: &Target) -> Option<&Entry> {
        self.entries.iter().find(|entry| {
            let is_equal = |known: &Rule| {
                known.namespace == rule.namespace
                    && known.metric == rule.metric
                    && known.dimensions == rule.dimensions
                    && known.discovery.is_some() == rule.discovery.is_some()
                    && known.statistics == rule.statistics
                    && known.window.period == rule.window.period
            };
            config.rules.get(entry.rule).is_some_and(is_equal)
                && config.targets.get(entry.target) == Some(target)
        })
    }

    /// Keeps a datapoint for the rules that it matches. `now` is in seconds since 1970.
    pub(crate) fn insert(&self, config: &Config, point: &Datapoint<'_>, now: u64) -> Outcome {
        let by_name = self.by_metric.get(&*point.namespace);
        let indices = by_name.and_then(|by_name| by_name.get(&*point.metric));
        let mut outcome = Outcome::NoRule;
        for entry in indices.into_iter().flatten().filter_map(|index| self.entries.get(*index)) {
            let Some((rule, target)) = rule_and_target(config, entry) else { continue };
            if !is_from(point, target) {
                continue;
            }
            let inserted = entry.series().insert(self.context(rule, target, now), point);
            if inserted == Outcome::Kept {
                entry.newest.fetch_max(point.start, Ordering::Relaxed);
            }
            outcome = outcome.max(inserted);
        }
        outcome
    }

    /// Adds the datapoints to a snapshot of the same configuration.
    pub(crate) fn add_to(&self, snapshot: &mut Snapshot, now: u64) {
        let Snapshot { config, targets } = snapshot;
        for entry in &self.entries {
            let results = targets.get_mut(entry.target).map(|target| &mut target.results);
            let results = results.and_then(|results| results.get_mut(entry.rule));
            let (Some(results), Some((rule, target))) = (results, rule_and_target(config, entry))
            else {
                continue;
            };
            let context = self.context(rule, target, now);
            *results = Arc::new(entry.series().results(context, results));
        }
    }

    /// Sets the gauges of the receiver.
    pub(crate) fn measure(&self, config: &Config, now: u64) {
        metrics::SERIES.set(self.total.load(Ordering::Relaxed) as f64);
        let mut by_region: HashMap<&str, i64> = HashMap::new();
        for entry in &self.entries {
            let newest = entry.newest.load(Ordering::Relaxed);
            let region =
                rule_and_target(config, entry).and_then(|(_, target)| target.region.as_deref());
            if let Some(region) = region.filter(|_| newest > 0) {
                let known = by_region.entry(region).or_default();
                *known = newest.max(*known);
            }
        }
        metrics::AGE.retain(|[region]| by_region.contains_key(region));
        for (region, newest) in by_region {
            metrics::AGE.with([region]).set(now as f64 - newest as f64 / 1000.0);
        }
    }

    fn context<'a>(&'a self, rule: &'a Rule, target: &Target, now: u64) -> Context<'a> {
        let is_linked = target.account.as_ref().is_some_and(|account| account.is_linked);
        Context { rule, is_linked, now, total: &self.total }
    }
}

fn rule_and_target<'a>(config: &'a Config, entry: &Entry) -> Option<(&'a Rule, &'a Target)> {
    config.rules.get(entry.rule).zip(config.targets.get(entry.target))
}

/// Whether a datapoint is from the region and the account of a target. Without `accounts` in the file,
/// it may be from any account.
fn is_from(point: &Datapoint<'_>, target: &Target) -> bool {
    let is_account = |account: &Account| {
        account.is_linked || account.id.is_empty() || account.id == point.account
    };
    target.region.as_deref() == Some(&*point.region)
        && target.account.as_ref().is_none_or(is_account)
}

#[cfg(test)]
mod tests {
    use super::super::Values;
    use super::*;
    use crate::snapshot::TargetSnapshot;

    const NOW: u64 = 1_800_000_000;

    fn config(rules: &str) -> Config {
        let text = format!(
            "region: r\nfrom_stream: true\nstream: {{listen_address: ':1', access_key_file: k}}\nmetrics:\n{rules}"
        );
        Config::parse(text.as_bytes()).unwrap()
    }

    fn point(dimensions: &[(&'static str, &'static str)], seconds_ago: i64) -> Datapoint<'static> {
        Datapoint {
            account: "123456789012".into(),
            region: "r".into(),
            namespace: "N".into(),
            metric: "M".into(),
            dimensions: dimensions
                .iter()
                .map(|(name, one)| ((*name).into(), (*one).into()))
                .collect(),
            start: (i64::try_from(NOW).unwrap() - seconds_ago) * 1000,
            ..Datapoint::default()
        }
    }

    #[test]
    fn a_datapoint_is_kept_by_rules_with_its_dimensions() {
        let config = config(
            "- {aws_namespace: N, aws_metric_name: M, aws_dimensions: [A, B]}\n\
             - {aws_namespace: N, aws_metric_name: M, aws_dimensions: [C], aws_dimension_select: {C: [x]}}\n\
             - {aws_namespace: N, aws_metric_name: M}\n",
        );
        let store = Store::new(&config, None);
        for (dimensions, expected) in [
            (&[("A", "1"), ("B", "2")] as &[_], Outcome::Kept),
            (&[("B", "2"), ("A", "1")], Outcome::Duplicate),
            (&[("A", "1"), ("A", "2")], Outcome::NoRule),
            (&[("A", "1")], Outcome::NoRule),
            (&[("A", "1"), ("B", "2"), ("C", "x")], Outcome::NoRule),
            (&[("C", "x")], Outcome::Kept),
            (&[("C", "y")], Outcome::NoRule),
            (&[], Outcome::Kept),
        ] {
            let outcome = store.insert(
                &config,
                &Datapoint {
                    values: Values { count: 1.0, sum: 1.0, minimum: 1.0, maximum: 1.0 },
                    ..point(dimensions, 60)
                },
                NOW,
            );
            assert_eq!(outcome, expected, "{dimensions:?}");
        }
        let elsewhere = Datapoint { region: "s".into(), ..point(&[], 60) };
        assert_eq!(store.insert(&config, &elsewhere, NOW), Outcome::NoRule);
        for (seconds_ago, expected) in [
            (840, Outcome::Superseded),
            (841, Outcome::TooOld),
            (-60, Outcome::Kept),
            (-61, Outcome::InFuture),
        ] {
            let outcome = store.insert(&config, &point(&[], seconds_ago), NOW);
            assert_eq!(outcome, expected, "{seconds_ago}");
        }
    }

    #[test]
    fn series_without_new_datapoints_are_removed_after_hours() {
        let config = config("- {aws_namespace: N, aws_metric_name: M, aws_dimensions: [A]}\n");
        let store = Store::new(&config, None);
        for value in ["1", "2"] {
            store.insert(&config, &point(&[("A", value)], 60), NOW);
        }
        let results = vec![Arc::default()];
        let target = TargetSnapshot { results, failures: Vec::new(), is_reachable: true };
        let mut snapshot = Snapshot { config: Arc::new(config.clone()), targets: vec![target] };
        let mut sets = |now| {
            store.add_to(&mut snapshot, now);
            (snapshot.targets[0].results[0].sets.len(), store.total.load(Ordering::Relaxed))
        };
        assert_eq!(sets(NOW), (2, 2));
        let later = NOW + 2 * 3600;
        let newer =
            Datapoint { start: i64::try_from(later).unwrap() * 1000, ..point(&[("A", "2")], 0) };
        store.insert(&config, &newer, later);
        assert_eq!(sets(NOW + 4 * 3600), (1, 1));
        assert_eq!(sets(NOW + 6 * 3600), (0, 0));
        assert_eq!(
            store.insert(&config, &point(&[("A", "1")], -6 * 3600), NOW + 6 * 3600),
            Outcome::Kept
        );
        assert_eq!(sets(NOW + 6 * 3600), (1, 1));
    }
}
