//! The open connections of the receiver.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::AbortHandle;

/// Connections that are open at once.
const CONNECTIONS: usize = 64;

/// The open connections, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Connections(Vec<Connection>);

#[derive(Debug)]
struct Connection {
    is_authenticated: Arc<AtomicBool>,
    task: AbortHandle,
}

impl Connections {
    /// Makes room for another connection: at the limit, the oldest one that has not sent an access
    /// key is closed, or else the oldest one.
    pub(super) fn make_room(&mut self) {
        self.0.retain(|connection| !connection.task.is_finished());
        if self.0.len() < CONNECTIONS {
            return;
        }
        let is_unknown = |one: &Connection| !one.is_authenticated.load(Ordering::Relaxed);
        let oldest = self.0.iter().position(is_unknown).unwrap_or_default();
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
    async fn clients_without_a_key_make_room() {
        let mut connections = Connections::default();
        let mut tasks = Vec::new();
        for at in 0..CONNECTIONS + 2 {
            connections.make_room();
            let task = tokio::spawn(pending::<()>());
            connections.add(task.abort_handle(), Arc::new(AtomicBool::new(at != 5)));
            tasks.push(task);
        }
        for at in [5, 0] {
            assert!(tasks.remove(at).await.unwrap_err().is_cancelled(), "{at}");
        }
        assert!(tasks.iter().all(|task| !task.is_finished()));
        assert_eq!(connections.0.len(), CONNECTIONS);
    }
}
