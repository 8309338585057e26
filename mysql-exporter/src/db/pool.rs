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
use crate::client::{self, Connection, UnauthenticatedConnection};
use crate::config::Login;
use crate::version::Server;

/// The time after which another connection to a full server is attempted.
const RETRY_INTERVAL: Duration = Duration::from_secs(60);
/// The time limit of a login.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// The connections to one server.
#[derive(Debug)]
pub(super) struct Pool {
    login: Login,
    limits: Limits,
    /// One permit for each session that may exist at the same time.
    permits: Arc<Semaphore>,
    /// When permits were withdrawn because the server had its maximum number of connections.
    withdrawn: Mutex<Vec<Instant>>,
    idle: Mutex<Vec<PooledConnection>>,
    logins: Logins,
    /// The number of responses of the server.
    responses: AtomicU64,
    ids: ConnectionIds,
}

/// An authenticated connection.
#[derive(Debug)]
pub(super) struct PooledConnection {
    pub(super) connection: Connection,
    pub(super) server: Arc<Server>,
    pub(super) since: Instant,
    pub(super) id: RegisteredId,
}

/// A connection for a session.
pub(super) struct AcquiredConnection {
    pub(super) connection: PooledConnection,
    /// `None` if the runtime ends.
    pub(super) permit: Option<OwnedSemaphorePermit>,
    /// Whether the connection was idle before.
    pub(super) is_reused: bool,
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
    pub(super) async fn acquire(self: &Arc<Self>) -> Result<AcquiredConnection, Error> {
        self.restore_permits();
        let mut permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        let mut is_reused = true;
        let mut old: Option<PooledConnection> = None;
        let connection = loop {
            match self.idle().pop() {
                Some(found) if found.since.elapsed() < self.limits.lifetime => break found,
                Some(found) => old = Some(found),
                None => {}
            }
            // The old connection is closed after the login of the new one: a full server would give
            // its slot to another client.
            match self.log_in().await {
                Ok(()) => is_reused = false,
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
        Ok(AcquiredConnection { connection, permit, is_reused })
    }

    /// An idle connection of any age, or else a new one. It needs no permit.
    pub(super) async fn take(self: &Arc<Self>) -> Result<PooledConnection, Error> {
        loop {
            if let Some(connection) = self.idle().pop() {
                return Ok(connection);
            }
            self.log_in().await?;
        }
    }

    /// Makes a connection available to others.
    pub(super) fn release(&self, connection: PooledConnection) {
        self.idle().push(connection);
    }

    /// Closes the idle connections.
    pub(super) fn close_idle(&self) {
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
    }

    /// Kills a connection of this exporter on the server, and with it the running statement.
    pub(super) async fn kill(self: &Arc<Self>, id: u32) -> Result<(), Error> {
        let mut pooled = self.take().await?;
        let result = pooled.connection.query(&format!("KILL {id}")).await;
        if !result.as_ref().is_err_and(client::Error::is_fatal) {
            self.release(pooled);
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

    /// The IDs of this exporter's connections that may be in the server's process list.
    pub(super) fn connection_ids(&self) -> Vec<u32> {
        self.ids.list()
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn address(&self) -> String {
        self.login.address.to_string()
    }

    /// Logs in, and adds the connection to the idle ones.
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
        let unauthenticated = UnauthenticatedConnection::connect(&self.login).await?;
        // The server lists the connection from now on.
        let id = self.ids.register(unauthenticated.id());
        let connection = unauthenticated.log_in(&self.login).await;
        let mut connection = connection.map_err(|error| match error {
            client::Error::Server { .. } => error,
            // The server counts a connection error for this host.
            error => client::Error::Paused(error.into()),
        })?;
        let server = Arc::new(setup::set_up(&mut connection, &self.limits).await?);
        self.count_response();
        self.release(PooledConnection { connection, server, since: Instant::now(), id });
        Ok(())
    }

    fn restore_permits(&self) {
        let mut withdrawn = lock(&self.withdrawn);
        let before = withdrawn.len();
        withdrawn.retain(|since| since.elapsed() < RETRY_INTERVAL);
        self.permits.add_permits(before - withdrawn.len());
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PooledConnection>> {
        lock(&self.idle)
    }
}
