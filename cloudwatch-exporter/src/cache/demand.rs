//! How often pages are requested.

use std::collections::VecDeque;

use crate::rule::MAX_AGE;

/// The times of the last scrapes, in seconds since 1970.
#[derive(Clone, Debug, Default)]
pub(super) struct Demand {
    scrapes: VecDeque<u64>,
}

/// Scrapes are regular if each of this many consecutive periods had one.
const PERIODS: u64 = 3;

/// The age in seconds at which scrapes are forgotten.
const REMEMBERED: u64 = PERIODS * MAX_AGE;

impl Demand {
    pub(super) fn scraped(&mut self, now: u64) {
        if self.scrapes.back().is_none_or(|last| *last < now) {
            self.scrapes.push_back(now);
        }
        while self.scrapes.front().is_some_and(|first| *first + REMEMBERED < now) {
            self.scrapes.pop_front();
        }
    }

    /// Whether there were scrapes recently.
    pub(super) fn is_recent(&self, now: u64) -> bool {
        self.scrapes.back().is_some_and(|last| now <= last + REMEMBERED)
    }

    /// Whether there was a scrape in each of the last periods. Then fetching ahead of the next one
    /// causes no additional cost.
    pub(super) fn is_regular(&self, period: u64, now: u64) -> bool {
        let period = period.min(MAX_AGE);
        (0..PERIODS).all(|ago| {
            let end = now.saturating_sub(ago * period);
            let start = end.saturating_sub(period);
            self.scrapes.iter().rev().find(|at| **at <= end).is_some_and(|at| *at > start)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scraped(times: impl Iterator<Item = u64>) -> Demand {
        let mut demand = Demand::default();
        times.for_each(|time| demand.scraped(time));
        demand
    }

    #[test]
    fn scrapes_are_regular_if_each_period_has_one() {
        for (every, period, expected) in
            [(15, 60, true), (60, 60, true), (90, 60, false), (120, 60, false), (120, 300, true)]
        {
            let demand = scraped((0..40).map(|n| 1000 + n * every));
            let last = 1000 + 39 * every;
            assert_eq!(demand.is_regular(period, last), expected, "{every} {period}");
            assert!(!demand.is_regular(period, last + period), "they have stopped");
        }
        assert!(!scraped([1000].into_iter()).is_regular(60, 1000), "one is none");
        assert!(
            !scraped((0..20).map(|n| 1000 + n * 3)).is_regular(60, 1059),
            "not for long enough"
        );
    }

    #[test]
    fn old_scrapes_are_forgotten() {
        let demand = scraped((0..10_000).map(|n| n * 15));
        assert!(demand.scrapes.len() < 800);
        assert!(demand.is_recent(149_985 + REMEMBERED) && !demand.is_recent(149_986 + REMEMBERED));
    }
}
