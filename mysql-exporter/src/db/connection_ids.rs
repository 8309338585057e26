//! The server's IDs of the exporter's connections. `KILL` needs them, and the collector of the process
//! list excludes them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::lock::lock;

#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionIds(Arc<Mutex<Vec<ConnectionId>>>);

#[derive(Debug)]
struct ConnectionId {
    id: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Not used any more, but not yet closed by the server.
    Closing,
    Closed(Instant),
}

/// The ID of a connection, registered until this is dropped.
#[derive(Debug)]
pub(super) struct RegisteredId(u32, ConnectionIds);

/// How long a server may still list a closed connection.
const LISTED_AFTER_CLOSE: Duration = Duration::from_secs(5);

impl ConnectionIds {
    pub(super) fn register(&self, id: u32) -> RegisteredId {
        self.set(id, State::Open);
        RegisteredId(id, self.clone())
    }

    /// The number of open connections.
    pub(super) fn count_open(&self) -> usize {
        lock(&self.0).iter().filter(|known| known.state == State::Open).count()
    }

    /// The IDs that may be in the server's process list.
    pub(super) fn list(&self) -> Vec<u32> {
        lock(&self.0).iter().filter(|known| known.may_be_listed()).map(|known| known.id).collect()
    }

    fn set(&self, id: u32, state: State) {
        let mut all = lock(&self.0);
        all.retain(|known| known.may_be_listed() && known.id != id);
        all.push(ConnectionId { id, state });
    }
}

impl ConnectionId {
    fn may_be_listed(&self) -> bool {
        match self.state {
            State::Closed(since) => since.elapsed() < LISTED_AFTER_CLOSE,
            State::Open | State::Closing => true,
        }
    }
}

impl RegisteredId {
    pub(super) fn id(&self) -> u32 {
        self.0
    }

    /// Records that the connection is not used any more.
    pub(super) fn close(&self) {
        self.1.set(self.0, State::Closing);
    }
}

impl Drop for RegisteredId {
    fn drop(&mut self) {
        self.1.set(self.0, State::Closed(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_listed_until_the_server_has_closed_the_connection() {
        let ids = ConnectionIds::default();
        let (first, second) = (ids.register(7), ids.register(8));
        assert_eq!((ids.list(), ids.count_open()), (vec![7, 8], 2));
        first.close();
        drop(second);
        assert_eq!((ids.list(), ids.count_open()), (vec![7, 8], 0));
        let past = Instant::now().checked_sub(LISTED_AFTER_CLOSE).unwrap();
        ids.set(8, State::Closed(past));
        assert_eq!(ids.list(), [7]);
        drop(first);
        assert_eq!(ids.list(), [7]);
    }
}
