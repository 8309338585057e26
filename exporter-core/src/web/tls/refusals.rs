//! Says in the log who was refused, at a rate that a log can take.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::refusal::Refusal;
use crate::web::client_address::{ClientAddress, Peer};

/// How often the refusals of one client address for one reason are logged.
const EVERY: Duration = Duration::from_secs(60);

/// Of this many peers and reasons it is known when they were told last.
const KNOWN: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Refusals {
    told: Mutex<HashMap<(ClientAddress, &'static str), Told>>,
}

#[derive(Debug)]
struct Told {
    at: Instant,
    since: u64,
}

impl Refusals {
    pub(crate) fn log(&self, peer: Peer, refusal: Refusal) {
        let reason = refusal.as_str();
        if let Some(more) = self.due(peer.address(), reason) {
            warn!(%peer, reason, more, "connection refused");
        }
    }

    /// How many refusals went untold, if this one is to be told.
    fn due(&self, address: ClientAddress, reason: &'static str) -> Option<u64> {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = told.get_mut(&(address, reason)) {
            if now < told.at + EVERY {
                told.since += 1;
                return None;
            }
            told.at = now;
            return Some(std::mem::take(&mut told.since));
        }
        if told.len() >= KNOWN {
            told.retain(|_, told| now < told.at + EVERY);
        }
        if told.len() >= KNOWN {
            // A flood from everywhere. The counters have it.
            return None;
        }
        told.insert((address, reason), Told { at: now, since: 0 });
        Some(0)
    }
}
