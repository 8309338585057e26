//! Limits the requests of one fetch, even if the endpoint responds with endless pages.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The maximum number of list pages in one fetch: five million metrics.
const MAX_LIST_PAGES: u64 = 10_000;

/// Datapoints are requested up to three times, if CloudWatch does not return them. In addition, a fetch
/// may use this many calls and billed units.
const SPARE: u64 = 100;

/// Calls and billed units that a fetch may still use.
#[derive(Debug)]
pub(crate) struct Allowance(Mutex<Remaining>);

#[derive(Debug, Default)]
struct Remaining {
    pages: u64,
    calls: u64,
    units: u64,
    reached: Option<Limit>,
}

/// The limit that was reached first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Calls,
    BilledUnits,
}

impl Limit {
    /// The value of the metric's label.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::BilledUnits => "billed_units",
        }
    }
}

impl Default for Allowance {
    fn default() -> Self {
        Self(Mutex::new(Remaining { pages: MAX_LIST_PAGES, ..Remaining::default() }))
    }
}

impl Allowance {
    /// Adds what planned calls may use. `billed` has the billed units of each call.
    pub(crate) fn plan(&self, billed: impl ExactSizeIterator<Item = u64>) {
        let mut remaining = self.remaining();
        remaining.calls += 3 * billed.len() as u64 + SPARE;
        remaining.units += 3 * billed.sum::<u64>() + SPARE;
    }

    /// Takes one page of a list; false at the limit.
    pub(crate) fn take_page(&self) -> bool {
        let mut remaining = self.remaining();
        let Some(pages) = remaining.pages.checked_sub(1) else {
            remaining.reached.get_or_insert(Limit::Calls);
            return false;
        };
        remaining.pages = pages;
        true
    }

    /// Takes one request for datapoints that is billed as `units`; false at the limit.
    pub(crate) fn take_data(&self, units: u64) -> bool {
        let mut remaining = self.remaining();
        let (Some(calls), remaining_units) =
            (remaining.calls.checked_sub(1), remaining.units.checked_sub(units))
        else {
            remaining.reached.get_or_insert(Limit::Calls);
            return false;
        };
        let Some(units) = remaining_units else {
            remaining.reached.get_or_insert(Limit::BilledUnits);
            return false;
        };
        (remaining.calls, remaining.units) = (calls, units);
        true
    }

    pub(crate) fn reached(&self) -> Option<Limit> {
        self.remaining().reached
    }

    fn remaining(&self) -> MutexGuard<'_, Remaining> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetch_may_use_three_times_the_planned_units_and_the_spare_ones() {
        for (planned, units, expected, limit) in [
            (2, 50, 8, Limit::BilledUnits),
            (2, 0, 106, Limit::Calls),
            (1, 250, 1, Limit::BilledUnits),
            (0, 1, 100, Limit::Calls),
        ] {
            let allowance = Allowance::default();
            allowance.plan((0..planned).map(|_| 50));
            let taken = (0..1000).take_while(|_| allowance.take_data(units)).count();
            assert_eq!((taken, allowance.reached()), (expected, Some(limit)), "{planned} {units}");
        }
        let allowance = Allowance::default();
        assert_eq!((0..20_000).take_while(|_| allowance.take_page()).count(), 10_000);
        assert_eq!(allowance.reached(), Some(Limit::Calls));
    }
}
