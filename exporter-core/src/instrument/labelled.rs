//! One instrument for each set of label values.

use std::cmp::Ordering;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use super::{Child, Instrument};
use crate::exposition::desc::{Desc, Describe, DynDesc};
use crate::exposition::families::Families;

/// A family of instruments. Each is made when its labels are first seen, and stays until it is
/// removed: take labels from a small set, not from what others send.
#[derive(Debug)]
pub struct Labelled<T: Child, const N: usize> {
    desc: Desc<'static, N>,
    settings: T::Settings,
    /// By labels, in order.
    series: RwLock<Vec<One<T, N>>>,
}

#[derive(Debug)]
struct One<T, const N: usize> {
    labels: [Box<str>; N],
    value: Arc<T>,
}

impl<T: Child, const N: usize> Labelled<T, N> {
    pub(super) const fn new(desc: Desc<'static, N>, settings: T::Settings) -> Self {
        Self { desc, settings, series: RwLock::new(Vec::new()) }
    }

    /// The instrument for these label values. Where they do not change, keep it: that saves the
    /// search. One that is removed goes on, but is not exposed.
    pub fn with(&self, labels: [&str; N]) -> Arc<T> {
        if let Ok(one) = find(&self.read(), labels) {
            return one;
        }
        let mut series = self.change();
        find(&series, labels).unwrap_or_else(|at| {
            let value = Arc::new(T::born(self.settings, SystemTime::now()));
            series.insert(at, One { labels: labels.map(Box::from), value: Arc::clone(&value) });
            value
        })
    }

    /// Removes one series, and says whether it was there.
    pub fn remove(&self, labels: [&str; N]) -> bool {
        let mut series = self.change();
        let found = place(&series, labels);
        if let Ok(at) = found {
            series.remove(at);
        }
        found.is_ok()
    }

    /// Removes all series that are not to be kept.
    pub fn retain(&self, mut keep: impl FnMut([&str; N]) -> bool) {
        self.change().retain(|one| keep(one.labels.each_ref().map(|label| &**label)));
    }

    /// Removes all series.
    pub fn clear(&self) {
        self.change().clear();
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<One<T, N>>> {
        self.series.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Vec<One<T, N>>> {
        self.series.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Child, const N: usize> Describe for Labelled<T, N> {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        self.desc.describe(visit);
    }
}

impl<T: Child, const N: usize> Instrument for Labelled<T, N> {
    fn write(&self, out: &mut Families) {
        let mut family = out.open(self.desc.as_dyn());
        for one in &*self.read() {
            one.value.write(&one.labels.each_ref().map(|label| &**label), &mut family);
        }
    }
}

/// What has these labels, or the place for it.
fn find<T, const N: usize>(series: &[One<T, N>], labels: [&str; N]) -> Result<Arc<T>, usize> {
    let at = place(series, labels)?;
    series.get(at).map(|one| Arc::clone(&one.value)).ok_or(at)
}

/// Where these labels are, or would be.
fn place<T, const N: usize>(series: &[One<T, N>], labels: [&str; N]) -> Result<usize, usize> {
    series.binary_search_by(|one| -> Ordering {
        one.labels.iter().map(|label| &**label).cmp(labels.iter().copied())
    })
}
