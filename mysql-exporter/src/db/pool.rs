//! The few connections to a server, kept between scrapes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::connection_ids::{ConnectionIds, RegisteredId};
use super::error::Error;
use super::limits::Limits;
use super::lock::lock;
use super::login::Logins;
use super::setup;
use crate::client::{self, Connection, Greeted};
use crate::config::Login;
use crate::version::Server;

/// The time after which a server that was full is asked for another connection.
const RETRY: Duration = Duration::from_secs(60);
/// The time limit of a login.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// The connections to one server.
#[derive(Debug)]
pub(super) struct Pool {
    login: Login,
    limits: Limits,
    /// One permit for each session that may exist at the same time.
    permits: Arc<Semaphore>,
    /// When permits were withdrawn because the server was full.
    withdrawn: Mutex<Vec<Instant>>,
    idle: Mutex<Vec<LoggedIn>>,
    logins: Logins,
    /// The number of responses of the server.
    responses: AtomicU64,
    ids: ConnectionIds,
}

/// A connection that is logged in.
#[derive(Debug)]
pub(super) struct LoggedIn {
    pub(super) connection: Connection,
    pub(super) server: Arc<Server>,
    pub(super) since: Instant,
    pub(super) id: RegisteredId,
}

/// A connection for a session.
pub(super) struct Acquired {
    pub(super) logged_in: LoggedIn,
    /// `None` if the runtime ends.
    pub(super) permit: Option<OwnedSemaphorePermit>,
    /// Whether the connection was idle before.
    pub(super) reused: bool,
}

impl Pool {
    pub(super) fn new(login: Login, limits: Limits) -> Self {
        Self {
            login,
            permits: Arc::new(Semaphore::new(limits.connections.max(1))),
            limits,
            withdrawn: Mutex::default(),
            idle: Mutex::default(),
            logins: Logins::default(),
            responses: AtomicU64::new(0),
            ids: ConnectionIds::default(),
        }
    }

    /// An idle connection that is not too old, or else a new one.
    pub(super) async fn acquire(self: &Arc<Self>) -> Result<Acquired, Error> {
        self.restore_permits();
        let mut permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        let mut reused = true;
        let mut old: Option<LoggedIn> = None;
        let logged_in = loop {
            match self.idle().pop() {
                Some(found) if found.since.elapsed() < self.limits.lifetime => break found,
                Some(found) => old = Some(found),
                None => {}
            }
            // The old connection is closed after the login of the new one: a full server would give
            // its slot to another client.
            match self.log_in().await {
                Ok(()) => reused = false,
                Err(error) if error.is_server_full() => {
                    if let Some(mut old) = old.take() {
                        old.since = Instant::now();
                        break old;
                    }
                    if self.ids.count_open() == 0 {
                        return Err(error);
                    }
                    // Continue with the existing connections.
                    if let Some(permit) = permit.take() {
                        permit.forget();
                        lock(&self.withdrawn).push(Instant::now());
                    }
                    permit = Arc::clone(&self.permits).acquire_owned().await.ok();
                }
                Err(error) => return Err(error),
            }
        };
        Ok(Acquired { logged_in, permit, reused })
    }

    /// An idle connection of any age, or else a new one. It needs no permit.
    pub(super) async fn take(self: &Arc<Self>) -> Result<LoggedIn, Error> {
        loop {
            if let Some(logged_in) = self.idle().pop() {
                return Ok(logged_in);
            }
            self.log_in().await?;
        }
    }

    /// Makes a connection available to others.
    pub(super) fn put_back(&self, logged_in: LoggedIn) {
        self.idle().push(logged_in);
    }

    /// Closes the idle connections.
    pub(super) fn close_idle(&self) {
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
    }

    /// Ends a connection of this exporter on the server, and the statement in it.
    pub(super) async fn kill(self: &Arc<Self>, id: u32) -> Result<(), Error> {
        let mut logged_in = self.take().await?;
        let result = logged_in.connection.query(&format!("KILL {id}")).await;
        if !result.as_ref().is_err_and(client::Error::is_fatal) {
            self.put_back(logged_in);
        }
        result.map(drop).map_err(Error::Statement)
    }

    /// The number of responses of the server so far.
    pub(super) fn responses(&self) -> u64 {
        self.responses.load(Ordering::Relaxed)
    }

    pub(super) fn count_response(&self) {
        self.responses.fetch_add(1, Ordering::Relaxed);
    }

    /// The IDs of connections of this exporter that the server may show.
    pub(super) fn connection_ids(&self) -> Vec<u32> {
        self.ids.list()
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn address(&self) -> String {
        self.login.address.to_string()
    }

    /// Adds a connection to the idle ones.
    async fn log_in(self: &Arc<Self>) -> Result<(), Error> {
        let attempt = || {
            let pool = Arc::clone(self);
            async move {
                let attempt = timeout(LOGIN_TIMEOUT, pool.attempt_login()).await;
                attempt
                    .unwrap_or_else(|_| Err(client::Error::Timeout(LOGIN_TIMEOUT.as_secs()).into()))
            }
        };
        let failed = |problem| Error::Login { address: self.address(), problem };
        self.logins.join(attempt).await.map_err(failed)
    }

    async fn attempt_login(&self) -> Result<(), Arc<client::Error>> {
        let greeted = Greeted::connect(&self.login).await?;
        // The server shows the connection from now on.
        let id = self.ids.register(greeted.id());
        let mut connection = greeted.log_in(&self.login).await.map_err(|error| match error {
            client::Error::Server { .. } => error,
            // The server counts it as an error of this host.
            error => client::Error::Paused(error.into()),
        })?;
        let server = Arc::new(setup::set_up(&mut connection, &self.limits).await?);
        self.count_response();
        self.put_back(LoggedIn { connection, server, since: Instant::now(), id });
        Ok(())
    }

    fn restore_permits(&self) {
        let mut withdrawn = lock(&self.withdrawn);
        let before = withdrawn.len();
        withdrawn.retain(|since| since.elapsed() < RETRY);
        self.permits.add_permits(before - withdrawn.len());
    }

    fn idle(&self) -> MutexGuard<'_, Vec<LoggedIn>> {
        lock(&self.idle)
    }
}
