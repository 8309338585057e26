//! The numbers that a server gave to connections of ours: `KILL` takes them, and lists of connections
//! leave them out.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::pool::lock;

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
    /// It is of no more use, and the server has not been told to end it.
    Closing,
    Closed(Instant),
}

/// The number of a connection that has not been closed yet.
#[derive(Debug)]
pub(super) struct RegisteredId(u32, ConnectionIds);

/// The time until a server no longer shows a connection that has ended.
const END: Duration = Duration::from_secs(5);

impl ConnectionIds {
    pub(super) fn register(&self, id: u32) -> RegisteredId {
        self.set(id, State::Open);
        RegisteredId(id, self.clone())
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        lock(&self.0).iter().filter(|known| known.state == State::Open).count()
    }

    /// All that the server may show.
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
            State::Closed(since) => since.elapsed() < END,
            State::Open | State::Closing => true,
        }
    }
}

impl RegisteredId {
    pub(super) fn id(&self) -> u32 {
        self.0
    }

    /// The connection is of no more use.
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
    fn a_connection_is_ours_until_the_server_has_ended_it() {
        let ids = ConnectionIds::default();
        let (first, second) = (ids.register(7), ids.register(8));
        assert_eq!((ids.list(), ids.open()), (vec![7, 8], 2));
        first.close();
        drop(second);
        assert_eq!((ids.list(), ids.open()), (vec![7, 8], 0));
        let past = Instant::now().checked_sub(END).unwrap();
        ids.set(8, State::Closed(past));
        assert_eq!(ids.list(), [7]);
        drop(first);
        assert_eq!(ids.list(), [7]);
    }
}
