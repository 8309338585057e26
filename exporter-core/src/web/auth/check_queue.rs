//! The queue of password checks: few run at a time, and client addresses take turns.
//!
//! bcrypt is slow by design, so a client without credentials can cause any amount of work. Because
//! addresses take turns, a flood delays only its own checks.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::web::client_address::ClientAddress;

/// The maximum number of threads that check passwords; 1 on a single processor.
const MAX_RUNNING: usize = 2;
/// The maximum number of waiting checks.
const MAX_WAITING: usize = 512;
/// The maximum number of waiting checks of one address.
const MAX_WAITING_PER_ADDRESS: usize = 64;
/// The maximum time that a check waits: no scraper waits longer.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Hands out permits to check passwords.
#[derive(Debug)]
pub(super) struct CheckQueue {
    state: Arc<Mutex<State>>,
}

/// A permit to check one password. Dropped when done.
#[derive(Debug)]
pub(super) struct Permit {
    /// `None` if the check was abandoned.
    state: Option<Arc<Mutex<State>>>,
}

#[derive(Debug)]
struct State {
    running: usize,
    max_running: usize,
    /// Addresses that have logged in before. They get every other permit.
    known: RoundRobin,
    unknown: RoundRobin,
    is_known_next: bool,
}

/// Addresses with waiting checks, in the order of their turns.
#[derive(Debug, Default)]
struct RoundRobin {
    order: VecDeque<ClientAddress>,
    checks: HashMap<ClientAddress, AddressChecks>,
}

#[derive(Debug, Default)]
struct AddressChecks {
    waiting: VecDeque<Check>,
    last_user: String,
}

#[derive(Debug)]
struct Check {
    user: String,
    permit: oneshot::Sender<Permit>,
}

impl CheckQueue {
    pub(super) fn new() -> Self {
        let max_running = available_parallelism().map_or(1, usize::from).min(MAX_RUNNING);
        Self::with_max_running(max_running)
    }

    fn with_max_running(max_running: usize) -> Self {
        let state = State {
            running: 0,
            max_running,
            known: RoundRobin::default(),
            unknown: RoundRobin::default(),
            is_known_next: true,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a turn. `None` if too many others wait, or after the maximum time. Names of
    /// existing and unknown users are treated alike.
    pub(super) async fn acquire(
        &self,
        address: ClientAddress,
        is_known: bool,
        user: &str,
    ) -> Option<Permit> {
        let (permit, granted) = oneshot::channel();
        {
            let mut state = lock(&self.state);
            state.make_room(address)?;
            let queue = if is_known { &mut state.known } else { &mut state.unknown };
            queue.push(address, Check { user: user.to_owned(), permit });
            state.start(&self.state);
        }
        timeout(MAX_WAIT, granted).await.ok()?.ok()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Makes room for a check of `address`. If the queue is full, drops a check of the address with
    /// most checks. `None` if that is this address.
    fn make_room(&mut self, address: ClientAddress) -> Option<()> {
        let own = self.known.waiting(address) + self.unknown.waiting(address);
        if own < MAX_WAITING_PER_ADDRESS && self.total() < MAX_WAITING {
            return Some(());
        }
        self.known.forget_cancelled();
        self.unknown.forget_cancelled();
        let own = self.known.waiting(address) + self.unknown.waiting(address);
        if own >= MAX_WAITING_PER_ADDRESS {
            return None;
        }
        if self.total() >= MAX_WAITING {
            let queue = if self.unknown.total() > 0 { &mut self.unknown } else { &mut self.known };
            queue.drop_last_of_longest(own)?;
        }
        Some(())
    }

    fn total(&self) -> usize {
        self.known.total() + self.unknown.total()
    }

    /// Hands out as many permits as there are free workers.
    fn start(&mut self, shared: &Arc<Mutex<Self>>) {
        while self.running < self.max_running {
            let (first, second) = if self.is_known_next {
                (&mut self.known, &mut self.unknown)
            } else {
                (&mut self.unknown, &mut self.known)
            };
            let Some(check) = first.pop().or_else(|| second.pop()) else { return };
            self.is_known_next = !self.is_known_next;
            match check.permit.send(Permit { state: Some(Arc::clone(shared)) }) {
                Ok(()) => self.running += 1,
                // The client has disconnected. The permit must not be dropped while the state is
                // locked.
                Err(mut permit) => drop(permit.state.take()),
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(shared) = self.state.take() {
            let mut state = lock(&shared);
            state.running = state.running.saturating_sub(1);
            state.start(&shared);
        }
    }
}

impl RoundRobin {
    fn push(&mut self, address: ClientAddress, check: Check) {
        let checks = self.checks.entry(address).or_insert_with(|| {
            self.order.push_back(address);
            AddressChecks::default()
        });
        checks.waiting.push_back(check);
    }

    /// The next check, from the address whose turn it is.
    fn pop(&mut self) -> Option<Check> {
        while let Some(address) = self.order.pop_front() {
            let check = self.checks.get_mut(&address).and_then(AddressChecks::pop);
            if self.waiting(address) > 0 {
                self.order.push_back(address);
            } else {
                self.checks.remove(&address);
            }
            if check.is_some() {
                return check;
            }
        }
        None
    }

    /// Drops the latest check of the address with most checks, if it has more than `max`.
    fn drop_last_of_longest(&mut self, max: usize) -> Option<()> {
        let longest = self.checks.values_mut().max_by_key(|checks| checks.waiting.len())?;
        (longest.waiting.len() > max + 1).then(|| drop(longest.waiting.pop_back()))
    }

    fn forget_cancelled(&mut self) {
        for checks in self.checks.values_mut() {
            checks.waiting.retain(|check| !check.permit.is_closed());
        }
    }

    fn waiting(&self, address: ClientAddress) -> usize {
        self.checks.get(&address).map_or(0, |checks| checks.waiting.len())
    }

    fn total(&self) -> usize {
        self.checks.values().map(|checks| checks.waiting.len()).sum()
    }
}

impl AddressChecks {
    /// The next check of the address, of another user than the last one if possible.
    fn pop(&mut self) -> Option<Check> {
        let other = self.waiting.iter().position(|check| check.user != self.last_user);
        let check = self.waiting.remove(other.unwrap_or(0))?;
        self.last_user.clone_from(&check.user);
        Some(check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::client_address::Peer;

    fn address(n: u16) -> ClientAddress {
        let [high, low] = n.to_be_bytes();
        Peer::Ip([10, 0, high, low].into()).address()
    }

    /// One check runs, then `waiting` wait in this order: address, known, user. Returns the order
    /// in which they run.
    async fn turns(waiting: &[(u16, bool, &str)]) -> Vec<(u16, String)> {
        let queue = Arc::new(CheckQueue::with_max_running(1));
        let first = queue.acquire(address(0), false, "first").await.unwrap();
        let done = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = waiting
            .iter()
            .map(|&(n, is_known, user)| {
                let (queue, done, user) = (Arc::clone(&queue), Arc::clone(&done), user.to_owned());
                tokio::spawn(async move {
                    let _permit = queue.acquire(address(n), is_known, &user).await.unwrap();
                    done.lock().unwrap().push((n, user));
                })
            })
            .collect();
        tokio::task::yield_now().await;
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        Arc::try_unwrap(done).unwrap().into_inner().unwrap()
    }

    /// Every task has run until it waits.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn addresses_take_turns_then_users() {
        let order = turns(&[
            (1, false, "a"),
            (1, false, "b"),
            (1, false, "c"),
            (2, false, "a"),
            (3, false, "a"),
            (3, false, "a"),
            (3, false, "b"),
        ])
        .await;
        let addresses: Vec<_> = order.iter().map(|(n, _)| *n).collect();
        assert_eq!(addresses, [1, 2, 3, 1, 3, 1, 3]);
        let third: Vec<_> =
            order.iter().filter(|(n, _)| *n == 3).map(|(_, user)| user.as_str()).collect();
        assert_eq!(third, ["a", "b", "a"]);
    }

    #[tokio::test]
    async fn known_addresses_have_every_other_turn() {
        let unknown = (1..=6).map(|n| (n, false, "a"));
        let waiting: Vec<_> = unknown.chain([(10, true, "a"), (10, true, "b")]).collect();
        let order: Vec<_> = turns(&waiting).await.into_iter().map(|(n, _)| n).collect();
        let place = |n| order.iter().position(|found| *found == n).unwrap();
        assert!(place(10) <= 1, "{order:?}");
        assert_eq!(order.iter().rposition(|found| *found == 10).unwrap(), place(10) + 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_queue_makes_room() {
        let queue = Arc::new(CheckQueue::with_max_running(1));
        let first = queue.acquire(address(0), false, "a").await.unwrap();
        let enter = |n| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.acquire(address(n), false, "a").await.is_some() })
        };
        let flood: Vec<_> = (0..MAX_WAITING * 2)
            .map(|n| enter(u16::try_from(n / MAX_WAITING_PER_ADDRESS).unwrap()))
            .collect();
        settle().await;
        assert_eq!(lock(&queue.state).total(), MAX_WAITING);
        let other = enter(1000);
        settle().await;
        assert_eq!(lock(&queue.state).total(), MAX_WAITING);
        assert_eq!(lock(&queue.state).unknown.waiting(address(1000)), 1);
        // The others wait until they are dropped.
        tokio::time::sleep(MAX_WAIT * 2).await;
        for task in flood {
            assert!(!task.await.unwrap());
        }
        assert!(!other.await.unwrap());
        drop(first);
        // Abandoned checks are not waited for.
        assert!(enter(1000).await.unwrap());
        assert_eq!(lock(&queue.state).running, 0);
    }
}
