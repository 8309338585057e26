//! Addresses of clients that have authenticated: connections are reserved for them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::web::client_address::ClientAddress;

/// More than the number of scrapers of one exporter.
const CAPACITY: usize = 256;

/// The most recently authenticated addresses. If no authentication is configured, those whose
/// requests were answered.
#[derive(Debug, Default)]
pub(crate) struct KnownAddresses {
    seen: Mutex<HashMap<ClientAddress, Instant>>,
}

impl KnownAddresses {
    pub(crate) fn insert(&self, address: ClientAddress) {
        let mut seen = self.seen();
        if seen.len() >= CAPACITY && !seen.contains_key(&address) {
            let oldest = seen.iter().min_by_key(|(_, at)| **at).map(|(address, _)| *address);
            oldest.map(|oldest| seen.remove(&oldest));
        }
        seen.insert(address, Instant::now());
    }

    pub(crate) fn contains(&self, address: ClientAddress) -> bool {
        self.seen().contains_key(&address)
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<ClientAddress, Instant>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_address_is_removed() {
        let address = |n: usize| ClientAddress::Unix { uid: u32::try_from(n).ok() };
        let known = KnownAddresses::default();
        for n in 0..CAPACITY {
            known.insert(address(n));
        }
        known.insert(address(0));
        known.insert(address(CAPACITY));
        assert!(known.contains(address(0)) && known.contains(address(CAPACITY)));
        assert!(!known.contains(address(1)));
        assert_eq!(known.seen().len(), CAPACITY);
    }
}
