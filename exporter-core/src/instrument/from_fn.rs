//! Values that are computed when they are read.

use crate::exposition::desc::{Desc, Describe, DynDesc};
use crate::exposition::families::Families;
use crate::instrument::Instrument;

/// A gauge or counter whose value is computed for each page.
///
/// The function runs on the thread that writes the page: it must not block.
///
/// ```
/// use exporter_core::instrument::FromFn;
/// use std::thread::available_parallelism;
///
/// static THREADS: FromFn = FromFn::gauge("app_parallelism", "Threads that can run at once.", || {
///     available_parallelism().map_or(f64::NAN, |threads| threads.get() as f64)
/// });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FromFn<F = fn() -> f64> {
    desc: Desc<'static>,
    read: F,
}

impl<F: Fn() -> f64> FromFn<F> {
    /// A gauge with the value that `read` returns.
    pub const fn gauge(name: &'static str, help: &'static str, read: F) -> Self {
        Self { desc: Desc::gauge(name, help, []), read }
    }

    /// A counter with the value that `read` returns, which must never decrease.
    pub const fn counter(name: &'static str, help: &'static str, read: F) -> Self {
        Self { desc: Desc::counter(name, help, []), read }
    }

    /// Declares the unit of the values: see [`Desc::with_unit`].
    ///
    /// # Panics
    ///
    /// Panics if the name of the family does not end with the unit.
    #[must_use]
    pub const fn with_unit(mut self, unit: &'static str) -> Self {
        self.desc = self.desc.with_unit(unit);
        self
    }
}

impl<F: Sync> Describe for FromFn<F> {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        self.desc.describe(visit);
    }
}

impl<F: Fn() -> f64 + Sync> Instrument for FromFn<F> {
    fn write(&self, out: &mut Families) {
        out.family(&self.desc).sample([], (self.read)());
    }
}
