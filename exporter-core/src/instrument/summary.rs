//! Quantiles of recent observations.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use super::start::start_time;
use super::timer::Timer;
use super::{Child, Labelled, Value, lock};
use crate::exposition::desc::Desc;
use crate::exposition::families::DynFamily;
use crate::exposition::value::SummaryValue;

/// The number of observations that are kept for the quantiles.
const MAX_RECENT: usize = 4096;

/// The quantiles of a summary, and the time that they cover.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    quantiles: &'static [f64],
    span: Duration,
}

impl Window {
    /// The quantiles of the last ten minutes.
    ///
    /// # Panics
    ///
    /// Panics if the quantiles do not ascend or are not between 0 and 1; in a static, the program
    /// does not compile.
    pub const fn quantiles(quantiles: &'static [f64]) -> Self {
        let mut rest = quantiles;
        while let [quantile, tail @ ..] = rest {
            assert!(*quantile >= 0.0 && *quantile <= 1.0, "a quantile is not between 0 and 1");
            if let [next, ..] = tail {
                assert!(*quantile < *next, "quantiles do not ascend");
            }
            rest = tail;
        }
        Self { quantiles, span: Duration::from_secs(600) }
    }

    /// The same quantiles over another time window.
    #[must_use]
    pub const fn over(self, span: Duration) -> Self {
        Self { span, ..self }
    }
}

/// A summary: count and sum of all observations, and exact quantiles of those in the window, or of
/// the last 4096 if there are more. An observation takes a lock.
#[derive(Debug)]
pub struct Summary {
    window: Window,
    state: Mutex<State>,
    /// `None` in a static, which exists since the start of the process.
    created: Option<SystemTime>,
}

#[derive(Debug)]
struct State {
    count: u64,
    sum: f64,
    /// In chronological order.
    recent: VecDeque<(Instant, f64)>,
}

impl Summary {
    pub(super) const fn new(window: Window) -> Self {
        let state = State { count: 0, sum: 0.0, recent: VecDeque::new() };
        Self { window, state: Mutex::new(state), created: None }
    }

    /// Records one observation. NaN is ignored.
    pub fn observe(&self, value: f64) {
        self.observe_at(value, Instant::now());
    }

    /// The number of observations.
    pub fn count(&self) -> u64 {
        lock(&self.state).count
    }

    /// The sum of all observations.
    pub fn sum(&self) -> f64 {
        lock(&self.state).sum
    }

    /// Records the elapsed seconds when the returned guard is dropped.
    pub fn time(&self) -> Timer<&Self> {
        Timer::new(self)
    }

    fn observe_at(&self, value: f64, now: Instant) {
        if value.is_nan() {
            return;
        }
        let mut state = lock(&self.state);
        state.count += 1;
        state.sum += value;
        if self.window.quantiles.is_empty() {
            return;
        }
        state.forget(now, self.window.span);
        if state.recent.len() == MAX_RECENT {
            state.recent.pop_front();
        }
        state.recent.push_back((now, value));
    }

    /// Count, sum, and the quantiles with their values, which are NaN without observations.
    fn read(&self, now: Instant) -> (u64, f64, Vec<(f64, f64)>) {
        let mut state = lock(&self.state);
        state.forget(now, self.window.span);
        let mut values: Vec<f64> = state.recent.iter().map(|&(_, value)| value).collect();
        let (count, sum) = (state.count, state.sum);
        drop(state);
        values.sort_unstable_by(f64::total_cmp);
        let value_of = |quantile: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
            let rank = (quantile * values.len() as f64).ceil() as usize;
            values.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
        };
        (count, sum, self.window.quantiles.iter().map(|&of| (of, value_of(of))).collect())
    }
}

impl State {
    fn forget(&mut self, now: Instant, span: Duration) {
        let old = |&(at, _): &(Instant, f64)| now.saturating_duration_since(at) > span;
        while self.recent.front().is_some_and(old) {
            self.recent.pop_front();
        }
    }
}

impl Value for Summary {
    fn write(&self, labels: &[&str], out: &mut DynFamily<'_>) {
        let (count, sum, quantiles) = self.read(Instant::now());
        let created = Some(self.created.unwrap_or_else(start_time));
        out.summary(labels, &SummaryValue { count, sum, quantiles: &quantiles, created });
    }
}

impl Child for Summary {
    type Settings = Window;

    fn created(window: Window, at: SystemTime) -> Self {
        Self { created: Some(at), ..Self::new(window) }
    }
}

impl<const N: usize> Labelled<Summary, N> {
    /// A family of summaries.
    pub const fn summary(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        window: Window,
    ) -> Self {
        Self::new(Desc::summary(name, help, labels), window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_cover_the_time_window() {
        let summary =
            Summary::new(Window::quantiles(&[0.0, 0.5, 0.99, 1.0]).over(Duration::from_secs(60)));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let values = |now| {
            let (count, sum, quantiles) = summary.read(now);
            (count, sum, quantiles.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
        };
        let (count, sum, none) = values(at(0));
        assert!(count == 0 && sum == 0.0 && none.iter().all(|value| value.is_nan()));

        summary.observe_at(1000.0, at(0));
        for value in 1..=100_u32 {
            summary.observe_at(f64::from(value), at(30));
        }
        summary.observe_at(f64::NAN, at(31));
        assert_eq!(values(at(60)), (101, 6050.0, vec![1.0, 51.0, 100.0, 1000.0]));
        assert_eq!(values(at(61)), (101, 6050.0, vec![1.0, 50.0, 99.0, 100.0]));
        assert!(values(at(91)).2.iter().all(|value| value.is_nan()));
    }

    #[test]
    fn the_number_of_observations_is_limited() {
        let summary = Summary::new(Window::quantiles(&[0.5]));
        for value in 0..3 * MAX_RECENT {
            summary.observe(value as f64);
        }
        assert_eq!(lock(&summary.state).recent.len(), MAX_RECENT);
    }
}
