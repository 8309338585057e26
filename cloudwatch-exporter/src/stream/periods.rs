//! The datapoints of one series, and the statistics of its newest period.

use super::{Outcome, Values};

/// A minute in milliseconds: the period of the datapoints of most metrics.
const MINUTE: i64 = 60_000;

/// How long a datapoint of a stream may take after the end of its period, in milliseconds. Periods
/// longer than a minute are complete so long after their end.
pub(super) const LATENCY: i64 = 180_000;

/// Datapoints that a series has at most. An hour and the part of the next one that is not complete
/// have 123 datapoints of a minute.
const DATAPOINTS: usize = 160;

/// The datapoints of one series that the newest periods of its rule are made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Periods {
    /// In the order of their starts.
    received: Vec<Received>,
}

/// A datapoint.
#[derive(Clone, Debug)]
struct Received {
    /// In milliseconds since 1970.
    start: i64,
    values: Values,
    /// In the order of the extended statistics of the rule. NaN if one is missing.
    extended: Box<[f64]>,
}

/// The period that a page shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period<'a> {
    /// In milliseconds since 1970.
    pub(super) start: i64,
    pub(super) values: Values,
    /// Only if the period is that of one datapoint, because percentiles cannot be combined.
    pub(super) extended: &'a [f64],
}

impl Periods {
    /// Adds a datapoint. `period` is that of the rule, in milliseconds.
    ///
    /// CloudWatch sends a datapoint again with further samples in it, and Firehose repeats
    /// deliveries, both in any order: of the same datapoint, the one with most samples is kept.
    pub(super) fn insert(
        &mut self,
        start: i64,
        values: Values,
        extended: impl Iterator<Item = f64>,
        period: i64,
        now: i64,
    ) -> Outcome {
        if self.shown(period, now).is_some_and(|shown| start < shown) {
            return Outcome::Superseded;
        }
        match self.received.binary_search_by_key(&start, |one| one.start) {
            Ok(at) => {
                let Some(known) = self.received.get_mut(at) else { return Outcome::Duplicate };
                if known.values == values || known.values.count > values.count {
                    return Outcome::Duplicate;
                }
                *known = Received { start, values, extended: extended.collect() };
            }
            Err(at) => {
                // Most series have one datapoint.
                if self.received.len() == self.received.capacity() {
                    self.received.reserve_exact(if period > MINUTE { 4 } else { 1 });
                }
                let extended = extended.collect();
                self.received.insert(at, Received { start, values, extended });
                self.forget(period, now);
            }
        }
        Outcome::Kept
    }

    /// The newest complete period with datapoints.
    pub(super) fn newest(&self, period: i64, now: i64) -> Option<Period<'_>> {
        let start = self.shown(period, now)?;
        let within = |one: &&Received| one.start >= start && one.start < start + period;
        let mut received = self.received.iter().filter(within);
        let first = received.next()?;
        let mut shown = Period { start, values: first.values, extended: &first.extended };
        for Received { values, .. } in received {
            shown.values.count += values.count;
            shown.values.sum += values.sum;
            shown.values.minimum = shown.values.minimum.min(values.minimum);
            shown.values.maximum = shown.values.maximum.max(values.maximum);
            shown.extended = &[];
        }
        Some(shown)
    }

    /// The start of the newest datapoint.
    pub(super) fn newest_start(&self) -> Option<i64> {
        self.received.last().map(|one| one.start)
    }

    /// The start of the newest complete period with datapoints.
    fn shown(&self, period: i64, now: i64) -> Option<i64> {
        let starts = self.received.iter().rev().map(|one| one.start.div_euclid(period) * period);
        let is_complete = |start: &i64| period <= MINUTE || start + period + LATENCY <= now;
        starts.into_iter().find(is_complete)
    }

    /// Drops what is older than the newest complete period.
    fn forget(&mut self, period: i64, now: i64) {
        if let Some(shown) = self.shown(period, now) {
            self.received.retain(|one| one.start >= shown);
        }
        if self.received.len() > DATAPOINTS {
            self.received.remove(0);
        }
    }
}

impl Period<'_> {
    /// The value of one of the five statistics.
    pub(super) fn value(&self, statistic: &str) -> Option<f64> {
        let Values { count, sum, minimum, maximum } = self.values;
        let value = match statistic {
            "Sum" => sum,
            "SampleCount" => count,
            "Minimum" => minimum,
            "Maximum" => maximum,
            "Average" if count > 0.0 => sum / count,
            _ => f64::NAN,
        };
        (!value.is_nan()).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_MINUTES: i64 = 5 * MINUTE;

    fn values(count: f64, sum: f64, minimum: f64, maximum: f64) -> Values {
        Values { count, sum, minimum, maximum }
    }

    fn single(value: f64) -> Values {
        values(1.0, value, value, value)
    }

    /// The start of the shown period in minutes, and its sum.
    fn shown(periods: &Periods, period: i64, now: i64) -> Option<(i64, f64)> {
        let newest = periods.newest(period, now)?;
        Some((newest.start / MINUTE, newest.values.sum))
    }

    #[test]
    fn the_newest_minute_is_shown_in_any_order() {
        let mut periods = Periods::default();
        let now = 100 * MINUTE;
        let mut insert = |minute, value: f64| {
            periods.insert(minute * MINUTE, single(value), [value].into_iter(), MINUTE, now)
        };
        assert_eq!(insert(10, 1.0), Outcome::Kept);
        assert_eq!(insert(12, 3.0), Outcome::Kept);
        assert_eq!(insert(11, 2.0), Outcome::Superseded);
        assert_eq!(insert(12, 3.0), Outcome::Duplicate);
        assert_eq!(shown(&periods, MINUTE, now), Some((12, 3.0)));
        assert_eq!(periods.newest(MINUTE, now).unwrap().extended, [3.0]);
        assert_eq!(periods.received.len(), 1);
    }

    #[test]
    fn the_state_with_most_samples_is_kept() {
        let mut periods = Periods::default();
        let mut insert =
            |values| periods.insert(MINUTE, values, [].into_iter(), MINUTE, 10 * MINUTE);
        assert_eq!(insert(values(2.0, 5.0, 1.0, 4.0)), Outcome::Kept);
        assert_eq!(insert(values(3.0, 6.0, 1.0, 4.0)), Outcome::Kept);
        assert_eq!(insert(values(2.0, 5.0, 1.0, 4.0)), Outcome::Duplicate, "it is the older state");
        assert_eq!(shown(&periods, MINUTE, 10 * MINUTE), Some((1, 6.0)));
    }

    #[test]
    fn minutes_are_combined_to_longer_periods() {
        let mut periods = Periods::default();
        let mut now = 10 * MINUTE;
        let insert = |periods: &mut Periods, minute: i64, values, now| {
            periods.insert(minute * MINUTE, values, [9.0].into_iter(), FIVE_MINUTES, now)
        };
        for minute in [5, 7, 6, 9, 8, 8] {
            insert(&mut periods, minute, values(2.0, minute as f64, -1.0, minute as f64), now);
        }
        assert!(periods.newest(FIVE_MINUTES, now).is_none(), "datapoints may be on their way");
        now += LATENCY;
        insert(&mut periods, 10, single(100.0), now);
        let newest = periods.newest(FIVE_MINUTES, now).unwrap();
        assert_eq!(newest.start, FIVE_MINUTES);
        for (statistic, value) in [
            ("Sum", Some(35.0)),
            ("SampleCount", Some(10.0)),
            ("Average", Some(3.5)),
            ("Minimum", Some(-1.0)),
            ("Maximum", Some(9.0)),
            ("p99", None),
        ] {
            assert_eq!(newest.value(statistic), value, "{statistic}");
        }
        assert!(newest.extended.is_empty());
        // A late one still counts, and one of the period before does not.
        insert(&mut periods, 5, values(3.0, 6.0, -1.0, 5.0), now);
        assert_eq!(shown(&periods, FIVE_MINUTES, now), Some((5, 36.0)));
        assert_eq!(insert(&mut periods, 4, single(1.0), now), Outcome::Superseded);
        now += FIVE_MINUTES;
        assert_eq!(shown(&periods, FIVE_MINUTES, now), Some((10, 100.0)));
    }

    #[test]
    fn a_series_is_bounded() {
        let mut periods = Periods::default();
        for second in 0..10_000 {
            periods.insert(second * 1000, single(1.0), [].into_iter(), 3_600_000, 0);
        }
        assert_eq!(periods.received.len(), DATAPOINTS);
    }

    #[test]
    fn an_average_needs_samples() {
        let period = Period { start: 0, values: values(0.0, 0.0, 0.0, 0.0), extended: &[] };
        assert_eq!((period.value("Average"), period.value("Sum")), (None, Some(0.0)));
        let period = Period { start: 0, values: Values::default(), extended: &[] };
        assert_eq!(period.value("Maximum"), None);
    }
}
