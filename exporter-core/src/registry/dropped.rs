//! Series that were dropped from pages because they would have made them invalid.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::exposition::Conflict;
use crate::exposition::desc::Desc;
use crate::exposition::families::Families;

pub(crate) static DROPPED: Desc<1> = Desc::counter(
    "exporter_dropped_series_total",
    "Series dropped from a page, by reason: duplicates, a family of the same name with another type or labels, invalid names or values, or too many series of a collector.",
    ["reason"],
);

/// The maximum number of names that are logged. Each is logged once.
const MAX_LOGGED: usize = 1000;

/// Series that were dropped, by reason.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    conflicting: AtomicU64,
    duplicate: AtomicU64,
    illegal: AtomicU64,
    /// By collector.
    over_limit: Mutex<BTreeMap<String, usize>>,
    logged: Mutex<HashSet<(&'static str, String)>>,
}

impl Dropped {
    /// Counts the series that were dropped when a page was joined.
    pub(super) fn record(&self, conflicts: Vec<Conflict>) {
        for conflict in conflicts {
            match conflict {
                Conflict::Family { name, dropped } => {
                    let problem = "a family has another type or other labels than one of its name, or its name is the exporter's own";
                    self.count(&self.conflicting, problem, name, dropped);
                }
                Conflict::Series { name, dropped } => {
                    let problem = "a family has series that it had already";
                    self.count(&self.duplicate, problem, name, dropped);
                }
            }
        }
    }

    /// Counts the invalid samples of a collector.
    pub(super) fn refused(&self, collector: &str, dropped: usize) {
        if dropped > 0 {
            let problem = "a collector wrote samples whose names or values cannot be exposed";
            self.count(&self.illegal, problem, collector.to_owned(), dropped);
        }
    }

    /// Counts the series of a collector above its limit.
    pub(super) fn over_limit(&self, collector: &str, dropped: usize) {
        if dropped > 0 {
            let mut over_limit = self.over_limit.lock().unwrap_or_else(PoisonError::into_inner);
            *over_limit.entry(collector.to_owned()).or_default() += dropped;
        }
    }

    pub(super) fn write(&self, out: &mut Families) {
        let reasons = [
            ("conflicting_family", &self.conflicting),
            ("duplicate", &self.duplicate),
            ("illegal", &self.illegal),
        ];
        let mut family = out.open(DROPPED.as_dyn());
        for (reason, counter) in reasons {
            family.sample(&[reason], counter.load(Ordering::Relaxed) as f64);
        }
        let over_limit = self.over_limit.lock().unwrap_or_else(PoisonError::into_inner);
        let labels = &["reason", "collector"];
        let mut family = out.open(DROPPED.as_dyn().with_labels(labels));
        for (collector, dropped) in over_limit.iter() {
            family.sample(&["max_series", collector], *dropped as f64);
        }
    }

    fn count(&self, counter: &AtomicU64, problem: &'static str, name: String, dropped: usize) {
        counter.fetch_add(dropped as u64, Ordering::Relaxed);
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() < MAX_LOGGED && !logged.contains(&(problem, name.clone())) {
            tracing::warn!(name, dropped, problem, "series left out");
            logged.insert((problem, name));
        }
    }
}
