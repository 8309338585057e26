//! The datapoints of one series, and the statistics of its newest period.

use super::{Outcome, Values};

/// A minute in milliseconds: the period of the datapoints of most metrics.
const MINUTE: i64 = 60_000;

/// The maximum delay of a datapoint after the end of its period, in milliseconds. Periods longer than a
/// minute are complete after this delay.
pub(super) const MAX_DELAY: i64 = 180_000;

/// The maximum number of datapoints of a series. The maximum period of an hour, the next one until the
/// first is complete, and some more have 123 datapoints.
const MAX_DATAPOINTS: usize = 160;

/// The datapoints of one series, as far as they are needed for the newest periods of its rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Periods {
    /// The datapoints, in the order of their starts.
    received: Vec<Received>,
}

/// A received datapoint.
#[derive(Clone, Debug)]
struct Received {
    /// In milliseconds since 1970.
    start: i64,
    values: Values,
    /// The values of the rule's extended statistics, in their order. Missing ones are NaN.
    extended: Box<[f64]>,
}

/// The period that is exposed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period<'a> {
    /// In milliseconds since 1970.
    pub(super) start: i64,
    pub(super) values: Values,
    /// Empty if the period has several datapoints, because percentiles cannot be combined.
    pub(super) extended: &'a [f64],
}

impl Periods {
    /// Adds a datapoint. `period` is that of the rule, in milliseconds.
    ///
    /// CloudWatch sends a datapoint again when it has further samples, and Firehose repeats deliveries,
    /// both in any order. Of several versions of a datapoint, the one with most samples is kept.
    pub(super) fn insert(
        &mut self,
        start: i64,
        values: Values,
        extended: impl Iterator<Item = f64>,
        period: i64,
        now: i64,
    ) -> Outcome {
        if self.newest_period(period, now).is_some_and(|newest| start < newest) {
            return Outcome::Superseded;
        }
        match self.received.binary_search_by_key(&start, |received| received.start) {
            Ok(index) => {
                let Some(known) = self.received.get_mut(index) else { return Outcome::Duplicate };
                if known.values == values || known.values.count > values.count {
                    return Outcome::Duplicate;
                }
                *known = Received { start, values, extended: extended.collect() };
            }
            Err(index) => {
                // Most series have one datapoint.
                if self.received.len() == self.received.capacity() {
                    self.received.reserve_exact(if period > MINUTE { 4 } else { 1 });
                }
                let extended = extended.collect();
                self.received.insert(index, Received { start, values, extended });
                self.remove_old(period, now);
            }
        }
        Outcome::Kept
    }

    /// The newest complete period with datapoints.
    pub(super) fn newest(&self, period: i64, now: i64) -> Option<Period<'_>> {
        let start = self.newest_period(period, now)?;
        let is_within = |one: &&Received| one.start >= start && one.start < start + period;
        let mut received = self.received.iter().filter(is_within);
        let first = received.next()?;
        let mut newest = Period { start, values: first.values, extended: &first.extended };
        for Received { values, .. } in received {
            newest.values.count += values.count;
            newest.values.sum += values.sum;
            newest.values.minimum = newest.values.minimum.min(values.minimum);
            newest.values.maximum = newest.values.maximum.max(values.maximum);
            newest.extended = &[];
        }
        Some(newest)
    }

    /// The start of the newest datapoint.
    pub(super) fn newest_start(&self) -> Option<i64> {
        self.received.last().map(|one| one.start)
    }

    /// The start of the newest complete period with datapoints.
    fn newest_period(&self, period: i64, now: i64) -> Option<i64> {
        let starts = self.received.iter().rev().map(|one| one.start.div_euclid(period) * period);
        let is_complete = |start: &i64| period <= MINUTE || start + period + MAX_DELAY <= now;
        starts.into_iter().find(is_complete)
    }

    /// Removes datapoints that are older than the newest complete period.
    fn remove_old(&mut self, period: i64, now: i64) {
        if let Some(newest) = self.newest_period(period, now) {
            self.received.retain(|received| received.start >= newest);
        }
        if self.received.len() > MAX_DATAPOINTS {
            self.received.remove(0);
        }
    }
}

impl Period<'_> {
    /// The value of one of the five basic statistics.
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

    /// The start of the exposed period in minutes, and its sum.
    fn exposed(periods: &Periods, period: i64, now: i64) -> Option<(i64, f64)> {
        let newest = periods.newest(period, now)?;
        Some((newest.start / MINUTE, newest.values.sum))
    }

    #[test]
    fn the_newest_minute_is_exposed_for_any_order() {
        let mut periods = Periods::default();
        let now = 100 * MINUTE;
        let mut insert = |minute, value: f64| {
            periods.insert(minute * MINUTE, single(value), [value].into_iter(), MINUTE, now)
        };
        assert_eq!(insert(10, 1.0), Outcome::Kept);
        assert_eq!(insert(12, 3.0), Outcome::Kept);
        assert_eq!(insert(11, 2.0), Outcome::Superseded);
        assert_eq!(insert(12, 3.0), Outcome::Duplicate);
        assert_eq!(exposed(&periods, MINUTE, now), Some((12, 3.0)));
        assert_eq!(periods.newest(MINUTE, now).unwrap().extended, [3.0]);
        assert_eq!(periods.received.len(), 1);
    }

    #[test]
    fn the_version_with_most_samples_is_kept() {
        let mut periods = Periods::default();
        let mut insert =
            |values| periods.insert(MINUTE, values, [].into_iter(), MINUTE, 10 * MINUTE);
        assert_eq!(insert(values(2.0, 5.0, 1.0, 4.0)), Outcome::Kept);
        assert_eq!(insert(values(3.0, 6.0, 1.0, 4.0)), Outcome::Kept);
        assert_eq!(
            insert(values(2.0, 5.0, 1.0, 4.0)),
            Outcome::Duplicate,
            "it is the older version"
        );
        assert_eq!(exposed(&periods, MINUTE, 10 * MINUTE), Some((1, 6.0)));
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
        assert!(periods.newest(FIVE_MINUTES, now).is_none(), "datapoints may still arrive");
        now += MAX_DELAY;
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
        // A late datapoint of the newest period counts, and one of the previous period does not.
        insert(&mut periods, 5, values(3.0, 6.0, -1.0, 5.0), now);
        assert_eq!(exposed(&periods, FIVE_MINUTES, now), Some((5, 36.0)));
        assert_eq!(insert(&mut periods, 4, single(1.0), now), Outcome::Superseded);
        now += FIVE_MINUTES;
        assert_eq!(exposed(&periods, FIVE_MINUTES, now), Some((10, 100.0)));
    }

    #[test]
    fn the_number_of_datapoints_of_a_series_is_limited() {
        let mut periods = Periods::default();
        for second in 0..10_000 {
            periods.insert(second * 1000, single(1.0), [].into_iter(), 3_600_000, 0);
        }
        assert_eq!(periods.received.len(), MAX_DATAPOINTS);
    }

    #[test]
    fn statistics_without_samples_are_missing() {
        let period = Period { start: 0, values: values(0.0, 0.0, 0.0, 0.0), extended: &[] };
        assert_eq!((period.value("Average"), period.value("Sum")), (None, Some(0.0)));
        let period = Period { start: 0, values: Values::default(), extended: &[] };
        assert_eq!(period.value("Maximum"), None);
    }
}
