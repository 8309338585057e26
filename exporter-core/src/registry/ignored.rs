//! Collectors in `collect[]` that were ignored because they are disabled or unknown.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::ScrapeError;
use crate::exposition::desc::Desc;
use crate::exposition::families::Families;

static IGNORED: Desc<1> = Desc::counter(
    "exporter_ignored_collectors_total",
    "Collectors named by collect[] that a scrape went without, because they are off or unknown.",
    ["reason"],
);

/// The number of names that are logged, each once: clients choose them.
const MAX_LOGGED: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Ignored {
    disabled: AtomicU64,
    unknown: AtomicU64,
    logged: Mutex<HashSet<String>>,
}

impl Ignored {
    /// Counts an ignored collector.
    pub(super) fn record(&self, problem: &ScrapeError) {
        let counter = match problem {
            ScrapeError::Disabled(_) => &self.disabled,
            _ => &self.unknown,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let problem = problem.to_string();
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() < MAX_LOGGED && !logged.contains(&problem) {
            tracing::warn!(problem, "collect[] names a collector that is ignored");
            logged.insert(problem);
        }
    }

    pub(super) fn write(&self, out: &mut Families) {
        let mut family = out.family(&IGNORED);
        for (reason, counter) in [("disabled", &self.disabled), ("unknown", &self.unknown)] {
            family.sample([reason], counter.load(Ordering::Relaxed) as f64);
        }
    }
}
