//! The open connections of the receiver.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::AbortHandle;

/// The maximum number of open connections.
const MAX_CONNECTIONS: usize = 64;

/// The open connections, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Connections(Vec<Connection>);

#[derive(Debug)]
struct Connection {
    is_authenticated: Arc<AtomicBool>,
    task: AbortHandle,
}

impl Connections {
    /// At the maximum number of connections, closes the oldest one that has not sent an access key, or
    /// else the oldest one.
    pub(super) fn evict(&mut self) {
        self.0.retain(|connection| !connection.task.is_finished());
        if self.0.len() < MAX_CONNECTIONS {
            return;
        }
        let is_unauthenticated =
            |connection: &Connection| !connection.is_authenticated.load(Ordering::Relaxed);
        let oldest = self.0.iter().position(is_unauthenticated).unwrap_or_default();
        if oldest < self.0.len() {
            self.0.remove(oldest).task.abort();
        }
    }

    /// Adds a connection.
    pub(super) fn add(&mut self, task: AbortHandle, is_authenticated: Arc<AtomicBool>) {
        self.0.push(Connection { is_authenticated, task });
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn unauthenticated_connections_are_closed_first() {
        let mut connections = Connections::default();
        let mut tasks = Vec::new();
        for index in 0..MAX_CONNECTIONS + 2 {
            connections.evict();
            let task = tokio::spawn(pending::<()>());
            connections.add(task.abort_handle(), Arc::new(AtomicBool::new(index != 5)));
            tasks.push(task);
        }
        for index in [5, 0] {
            assert!(tasks.remove(index).await.unwrap_err().is_cancelled(), "{index}");
        }
        assert!(tasks.iter().all(|task| !task.is_finished()));
        assert_eq!(connections.0.len(), MAX_CONNECTIONS);
    }
}
