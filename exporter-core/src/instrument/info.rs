//! Facts and states as metrics.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Instrument;
use crate::exposition::desc::{Desc, Describe, DynDesc};
use crate::exposition::families::Families;

/// Facts that do not change while the program runs, such as its version: labels on a sample whose
/// value is 1. `OpenMetrics` gets the type `info`, other formats a gauge.
///
/// ```
/// use exporter_core::instrument::Info;
///
/// static BUILD: Info<1> =
///     Info::new("app_build_info", "Version of the program.", ["version"], ["1.2.3"]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Info<const N: usize> {
    desc: Desc<'static, N>,
    values: [&'static str; N],
}

impl<const N: usize> Info<N> {
    /// # Panics
    ///
    /// Panics if the name is invalid or does not end with `_info`; in a static, the program does
    /// not compile.
    pub const fn new(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        values: [&'static str; N],
    ) -> Self {
        Self { desc: Desc::info(name, help, labels), values }
    }
}

impl<const N: usize> Describe for Info<N> {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        self.desc.describe(visit);
    }
}

impl<const N: usize> Instrument for Info<N> {
    fn write(&self, out: &mut Families) {
        out.family(&self.desc).sample(self.values, 1.0);
    }
}

/// Which of a fixed list of states a program is in: a series for each state, with the value 1 for
/// the current one and 0 for all others. `OpenMetrics` gets the type `stateset`, other formats a
/// gauge.
///
/// ```
/// use exporter_core::instrument::StateSet;
///
/// static STATE: StateSet =
///     StateSet::new("app_state", "State of the program.", &["starting", "ready", "draining"]);
///
/// assert!(STATE.set("ready"));
/// assert!(!STATE.set("no such state"));
/// ```
#[derive(Debug)]
pub struct StateSet {
    desc: Desc<'static, 1>,
    states: &'static [&'static str],
    current: AtomicUsize,
}

impl StateSet {
    /// Starts in the first of `states`. The label has the name of the family.
    ///
    /// # Panics
    ///
    /// Panics if the name is invalid; in a static, the program does not compile.
    pub const fn new(
        name: &'static str,
        help: &'static str,
        states: &'static [&'static str],
    ) -> Self {
        Self { desc: Desc::state_set(name, help, [name]), states, current: AtomicUsize::new(0) }
    }

    /// Changes the state. Returns false, and changes nothing, if there is no such state.
    pub fn set(&self, state: &str) -> bool {
        let index = self.states.iter().position(|known| *known == state);
        if let Some(index) = index {
            self.current.store(index, Relaxed);
        }
        index.is_some()
    }
}

impl Describe for StateSet {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        self.desc.describe(visit);
    }
}

impl Instrument for StateSet {
    fn write(&self, out: &mut Families) {
        let current = self.current.load(Relaxed);
        let mut family = out.family(&self.desc);
        for (index, state) in self.states.iter().enumerate() {
            family.sample([state], f64::from(index == current));
        }
    }
}
