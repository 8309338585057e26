//! The server's IDs of the exporter's connections: `KILL` takes them, and the process list leaves them
//! out.

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
    /// Not used any more, but not yet ended by the server.
    Closing,
    Closed(Instant),
}

/// The ID of a connection, registered until this is dropped.
#[derive(Debug)]
pub(super) struct RegisteredId(u32, ConnectionIds);

/// The time for which a server may still show a connection that has ended.
const SHOWN_AFTER_END: Duration = Duration::from_secs(5);

impl ConnectionIds {
    pub(super) fn register(&self, id: u32) -> RegisteredId {
        self.set(id, State::Open);
        RegisteredId(id, self.clone())
    }

    /// The number of open connections.
    pub(super) fn count_open(&self) -> usize {
        lock(&self.0).iter().filter(|known| known.state == State::Open).count()
    }

    /// The IDs that the server may show.
    pub(super) fn list(&self) -> Vec<u32> {
        lock(&self.0).iter().filter(|known| known.is_shown()).map(|known| known.id).collect()
    }

    fn set(&self, id: u32, state: State) {
        let mut all = lock(&self.0);
        all.retain(|known| known.is_shown() && known.id != id);
        all.push(ConnectionId { id, state });
    }
}

impl ConnectionId {
    fn is_shown(&self) -> bool {
        match self.state {
            State::Closed(since) => since.elapsed() < SHOWN_AFTER_END,
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
    fn an_id_is_listed_until_the_server_has_ended_its_connection() {
        let ids = ConnectionIds::default();
        let (first, second) = (ids.register(7), ids.register(8));
        assert_eq!((ids.list(), ids.count_open()), (vec![7, 8], 2));
        first.close();
        drop(second);
        assert_eq!((ids.list(), ids.count_open()), (vec![7, 8], 0));
        let past = Instant::now().checked_sub(SHOWN_AFTER_END).unwrap();
        ids.set(8, State::Closed(past));
        assert_eq!(ids.list(), [7]);
        drop(first);
        assert_eq!(ids.list(), [7]);
    }
}
