//! The metrics of one kind, by name and labels.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use ::metrics::{Key, KeyName, Label, SharedString, Unit};

use crate::exposition::desc::{DynDesc, Kind};
use crate::exposition::families::Families;
use crate::instrument::{Child, REFUSED};

/// All metrics of one kind.
#[derive(Debug)]
pub(super) struct Metrics<T>(RwLock<State<T>>);

#[derive(Debug)]
struct State<T> {
    /// By name and labels; equal keys may have their labels in different orders.
    series: BTreeMap<Key, Arc<T>>,
    families: BTreeMap<KeyName, Family>,
}

#[derive(Debug, Default)]
struct Family {
    help: SharedString,
    unit: Option<Unit>,
    /// The number of its label sets.
    series: usize,
    /// How often a new label set was refused.
    refused: u64,
}

impl<T: Child> Metrics<T> {
    pub(super) const fn new() -> Self {
        Self(RwLock::new(State { series: BTreeMap::new(), families: BTreeMap::new() }))
    }

    pub(super) fn describe(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        let mut state = self.write_lock();
        let family = state.families.entry(name).or_default();
        (family.unit, family.help) = (unit, help);
    }

    /// The metric of a key. It is not kept if its family has `max` of them already.
    pub(super) fn with(&self, key: &Key, settings: T::Settings, max: usize) -> Arc<T> {
        if let Some(found) = self.read().series.get(key) {
            return Arc::clone(found);
        }
        let mut state = self.write_lock();
        if let Some(found) = state.series.get(key) {
            return Arc::clone(found);
        }
        let created = Arc::new(T::created(settings, SystemTime::now()));
        let family = state.families.entry(key.name_shared()).or_default();
        if family.series < max {
            family.series += 1;
            state.series.insert(key.to_retained(), Arc::clone(&created));
        } else {
            family.refused += 1;
        }
        created
    }

    pub(super) fn list(&self, kind: Kind, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let state = self.read();
        for (name, family) in state.families.iter().filter(|(_, family)| family.series > 0) {
            let series = state.series.keys().find(|key| key.name() == name.as_str());
            let labels: Vec<_> = series.into_iter().flat_map(Key::labels).map(Label::key).collect();
            visit(family.desc(name.as_str(), kind, &labels));
        }
    }

    pub(super) fn write(&self, kind: Kind, out: &mut Families) {
        let state = self.read();
        let mut series = state.series.iter().peekable();
        while let Some((first, _)) = series.peek() {
            let first = *first;
            let names: Vec<_> = first.labels().map(Label::key).collect();
            let Some(family) = state.families.get(first.name()) else { return };
            let mut open = out.open(family.desc(first.name(), kind, &names));
            let is_same = |key: &Key| {
                key.name() == first.name() && key.labels().map(Label::key).eq(names.iter().copied())
            };
            while let Some((key, value)) = series.next_if(|(key, _)| is_same(key)) {
                let values: Vec<_> = key.labels().map(Label::value).collect();
                value.write(&values, &mut open);
            }
        }
    }

    pub(super) fn write_refused(&self, out: &mut Families) {
        let state = self.read();
        let mut refused = out.family(&REFUSED);
        for (name, family) in state.families.iter().filter(|(_, family)| family.series > 0) {
            refused.sample([name.as_str()], family.refused as f64);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_lock(&self) -> RwLockWriteGuard<'_, State<T>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Family {
    fn desc<'a>(&'a self, name: &'a str, kind: Kind, labels: &'a [&'a str]) -> DynDesc<'a> {
        // `promtool` objects to families without one.
        let help = if self.help.is_empty() { "Not described." } else { &*self.help };
        let unit = self.unit.map_or("", |unit| unit.as_str());
        DynDesc::new(name, help, kind, labels).with_unit(unit)
    }
}
