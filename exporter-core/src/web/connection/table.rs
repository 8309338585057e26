//! The connections that are open, and which of them goes when there are too many.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::phase::{Phase, Stage};
use crate::web::metrics::ServerMetrics;

/// All open connections.
#[derive(Debug)]
pub(crate) struct Table {
    open: Mutex<Open>,
    most: usize,
    handshakes: usize,
    metrics: Arc<ServerMetrics>,
    empty: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    phases: HashMap<u64, Arc<Phase>>,
}

impl Table {
    pub(crate) fn new(most: usize, handshakes: usize, metrics: Arc<ServerMetrics>) -> Arc<Self> {
        let (open, empty) = (Mutex::default(), Notify::new());
        Arc::new(Self { open, most, handshakes, metrics, empty })
    }

    /// A place for one more connection, at the cost of the one that has been idle longest if
    /// need be. None if all are being answered.
    pub(crate) fn admit(self: &Arc<Self>, phase: &Arc<Phase>) -> Option<Entry> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let full = open.phases.len() >= self.most && open.count(|_| true) >= self.most;
        if full && !open.evict(|stage| stage != Stage::Busy) {
            return None;
        }
        // A handshake costs memory and is worth nothing yet.
        let is_handshake = |stage| stage == Stage::Handshake;
        if is_handshake(phase.stage().0) && open.count(is_handshake) >= self.handshakes {
            open.evict(is_handshake);
        }
        let id = open.next;
        open.next += 1;
        open.phases.insert(id, Arc::clone(phase));
        self.metrics.connections.store(open.phases.len(), Ordering::Relaxed);
        Some(Entry { id, table: Arc::clone(self) })
    }

    /// Closes the connection that has been idle longest, if one is.
    pub(crate) fn evict(&self) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.evict(|stage| stage != Stage::Busy)
    }

    /// Waits until no connection is open.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.empty.notified();
            if self.open.lock().unwrap_or_else(PoisonError::into_inner).phases.is_empty() {
                return;
            }
            emptied.await;
        }
    }
}

impl Open {
    fn count(&self, of: impl Fn(Stage) -> bool) -> usize {
        self.phases.values().filter(|phase| !phase.is_evicted() && of(phase.stage().0)).count()
    }

    fn evict(&mut self, among: impl Fn(Stage) -> bool) -> bool {
        let candidates = self
            .phases
            .values()
            .filter(|phase| !phase.is_evicted() && !phase.is_busy() && among(phase.stage().0));
        let oldest = candidates.min_by_key(|phase| phase.stage().1);
        oldest.is_some_and(|phase| phase.evict())
    }
}

/// A connection's place in the table until it is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    id: u64,
    table: Arc<Table>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.table.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.phases.remove(&self.id);
        self.table.metrics.connections.store(open.phases.len(), Ordering::Relaxed);
        if open.phases.is_empty() {
            self.table.empty.notify_waiters();
        }
    }
}
