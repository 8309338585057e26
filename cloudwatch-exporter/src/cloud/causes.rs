//! The causes of failed calls. Each is logged when it first occurs, and when a fetch has ended without
//! it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The causes of one target.
#[derive(Debug, Default)]
pub(super) struct Causes(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether a cause occurred in the current fetch, by action and kind.
    active: BTreeMap<(&'static str, String), bool>,
}

impl Causes {
    /// Records a cause. Returns whether it is new, and has to be logged.
    fn is_new(&self, action: &'static str, kind: &str) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.active.insert((action, kind.to_owned()), true).is_none()
    }

    /// Records a failed call, and logs it if its cause is new.
    pub(super) fn record(
        &self,
        action: &'static str,
        kind: &str,
        target: &str,
        endpoint: &str,
        error: &str,
    ) {
        if self.is_new(action, kind) {
            tracing::warn!(target = target, endpoint, action, error, "calls fail");
        } else {
            tracing::debug!(target = target, endpoint, action, error, "a call failed");
        }
    }

    /// Logs the causes that did not occur in the fetch that has just ended.
    pub(super) fn log_resolved_failures(&self, target: &str) {
        for (action, kind) in self.ended() {
            tracing::info!(target = target, action, error = kind, "calls no longer fail");
        }
    }

    fn ended(&self) -> Vec<(&'static str, String)> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (current, ended): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut state.active).into_iter().partition(|(_, occurred)| *occurred);
        state.active = current.into_keys().map(|cause| (cause, false)).collect();
        ended.into_keys().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_logged_when_it_begins_and_ends() {
        let causes = Causes::default();
        assert!(causes.is_new("list", "timeout") && !causes.is_new("list", "timeout"));
        assert!(causes.is_new("data", "timeout") && causes.is_new("list", "connection"));
        assert!(causes.ended().is_empty());
        assert!(!causes.is_new("list", "timeout"), "it occurs again in the next fetch");
        let ended = causes.ended();
        assert_eq!(ended, [("data", "timeout".to_owned()), ("list", "connection".to_owned())]);
        assert_eq!(causes.ended(), [("list", "timeout".to_owned())]);
        assert!(causes.is_new("list", "timeout"));
    }
}
