//! The fake as its owner sees it, and the state that it shares with its server.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use tokio::sync::oneshot;

use crate::counters::Counters;
use crate::fault::{Fate, Fault, Operation};
use crate::get_metric_data::GetMetricData;
use crate::get_metric_statistics::GetMetricStatistics;
use crate::get_resources::GetResources;
use crate::list_metrics::ListMetrics;
use crate::model::{Model, World};
use crate::server;
use crate::sts::AssumeRole;

/// Queries in the calls that are remembered, a call counting as one more.
const REMEMBERED: usize = 200_000;

/// A running fake. It ends when it is dropped.
#[derive(Debug)]
pub struct Fake {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// On a port of loopback that the system chooses.
    pub fn start(model: Model) -> io::Result<Self> {
        Self::bind((Ipv4Addr::LOCALHOST, 0).into(), model)
    }

    pub fn bind(address: SocketAddr, model: Model) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(model));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        let thread = thread::Builder::new()
            .name("fake-cloudwatch".to_owned())
            .spawn(move || runtime.block_on(server::serve(listener, shared, stopped)))?;
        Ok(Self { address, state, stop: Some(stop), thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What goes into `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn counters(&self) -> Counters {
        self.state.counters().to_owned()
    }

    /// Sets the counters to nought and forgets the calls. Model, clock and faults stay.
    pub fn reset(&self) {
        self.state.reset();
    }

    /// The calls so far, oldest first: all but the oldest of some hundred thousand queries.
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls()
    }

    /// Faults add up.
    pub fn inject(&self, fault: Fault) {
        lock(&self.state.faults).push(fault);
    }

    pub fn clear_faults(&self) {
        lock(&self.state.faults).clear();
    }

    pub fn set_model(&self, model: Model) {
        self.state.set_model(model);
    }

    /// Stops the fake's clock at this unix second; `None` gives the machine's clock back. It decides what is recently
    /// active, what can be seen already and which resolution is still kept.
    pub fn set_now(&self, unix: Option<i64>) {
        *lock(&self.state.now) = unix;
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

/// A call, as it came, and the status of its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Whose: the access key id of the signature.
    pub access_key: String,
    pub region: String,
    /// 0 where the connection was dropped.
    pub status: u16,
    #[serde(serialize_with = "shared")]
    pub request: Arc<Request>,
}

fn shared<S: Serializer>(request: &Arc<Request>, serializer: S) -> Result<S::Ok, S::Error> {
    Request::serialize(request, serializer)
}

/// A request, as it came.
#[derive(Debug, Serialize)]
pub enum Request {
    ListMetrics(ListMetrics),
    GetMetricData(GetMetricData),
    GetMetricStatistics(GetMetricStatistics),
    AssumeRole(AssumeRole),
    GetCallerIdentity,
    GetResources(GetResources),
}

impl Request {
    pub fn operation(&self) -> Operation {
        match self {
            Self::ListMetrics(_) => Operation::ListMetrics,
            Self::GetMetricData(_) => Operation::GetMetricData,
            Self::GetMetricStatistics(_) => Operation::GetMetricStatistics,
            Self::AssumeRole(AssumeRole { web_identity_token: Some(_), .. }) => {
                Operation::AssumeRoleWithWebIdentity
            }
            Self::AssumeRole(_) => Operation::AssumeRole,
            Self::GetCallerIdentity => Operation::GetCallerIdentity,
            Self::GetResources(_) => Operation::GetResources,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::GetMetricData(request) => 1 + request.queries.len(),
            _ => 1,
        }
    }

    /// Whether it asks for a namespace or a metric of this name, for this role or for this type of resources.
    pub fn names(&self, name: &str) -> bool {
        match self {
            Self::ListMetrics(request) => {
                [&request.namespace, &request.name].iter().any(|at| at.as_deref() == Some(name))
            }
            Self::GetMetricData(request) => request
                .queries
                .iter()
                .filter_map(|query| query.metric.as_ref())
                .any(|metric| metric.namespace == name || metric.name == name),
            Self::GetMetricStatistics(request) => request.namespace == name || request.name == name,
            Self::AssumeRole(request) => request.role_arn == name,
            Self::GetCallerIdentity => false,
            Self::GetResources(request) => {
                request.resource_type_filters.iter().any(|wanted| wanted == name)
            }
        }
    }
}

/// What the server and the owner share.
#[derive(Debug)]
pub(crate) struct State {
    world: Mutex<Arc<World>>,
    faults: Mutex<Vec<Fault>>,
    counters: Mutex<Counters>,
    calls: Mutex<Calls>,
    now: Mutex<Option<i64>>,
    under_way: AtomicU64,
}

impl State {
    fn new(model: Model) -> Self {
        Self {
            world: Mutex::new(Arc::new(World::new(model))),
            faults: Mutex::default(),
            counters: Mutex::default(),
            calls: Mutex::default(),
            now: Mutex::default(),
            under_way: AtomicU64::new(0),
        }
    }

    pub(crate) fn world(&self) -> Arc<World> {
        Arc::clone(&lock(&self.world))
    }

    pub(crate) fn set_model(&self, model: Model) {
        *lock(&self.world) = Arc::new(World::new(model));
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

    pub(crate) fn remember(&self, call: Call) {
        lock(&self.calls).push(call);
    }

    pub(crate) fn fate(&self, request: &Request) -> Fate {
        Fate::of(&mut self.faults(), request.operation(), |name| request.names(name))
    }

    /// Returns how many calls are under way with this one.
    pub(crate) fn enter(&self) -> u64 {
        self.under_way.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn leave(&self) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        lock(&self.now).unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
    }
}

/// The newest calls.
#[derive(Debug, Default)]
struct Calls {
    calls: VecDeque<Call>,
    size: usize,
}

impl Calls {
    fn push(&mut self, call: Call) {
        self.size += call.request.size();
        self.calls.push_back(call);
        while self.size > REMEMBERED {
            let Some(oldest) = self.calls.pop_front() else { return };
            self.size -= oldest.request.size();
        }
    }
}

/// A test that fails while it holds a lock is not to fail others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
