//! The results of one target, and its fetch in progress.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::task::AbortHandle;

use super::demand::Demand;
use super::{Cache, FetchEnd, Setup};
use crate::cloud::Failure;
use crate::fetch::{Job, RETRY_DELAY, fetch};
use crate::results::Results;
use crate::rule::Rule;
use crate::snapshot::TargetSnapshot;
use crate::target::Target;

#[derive(Debug)]
pub(super) struct TargetState {
    /// One for each rule.
    pub(super) results: Vec<Arc<Results>>,
    failures: Vec<Failure>,
    is_reachable: bool,
    /// The earliest time of the next fetch, in seconds since 1970, because the target could not be
    /// reached.
    not_before: u64,
    fetching: Option<RunningFetch>,
}

/// A fetch in progress.
#[derive(Debug)]
struct RunningFetch {
    end: FetchEnd,
    task: AbortHandle,
}

impl TargetState {
    pub(super) fn all(setup: &Setup) -> Vec<Self> {
        let rules = setup.config.rules.len();
        let new = |_| Self {
            results: vec![Arc::default(); rules],
            failures: Vec::new(),
            is_reachable: true,
            not_before: 0,
            fetching: None,
        };
        setup.config.targets.iter().map(new).collect()
    }

    pub(super) fn snapshot(&self) -> TargetSnapshot {
        TargetSnapshot {
            results: self.results.clone(),
            failures: self.failures.clone(),
            is_reachable: self.is_reachable,
        }
    }

    /// The indices of the rules to fetch now.
    pub(super) fn due(&self, rules: &[Rule], target: &Target, now: u64) -> Vec<usize> {
        if now < self.not_before {
            return Vec::new();
        }
        let results = rules.iter().zip(&self.results).enumerate();
        results
            .filter(|(_, (rule, _))| rule.applies_to(target) && rule.is_fetched())
            .filter(|(_, (_, results))| results.valid_until <= now)
            .map(|(index, _)| index)
            .collect()
    }

    /// The time at which the next rule is due; `None` if rules are due now.
    pub(super) fn next_due(&self, rules: &[Rule], now: u64) -> Option<u64> {
        let results = rules.iter().zip(&self.results).map(|(_, results)| results.valid_until);
        results.map(|time| time.max(self.not_before)).filter(|time| *time > now).min()
    }

    pub(super) fn is_fetching(&self) -> bool {
        self.fetching.as_ref().is_some_and(|fetching| !fetching.task.is_finished())
    }

    /// The end of the fetch in progress.
    pub(super) fn end(&self) -> Option<FetchEnd> {
        self.fetching.as_ref().filter(|_| self.is_fetching()).map(|fetching| fetching.end.clone())
    }

    /// Whether a page needs the fetch in progress: results were never fetched, or are older than the
    /// interval of the scrapes suggests. Pages do not wait for retries of failed calls.
    pub(super) fn must_wait(
        &self,
        rules: &[Rule],
        target: &Target,
        demand: &Demand,
        now: u64,
    ) -> bool {
        rules.iter().zip(&self.results).any(|(rule, results)| {
            let is_new = results.fetched_at.is_none() && self.is_reachable;
            let is_old = results.fetched_at.is_some()
                && results.valid_until <= now
                && !results.is_incomplete
                && !demand.is_regular(rule.window.period.into(), now);
            rule.applies_to(target) && rule.is_fetched() && (is_new || is_old)
        })
    }

    pub(super) fn start(
        &mut self,
        cache: Arc<Cache>,
        setup: Arc<Setup>,
        index: usize,
        due: Vec<usize>,
        stretch: BTreeMap<usize, u32>,
        now: u64,
    ) {
        let known = self.results.iter().cloned().enumerate().collect();
        let task = tokio::spawn(async move {
            let concurrency = cache.concurrency;
            let publish = |rule: usize, results: Results| {
                let mut state = cache.state();
                if !Arc::ptr_eq(&state.setup, &setup) {
                    return;
                }
                let target = state.targets.get_mut(index);
                if let Some(current) = target.and_then(|target| target.results.get_mut(rule)) {
                    *current = Arc::new(results);
                }
            };
            let (failures, is_reachable) = match setup.cloud(index).await {
                Ok(cloud) => {
                    let scrape = setup.config.scrape_interval;
                    let rules = &setup.config.rules;
                    let job = Job { rules, due, known, stretch, now, concurrency, scrape };
                    let failures = fetch(cloud, job, &publish).await;
                    cloud.log_resolved_failures();
                    (failures, true)
                }
                Err(failure) => (vec![failure], false),
            };
            let mut state = cache.state();
            if Arc::ptr_eq(&state.setup, &setup)
                && let Some(target) = state.targets.get_mut(index)
            {
                target.ended(failures, is_reachable);
            }
            drop(state);
            cache.fetch_ended.notify_one();
        });
        let handle = task.abort_handle();
        let end = task.map(|_| ()).boxed().shared();
        self.fetching = Some(RunningFetch { end, task: handle });
    }

    fn ended(&mut self, failures: Vec<Failure>, is_reachable: bool) {
        match failures.first() {
            Some(failure) if !is_reachable && self.is_reachable => {
                tracing::warn!(%failure, "nothing can be fetched");
            }
            None if !self.is_reachable => tracing::info!("fetching again"),
            _ => {}
        }
        self.not_before = if is_reachable { 0 } else { super::now() + RETRY_DELAY };
        self.is_reachable = is_reachable;
        self.failures = failures;
    }
}
