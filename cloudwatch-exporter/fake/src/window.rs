//! The periods that a request covers.

use std::ops::Range;

use crate::metric::Metric;
use crate::statistic::Period;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The periods of a request, by their first second, which is a multiple of the period.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    first: i64,
    end: i64,
    period: i64,
    now: i64,
}

impl Window {
    /// The start is rounded down to the minute, or to the retained resolution of old data. A period that is
    /// not a multiple of that resolution has no data.
    pub(crate) fn new(times: Range<i64>, period: i64, now: i64) -> Self {
        let resolution = match now.saturating_sub(times.start) {
            age if age <= 3 * HOUR => 1,
            age if age <= 15 * DAY => 60,
            age if age <= 63 * DAY => 300,
            _ => HOUR,
        };
        // Older data is not retained, and future data does not exist.
        let times =
            times.start.max(now.saturating_sub(455 * DAY))..times.end.min(now.saturating_add(1));
        let start = times
            .start
            .div_euclid(resolution.max(period.clamp(1, 60)))
            .saturating_mul(resolution.max(period.clamp(1, 60)));
        let first = -(-start).div_euclid(period.max(1)) * period.max(1);
        let end = if period % resolution == 0 { times.end } else { first };
        Self { first, end, period: period.max(1), now }
    }

    pub(crate) fn starts(self) -> impl DoubleEndedIterator<Item = i64> {
        let periods = (self.end - self.first).max(0);
        let periods = periods / self.period + i64::from(periods % self.period > 0);
        (0..periods).map(move |index| self.first + index * self.period)
    }

    /// Reads the samples of `metric` in the period from `start`, up to the end of the request.
    pub(crate) fn read(self, metric: &Metric, start: i64, period: &mut Period) {
        period.clear();
        if self.period >= metric.resolution {
            metric.samples(start, (start + self.period).min(self.end), self.now, |value| {
                period.push(value);
            });
        }
    }
}

/// Whether CloudWatch supports periods of this length.
pub(crate) fn is_period(seconds: i64) -> bool {
    matches!(seconds, 1 | 5 | 10 | 20 | 30) || seconds > 0 && seconds % 60 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistic::Statistic;

    #[test]
    fn periods_are_aligned_and_retained_by_age() {
        let now = 1_700_000_000 / 3600 * 3600;
        let cases: [(Range<i64>, i64, Vec<i64>); 10] = [
            (-600..0, 300, vec![-600, -300]),
            (-570..30, 300, vec![-600, -300, 0]),
            (-599..1, 60, vec![-600, -540, -480, -420, -360, -300, -240, -180, -120, -60, 0]),
            (-27..0, 10, vec![-30, -20, -10]),
            (-301..-1, 300, vec![-300]),
            (-590..-1, 120, vec![-600, -480, -360, -240, -120]),
            (-4 * HOUR..-4 * HOUR + 60, 10, vec![]),
            (-16 * DAY..-16 * DAY + 60, 60, vec![]),
            (-16 * DAY + 10..-16 * DAY + 400, 300, vec![-16 * DAY, -16 * DAY + 300]),
            (-64 * DAY..-64 * DAY + 3600, 300, vec![]),
        ];
        for (times, period, starts) in cases {
            let window = Window::new(now + times.start..now + times.end, period, now);
            let actual: Vec<i64> = window.starts().map(|start| start - now).collect();
            assert_eq!(actual, starts, "{times:?} {period}");
        }
    }

    #[test]
    fn the_last_period_ends_with_the_request() {
        let metric = Metric::new("A", "B").lag(60);
        let sum = |end: i64, now: i64| {
            let mut period = Period::for_statistics(&[]);
            Window::new(0..end, 300, now).read(&metric, 0, &mut period);
            period.get(Statistic::Sum)
        };
        assert_eq!(sum(300, 1000), Some(5.0));
        assert_eq!(sum(121, 1000), Some(3.0));
        assert_eq!(sum(300, 180), Some(3.0));
        assert_eq!(sum(300, 59), None);
    }
}
