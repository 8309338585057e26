//! Limits the calls in progress at one target: fewer while AWS throttles, and gradually more
//! afterwards.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Further throttling within this time after a reduction does not reduce the limit again.
const SETTLE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Limiter {
    max: usize,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    in_use: usize,
    reduced: Option<Instant>,
}

/// A permit for a call; dropping it returns it.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a Limiter);

impl Limiter {
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        let state = State { limit: max as f64, in_use: 0, reduced: None };
        Self { max, state: Mutex::new(state), freed: Notify::new() }
    }

    pub(super) async fn acquire(&self) -> Permit<'_> {
        loop {
            let freed = self.freed.notified();
            if self.try_acquire() {
                return Permit(self);
            }
            freed.await;
        }
    }

    fn try_acquire(&self) -> bool {
        let mut state = self.state();
        let is_free = (state.in_use as f64) < state.limit.floor().max(1.0);
        state.in_use += usize::from(is_free);
        is_free
    }

    /// Halves the limit.
    pub(super) fn throttled(&self) {
        let mut state = self.state();
        if state.reduced.is_none_or(|at| at.elapsed() >= SETTLE) {
            state.limit = (state.limit / 2.0).max(1.0);
            state.reduced = Some(Instant::now());
        }
    }

    /// Raises the limit by one after as many successes as the limit.
    pub(super) fn succeeded(&self) {
        let mut state = self.state();
        state.limit = (state.limit + 1.0 / state.limit).min(self.max as f64);
        drop(state);
        self.freed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.state().in_use -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_halves_the_limit_and_success_restores_it() {
        let limiter = Limiter::new(8);
        let room = || {
            let count = std::iter::from_fn(|| limiter.try_acquire().then_some(())).count();
            limiter.state().in_use -= count;
            count
        };
        assert_eq!(room(), 8);
        limiter.throttled();
        limiter.throttled();
        assert_eq!(room(), 4, "calls in progress are throttled together");
        limiter.state().reduced = None;
        for _ in 0..10 {
            limiter.throttled();
            limiter.state().reduced = None;
        }
        assert_eq!(room(), 1, "at least one");
        for _ in 0..100 {
            limiter.succeeded();
        }
        assert_eq!(room(), 8);
    }

    #[tokio::test]
    async fn a_dropped_permit_goes_to_a_waiting_call() {
        let limiter = Limiter::new(1);
        let first = limiter.acquire().await;
        let second = limiter.acquire();
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
    }
}
