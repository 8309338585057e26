//! Limits the calls in progress at one target. The limit is halved when AWS throttles, and gradually
//! raised again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// The minimum time between two reductions of the limit. Calls in progress are throttled together.
const REDUCTION_INTERVAL: Duration = Duration::from_millis(500);

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
    reduced_at: Option<Instant>,
}

/// A permit for a call, returned on drop.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a Limiter);

impl Limiter {
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        let state = State { limit: max as f64, in_use: 0, reduced_at: None };
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
        if state.reduced_at.is_none_or(|at| at.elapsed() >= REDUCTION_INTERVAL) {
            state.limit = (state.limit / 2.0).max(1.0);
            state.reduced_at = Some(Instant::now());
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
        let free_permits = || {
            let count = std::iter::from_fn(|| limiter.try_acquire().then_some(())).count();
            limiter.state().in_use -= count;
            count
        };
        assert_eq!(free_permits(), 8);
        limiter.throttled();
        limiter.throttled();
        assert_eq!(free_permits(), 4, "calls in progress are throttled together");
        limiter.state().reduced_at = None;
        for _ in 0..10 {
            limiter.throttled();
            limiter.state().reduced_at = None;
        }
        assert_eq!(free_permits(), 1, "at least one");
        for _ in 0..100 {
            limiter.succeeded();
        }
        assert_eq!(free_permits(), 8);
    }

    #[tokio::test]
    async fn a_waiting_call_gets_a_returned_permit() {
        let limiter = Limiter::new(1);
        let first = limiter.acquire().await;
        let second = limiter.acquire();
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
    }
}
