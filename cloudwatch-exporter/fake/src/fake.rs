//! The handle of a running fake.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use crate::counters::Counters;
use crate::fault::Fault;
use crate::model::Model;
use crate::request::Call;
use crate::server;
use crate::state::State;

/// A running fake. It ends when it is dropped.
#[derive(Debug)]
pub struct Fake {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Starts on a free port of loopback.
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

    /// The value for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn counters(&self) -> Counters {
        self.state.counters().to_owned()
    }

    /// Resets the counters and forgets the calls. Model, clock and faults stay.
    pub fn reset(&self) {
        self.state.reset();
    }

    /// The recorded calls, oldest first. The oldest are dropped beyond some hundred thousand
    /// queries.
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls()
    }

    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        self.state.faults().push(fault);
    }

    pub fn clear_faults(&self) {
        self.state.faults().clear();
    }

    pub fn set_model(&self, model: Model) {
        self.state.set_model(model);
    }

    /// Sets the clock to this Unix second; `None` uses the clock of the machine. It determines what
    /// is recently active, which samples are visible, and which resolutions are retained.
    pub fn set_now(&self, unix: Option<i64>) {
        self.state.set_now(unix);
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
