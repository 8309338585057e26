//! Logs rejected connections and logins at a limited rate.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::auth::Denied;
use super::client_address::{ClientAddress, Peer};
use super::tls::rejection::Rejection;

/// The minimum time between two log lines about one address and reason.
const INTERVAL: Duration = Duration::from_secs(60);

/// The number of addresses and reasons that are tracked; others are counted, but not logged.
const CAPACITY: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct RejectionLog {
    logged: Mutex<HashMap<(ClientAddress, &'static str), Logged>>,
}

#[derive(Debug)]
struct Logged {
    logged_at: Instant,
    suppressed: u64,
}

impl RejectionLog {
    pub(crate) fn log(&self, peer: Peer, rejection: Rejection) {
        let reason = rejection.as_str();
        if let Some(more) = self.record(peer.address(), reason) {
            warn!(%peer, reason, more, "connection rejected");
        }
    }

    /// Logs a rejected login.
    pub(crate) fn log_login(&self, peer: Peer, denied: Denied) {
        let reason = match denied {
            Denied::Missing => "no user name and password sent",
            Denied::Wrong => "unknown user or wrong password",
            Denied::Busy => "too many logins are being checked",
        };
        if let Some(more) = self.record(peer.address(), reason) {
            warn!(%peer, reason, more, "login refused");
        }
    }

    /// The number of rejections since the last logged one, if this one is to be logged.
    fn record(&self, address: ClientAddress, reason: &'static str) -> Option<u64> {
        let now = Instant::now();
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = logged.get_mut(&(address, reason)) {
            if now < last.logged_at + INTERVAL {
                last.suppressed += 1;
                return None;
            }
            last.logged_at = now;
            return Some(std::mem::take(&mut last.suppressed));
        }
        if logged.len() >= CAPACITY {
            logged.retain(|_, last| now < last.logged_at + INTERVAL);
        }
        if logged.len() >= CAPACITY {
            // A flood from many addresses; the counters show it.
            return None;
        }
        logged.insert((address, reason), Logged { logged_at: now, suppressed: 0 });
        Some(0)
    }
}
