//! The open connections, and which of them is closed at a limit.
//!
//! At a limit, the lowest-ranked connection of the address with most connections is closed.
//! Connections are reserved for addresses that have authenticated before.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::known_addresses::KnownAddresses;
use super::state::{ConnectionState, Rank};
use crate::web::client_address::ClientAddress;
use crate::web::metrics::{Eviction, ServerMetrics};

/// The limits of open connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableLimits {
    pub(crate) connections: usize,
    pub(crate) per_address: usize,
    pub(crate) handshakes: usize,
}

/// All open connections.
#[derive(Debug)]
pub(crate) struct ConnectionTable {
    open: Mutex<OpenConnections>,
    limits: TableLimits,
    known_addresses: Arc<KnownAddresses>,
    metrics: Arc<ServerMetrics>,
    empty: Notify,
}

#[derive(Debug, Default)]
struct OpenConnections {
    next_id: u64,
    connections: HashMap<u64, Arc<ConnectionState>>,
    /// Connections that are evicted but not yet closed.
    evicted: HashMap<u64, Arc<ConnectionState>>,
    /// The maximum since [`ConnectionTable::take_peak`].
    peak: usize,
}

/// A candidate for eviction.
struct Candidate {
    id: u64,
    /// The connections of its address beyond the reserve.
    excess: isize,
    rank: Rank,
    since: Instant,
}

impl ConnectionTable {
    pub(crate) fn new(
        limits: TableLimits,
        known_addresses: Arc<KnownAddresses>,
        metrics: Arc<ServerMetrics>,
    ) -> Arc<Self> {
        let (open, empty) = (Mutex::default(), Notify::new());
        Arc::new(Self { open, limits, known_addresses, metrics, empty })
    }

    /// Adds a connection, and evicts another if necessary. `None` if all others have a higher rank.
    pub(crate) fn admit(self: &Arc<Self>, connection: &Arc<ConnectionState>) -> Option<TableEntry> {
        let TableLimits { connections, per_address, handshakes } = self.limits;
        let address = connection.address;
        let mut open = self.lock();
        if open.of_address(address).count() >= per_address {
            let candidate =
                open.of_address(address).min_by_key(|(_, connection)| connection.rank());
            let replaceable = candidate.filter(|(_, other)| other.rank().0 <= Rank::Idle);
            let id = replaceable.map(|(id, _)| id);
            self.make_room(&mut open, id, Eviction::AddressLimit)?;
        }
        if open.connections.len() >= connections {
            let id = self.eviction_candidate(&open, Some(address), |_| true, per_address / 2);
            self.make_room(&mut open, id, Eviction::ConnectionLimit)?;
        }
        let is_in_handshake = ConnectionState::is_in_handshake;
        if is_in_handshake(connection)
            && open.connections.values().filter(|other| is_in_handshake(other)).count()
                >= handshakes
        {
            let id = self.eviction_candidate(&open, Some(address), is_in_handshake, handshakes / 4);
            self.make_room(&mut open, id, Eviction::HandshakeLimit)?;
        }
        let id = open.next_id;
        open.next_id += 1;
        open.connections.insert(id, Arc::clone(connection));
        open.peak = open.peak.max(open.count());
        self.metrics.connections.store(open.count(), Ordering::Relaxed);
        Some(TableEntry { id, table: Arc::clone(self) })
    }

    /// Closes the connection of the lowest rank, unless requests are in progress on all of them.
    pub(crate) fn evict_one(&self, reason: Eviction) -> bool {
        let mut open = self.lock();
        let id = self.eviction_candidate(&open, None, |_| true, self.limits.per_address / 2);
        id.is_some_and(|id| self.evict(&mut open, id, reason))
    }

    /// Closes connections whose responses are not read, until `bytes` are freed: of the address
    /// with most unsent bytes, the connection that has made no progress for longest.
    pub(crate) fn evict_unsent(&self, bytes: usize) {
        let mut open = self.lock();
        let unsent = open.evicted.values().map(|connection| connection.unsent().0);
        let mut freed: usize = unsent.sum();
        while freed < bytes {
            let mut by_address: HashMap<ClientAddress, usize> = HashMap::new();
            for connection in open.connections.values() {
                *by_address.entry(connection.address).or_default() += connection.unsent().0;
            }
            let stalled = open
                .connections
                .iter()
                .map(|(id, connection)| (*id, connection.address, connection.unsent()))
                .filter(|(_, _, (unsent, _))| *unsent > 0)
                .max_by_key(|(_, address, (_, progress))| {
                    (by_address.get(address).copied(), Reverse(*progress))
                });
            let Some((id, _, (unsent, _))) = stalled else { return };
            self.evict(&mut open, id, Eviction::UnsentResponses);
            freed += unsent;
        }
    }

    /// The maximum number of open connections since the last call.
    pub(crate) fn take_peak(&self) -> usize {
        let mut open = self.lock();
        let now = open.count();
        std::mem::replace(&mut open.peak, now)
    }

    /// Waits until all connections are closed.
    pub(crate) async fn all_closed(&self) {
        loop {
            let notified = self.empty.notified();
            if self.lock().count() == 0 {
                return;
            }
            notified.await;
        }
    }

    /// The connection to close for a connection of `newcomer`. Only connections for which
    /// `is_counted` returns true are considered. It is a connection of the address with most of
    /// them, less `reserve` for a known address. `None` if that is the newcomer, and requests are
    /// in progress on all of its connections.
    fn eviction_candidate(
        &self,
        open: &OpenConnections,
        newcomer: Option<ClientAddress>,
        is_counted: impl Fn(&ConnectionState) -> bool,
        reserve: usize,
    ) -> Option<u64> {
        let counted = || open.connections.iter().filter(|(_, connection)| is_counted(connection));
        let mut by_address: HashMap<ClientAddress, isize> = HashMap::new();
        for address in counted().map(|(_, connection)| connection.address).chain(newcomer) {
            *by_address.entry(address).or_default() += 1;
        }
        for (address, excess) in &mut by_address {
            if self.known_addresses.contains(*address) {
                *excess = excess.saturating_sub_unsigned(reserve);
            }
        }
        let excess = |address| by_address.get(&address).copied().unwrap_or_default();
        let newcomer_excess = newcomer.map(excess);
        counted()
            .map(|(id, connection)| {
                let (rank, since) = connection.rank();
                Candidate { id: *id, excess: excess(connection.address), rank, since }
            })
            .filter(|candidate| match newcomer_excess {
                // If the newcomer has fewer connections, even a connection with a request in
                // progress is closed.
                Some(newcomer_excess) if candidate.excess > newcomer_excess => true,
                Some(newcomer_excess) => {
                    candidate.excess == newcomer_excess && candidate.rank <= Rank::Idle
                }
                None => candidate.rank <= Rank::Idle,
            })
            .min_by_key(|candidate| (Reverse(candidate.excess), candidate.rank, candidate.since))
            .map(|candidate| candidate.id)
    }

    /// Evicts the connection with this ID. Without an ID, the new connection is closed.
    fn make_room(
        &self,
        open: &mut OpenConnections,
        id: Option<u64>,
        reason: Eviction,
    ) -> Option<()> {
        if id.is_none() {
            self.metrics.evicted(reason);
        }
        self.evict(open, id?, reason).then_some(())
    }

    fn evict(&self, open: &mut OpenConnections, id: u64, reason: Eviction) -> bool {
        let Some(connection) = open.connections.remove(&id) else { return false };
        connection.evict();
        open.evicted.insert(id, connection);
        self.metrics.evicted(reason);
        true
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConnections {
    fn count(&self) -> usize {
        self.connections.len() + self.evicted.len()
    }

    fn of_address(&self, address: ClientAddress) -> impl Iterator<Item = (u64, &ConnectionState)> {
        let all = self.connections.iter().map(|(id, connection)| (*id, &**connection));
        all.filter(move |(_, connection)| connection.address == address)
    }
}

/// The entry of a connection; dropping it removes the connection.
#[derive(Debug)]
pub(crate) struct TableEntry {
    id: u64,
    table: Arc<ConnectionTable>,
}

impl Drop for TableEntry {
    fn drop(&mut self) {
        let mut open = self.table.lock();
        open.connections.remove(&self.id);
        open.evicted.remove(&self.id);
        self.table.metrics.connections.store(open.count(), Ordering::Relaxed);
        if open.count() == 0 {
            self.table.empty.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
