//! The rate limit of the server, as token buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Allows one request per interval, and a burst after idle time. If users are configured, requests
/// with a correct password and all others have a bucket each, so that the latter cannot block the
/// former.
#[derive(Debug)]
pub(crate) struct RateLimit {
    interval: u64,
    burst: u64,
    started: Instant,
    bucket: Bucket,
    unauthenticated: Bucket,
}

/// The time at which the bucket is full again, in nanoseconds since the start. Taking a token is a
/// single compare-and-swap.
#[derive(Debug, Default)]
struct Bucket(AtomicU64);

impl RateLimit {
    /// A burst of 0 rejects every request, as in the exporter-toolkit.
    pub(crate) fn new(interval: Duration, burst: u64) -> Self {
        Self {
            interval: nanoseconds(interval),
            burst,
            started: Instant::now(),
            bucket: Bucket::default(),
            unauthenticated: Bucket::default(),
        }
    }

    pub(crate) fn allow(&self) -> bool {
        self.allow_at(&self.bucket, nanoseconds(self.started.elapsed()))
    }

    /// For requests that are not known to have a correct password, if users are configured.
    pub(crate) fn allow_unauthenticated(&self) -> bool {
        self.allow_at(&self.unauthenticated, nanoseconds(self.started.elapsed()))
    }

    /// Whether this limit has these values.
    pub(crate) fn has_values(&self, interval: Duration, burst: u64) -> bool {
        self.interval == nanoseconds(interval) && self.burst == burst
    }

    fn allow_at(&self, Bucket(full_at): &Bucket, now: u64) -> bool {
        let Some(rest) = self.burst.checked_sub(1) else { return false };
        let slack = rest.saturating_mul(self.interval);
        full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
                let full_at = full_at.max(now);
                (full_at - now <= slack).then(|| full_at.saturating_add(self.interval))
            })
            .is_ok()
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_followed_by_one_request_per_interval() {
        let limit = RateLimit::new(Duration::from_secs(1), 3);
        let second = 1_000_000_000;
        let allowed: Vec<bool> = [0, 0, 0, 0, second - 1, second, second, 10 * second]
            .map(|now| limit.allow_at(&limit.bucket, now))
            .into();
        assert_eq!(allowed, [true, true, true, false, false, true, false, true]);
        // An idle bucket fills up to the burst, not beyond it.
        let later = 1000 * second;
        let allowed: Vec<bool> = (0..5).map(|_| limit.allow_at(&limit.bucket, later)).collect();
        assert_eq!(allowed, [true, true, true, false, false]);
    }

    #[test]
    fn a_burst_of_0_rejects_every_request() {
        let limit = RateLimit::new(Duration::from_secs(1), 0);
        assert!(!limit.allow_at(&limit.bucket, 0) && !limit.allow_at(&limit.bucket, u64::MAX));
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        let limit = RateLimit::new(Duration::MAX, u64::MAX);
        assert!(limit.allow_at(&limit.bucket, 0) && limit.allow_at(&limit.bucket, 1));
        let limit = RateLimit::new(Duration::MAX, 1);
        assert!(limit.allow_at(&limit.bucket, 0));
        assert!(!limit.allow_at(&limit.bucket, 1));
    }
}
