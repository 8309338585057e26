//! The state of a running server: the model, the faults and the counters.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::catalog::Catalog;
use crate::counters::Counters;
use crate::fault::{Fault, Outcome};
use crate::model::Model;
use crate::request::{Call, Request};

/// The account of users, and of metrics without an account.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The maximum number of queries in the recorded calls; a call counts as one more.
const MAX_RECORDED_QUERIES: usize = 200_000;

/// Shared by the server and [`Fake`](crate::Fake).
#[derive(Debug)]
pub(crate) struct State {
    catalog: Mutex<Arc<Catalog>>,
    faults: Mutex<Vec<Fault>>,
    counters: Mutex<Counters>,
    calls: Mutex<Calls>,
    now: Mutex<Option<i64>>,
    /// The accounts of sessions, by access key ID.
    sessions: Mutex<HashMap<String, String>>,
    in_flight: AtomicU64,
}

impl State {
    pub(crate) fn new(model: Model) -> Self {
        Self {
            catalog: Mutex::new(Arc::new(Catalog::new(model))),
            faults: Mutex::default(),
            counters: Mutex::default(),
            calls: Mutex::default(),
            now: Mutex::default(),
            sessions: Mutex::default(),
            in_flight: AtomicU64::new(0),
        }
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&lock(&self.catalog))
    }

    pub(crate) fn set_model(&self, model: Model) {
        *lock(&self.catalog) = Arc::new(Catalog::new(model));
    }

    pub(crate) fn counters(&self) -> MutexGuard<'_, Counters> {
        lock(&self.counters)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).calls.iter().cloned().collect()
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        lock(&self.faults)
    }

    pub(crate) fn reset(&self) {
        *self.counters() = Counters::default();
        *lock(&self.calls) = Calls::default();
    }

    pub(crate) fn record(&self, call: Call) {
        lock(&self.calls).push(call);
    }

    /// Creates a session of a role and returns its access key ID.
    pub(crate) fn create_session(&self, account: &str, role: &str) -> String {
        let mut sessions = lock(&self.sessions);
        let short = format!("ASIA{role}");
        let key = match sessions.get(&short) {
            Some(other) if other != account => format!("ASIA{account}{role}"),
            _ => short,
        };
        sessions.insert(key.clone(), account.to_owned());
        key
    }

    /// The account of an access key: that of its role, or that of users.
    pub(crate) fn account(&self, access_key: &str) -> String {
        let account = lock(&self.sessions).get(access_key).cloned();
        account.unwrap_or_else(|| ACCOUNT.to_owned())
    }

    pub(crate) fn outcome(&self, request: &Request, account: &str) -> Outcome {
        let names = |name: &str| request.names(name);
        Outcome::from_faults(&mut self.faults(), request.operation(), account, names)
    }

    /// Returns the number of concurrent calls, including this one.
    pub(crate) fn enter(&self) -> u64 {
        self.in_flight.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn set_now(&self, unix: Option<i64>) {
        *lock(&self.now) = unix;
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        lock(&self.now).unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
    }
}

/// The most recent calls, up to [`MAX_RECORDED_QUERIES`].
#[derive(Debug, Default)]
struct Calls {
    calls: VecDeque<Call>,
    size: usize,
}

impl Calls {
    fn push(&mut self, call: Call) {
        self.size += call.request.size();
        self.calls.push_back(call);
        while self.size > MAX_RECORDED_QUERIES {
            let Some(oldest) = self.calls.pop_front() else { return };
            self.size -= oldest.request.size();
        }
    }
}

/// Ignores poisoning: a test that panics while it holds a lock must not fail other tests.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
