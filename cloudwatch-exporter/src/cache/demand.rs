//! When scrapes occur.

use std::collections::VecDeque;

use crate::rule::MAX_AGE;

/// The times of the last scrapes, in seconds since 1970.
#[derive(Clone, Debug, Default)]
pub(super) struct Demand {
    scrapes: VecDeque<u64>,
}

/// Scrapes are regular if each of this many consecutive periods had one.
const REGULAR_PERIODS: u64 = 3;

/// The age in seconds at which scrapes are forgotten.
const EXPIRY: u64 = REGULAR_PERIODS * MAX_AGE;

impl Demand {
    pub(super) fn record_scrape(&mut self, now: u64) {
        if self.scrapes.back().is_none_or(|last| *last < now) {
            self.scrapes.push_back(now);
        }
        while self.scrapes.front().is_some_and(|first| *first + EXPIRY < now) {
            self.scrapes.pop_front();
        }
    }

    /// Whether there were scrapes recently.
    pub(super) fn is_recent(&self, now: u64) -> bool {
        self.scrapes.back().is_some_and(|last| now <= last + EXPIRY)
    }

    /// Whether there was a scrape in each of the last periods. Then fetching ahead of the next one
    /// causes no additional cost.
    pub(super) fn is_regular(&self, period: u64, now: u64) -> bool {
        let period = period.min(MAX_AGE);
        (0..REGULAR_PERIODS).all(|ago| {
            let end = now.saturating_sub(ago * period);
            let start = end.saturating_sub(period);
            self.scrapes.iter().rev().find(|time| **time <= end).is_some_and(|time| *time > start)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(times: impl Iterator<Item = u64>) -> Demand {
        let mut demand = Demand::default();
        times.for_each(|time| demand.record_scrape(time));
        demand
    }

    #[test]
    fn scrapes_are_regular_if_each_period_has_one() {
        for (interval, period, expected) in
            [(15, 60, true), (60, 60, true), (90, 60, false), (120, 60, false), (120, 300, true)]
        {
            let demand = demand((0..40).map(|n| 1000 + n * interval));
            let last = 1000 + 39 * interval;
            assert_eq!(demand.is_regular(period, last), expected, "{interval} {period}");
            assert!(!demand.is_regular(period, last + period), "they have stopped");
        }
        assert!(!demand([1000].into_iter()).is_regular(60, 1000), "one scrape is not enough");
        assert!(
            !demand((0..20).map(|n| 1000 + n * 3)).is_regular(60, 1059),
            "the scrapes do not cover three periods"
        );
    }

    #[test]
    fn old_scrapes_are_forgotten() {
        let demand = demand((0..10_000).map(|n| n * 15));
        assert!(demand.scrapes.len() < 800);
        assert!(demand.is_recent(149_985 + EXPIRY) && !demand.is_recent(149_986 + EXPIRY));
    }
}
