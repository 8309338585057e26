//! The state of all targets at a point in time.

use std::sync::Arc;

use crate::cloud::Failure;
use crate::config::Config;
use crate::results::Results;
use crate::target::Target;

/// The configuration, and the results of each target.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) config: Arc<Config>,
    /// The targets, in the order of the configuration.
    pub(crate) targets: Vec<TargetSnapshot>,
}

#[derive(Clone, Debug)]
pub(crate) struct TargetSnapshot {
    /// The results of each rule. Empty if the rule does not apply to the target.
    pub(crate) results: Vec<Arc<Results>>,
    /// The failures of the last fetch.
    pub(crate) failures: Vec<Failure>,
    /// Whether the last fetch could connect.
    pub(crate) is_reachable: bool,
}

impl Snapshot {
    /// The targets with their state.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (&Target, &TargetSnapshot)> {
        self.config.targets.iter().zip(&self.targets)
    }

    /// Whether results of the configuration are missing.
    pub(crate) fn is_missing(&self, now: u64) -> bool {
        let rules = &self.config.rules;
        self.targets().any(|(target, state)| {
            let results = rules.iter().zip(&state.results);
            let mut applied = results.filter(|(rule, _)| rule.applies_to(target));
            applied.any(|(_, results)| results.is_missing(now))
        })
    }

    pub(crate) fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.targets.iter().flat_map(|target| &target.failures)
    }
}
