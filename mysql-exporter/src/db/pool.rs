//! The few connections to a server, kept between scrapes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::connection_ids::{ConnectionIds, RegisteredId};
use super::login::Logins;
use super::{Error, Limits};
use crate::client::{self, Connection, ResultSet};
use crate::config::Login;
use crate::version::Server;

/// After this long without a slot for another connection the server is asked for one again.
const RETRY: Duration = Duration::from_secs(60);
/// How long it may take to end a statement.
const KILL_LIMIT: Duration = Duration::from_secs(60);

/// The connections to one server.
#[derive(Debug)]
pub(super) struct Pool {
    login: Login,
    limits: Limits,
    /// As many as there may be sessions at once.
    permits: Arc<Semaphore>,
    /// Permits that were withdrawn because the server has no slot for so many connections.
    withdrawn: Mutex<Vec<Instant>>,
    idle: Mutex<Vec<LoggedIn>>,
    logins: Logins,
    /// Times the server has answered anything.
    answers: AtomicU64,
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

/// A connection that is in use, until dropped.
#[derive(Debug)]
pub(crate) struct Session {
    pool: Arc<Pool>,
    permit: Option<OwnedSemaphorePermit>,
    logged_in: Option<LoggedIn>,
    /// As it was at the login.
    server: Arc<Server>,
    activity: Activity,
    /// It was there before, and may have been closed meanwhile.
    reused: bool,
}

/// What a connection is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    None,
    /// Something that ends when the connection does.
    Ping,
    /// Something that the server goes on with until it is told not to.
    Statement,
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
            answers: AtomicU64::new(0),
            ids: ConnectionIds::default(),
        }
    }

    pub(super) async fn session(self: &Arc<Self>) -> Result<Session, Error> {
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
            // The old connection is closed once there is a new one: a full server would give its
            // slot to somebody else.
            match self.log_in().await {
                Ok(()) => reused = false,
                Err(error) if error.is_server_full() => {
                    if let Some(mut old) = old.take() {
                        old.since = Instant::now();
                        break old;
                    }
                    if self.ids.open() == 0 {
                        return Err(error);
                    }
                    // Go on with the connections there are, in turn.
                    if let Some(permit) = permit.take() {
                        permit.forget();
                        lock(&self.withdrawn).push(Instant::now());
                    }
                    permit = Arc::clone(&self.permits).acquire_owned().await.ok();
                }
                Err(error) => return Err(error),
            }
        };
        let (pool, server) = (Arc::clone(self), Arc::clone(&logged_in.server));
        let logged_in = Some(logged_in);
        Ok(Session { pool, permit, logged_in, server, activity: Activity::None, reused })
    }

    /// How often the server has answered so far.
    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// The server's numbers for the connections that it may show as ours.
    pub(super) fn connection_ids(&self) -> Vec<u32> {
        self.ids.list()
    }

    /// Closes the connections that nobody uses.
    pub(super) fn close_idle(&self) {
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
    }

    /// Adds a connection to the list before it is logged in: the server shows it from then on.
    pub(super) fn register(&self, id: u32) -> RegisteredId {
        self.ids.register(id)
    }

    /// Keeps the next login back for a while.
    pub(super) fn pause_logins(&self, problem: &Arc<client::Error>) {
        self.logins.pause(problem);
    }

    pub(super) fn parameters(&self) -> (&Login, &Limits) {
        (&self.login, &self.limits)
    }

    /// Takes in a new connection.
    pub(super) fn add(&self, connection: Connection, server: Server, id: RegisteredId) {
        let logged_in =
            LoggedIn { connection, server: Arc::new(server), since: Instant::now(), id };
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.idle().push(logged_in);
    }

    /// Adds a connection to the idle ones.
    async fn log_in(self: &Arc<Self>) -> Result<(), Error> {
        let failed = |problem| Error::Login { address: self.login.address.to_string(), problem };
        self.logins.join(self).await.map_err(failed)
    }

    /// An idle connection, or else a new one.
    async fn take(self: &Arc<Self>) -> Result<LoggedIn, Error> {
        loop {
            if let Some(logged_in) = self.idle().pop() {
                return Ok(logged_in);
            }
            self.log_in().await?;
        }
    }

    /// Ends a connection of ours on the server, and the statement in it.
    async fn kill(self: &Arc<Self>, id: u32) -> Result<(), Error> {
        let mut logged_in = self.take().await?;
        let answer = logged_in.connection.query(&format!("KILL {id}")).await;
        if !answer.as_ref().is_err_and(client::Error::is_fatal) {
            self.idle().push(logged_in);
        }
        answer.map(drop).map_err(Error::Statement)
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// The answer to a statement. A connection that was closed while nobody used it is replaced
    /// once.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<ResultSet, Error> {
        match self.attempt(sql).await {
            Err(error) if error.is_disconnect() && self.reused => {
                self.renew().await?;
                self.attempt(sql).await
            }
            result => result,
        }
        .map_err(|error| self.failed(error))
    }

    /// The answer to a statement in a read-only transaction, with `database` as the default one.
    pub(crate) async fn query_read_only(
        &mut self,
        database: &str,
        sql: &str,
    ) -> Result<ResultSet, Error> {
        let database = database.replace('`', "``");
        // After this answer, a lost connection is not replaced: the statement never runs on one
        // without a transaction.
        self.query(&format!("USE `{database}`")).await?;
        self.query("START TRANSACTION READ ONLY").await?;
        let answer = self.query(sql).await;
        let ended = self.query("ROLLBACK").await;
        let answer = answer?;
        ended?;
        Ok(answer)
    }

    /// Whether the server answers on this connection, or else on a new one.
    pub(super) async fn check(&mut self) -> Result<(), Error> {
        if !self.reused {
            // It was logged in just now, which was an answer.
            return Ok(());
        }
        self.activity = Activity::Ping;
        let answer = match &mut self.logged_in {
            Some(logged_in) => logged_in.connection.ping().await,
            None => return Ok(()),
        };
        self.activity = Activity::None;
        match answer {
            Ok(()) => {
                self.pool.answers.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                tracing::debug!(error = error.to_string(), "connection lost");
                // The others will not be better.
                self.pool.close_idle();
                self.renew().await
            }
        }
    }

    async fn attempt(&mut self, sql: &str) -> Result<ResultSet, client::Error> {
        self.activity = Activity::Statement;
        let answer = match &mut self.logged_in {
            Some(logged_in) => logged_in.connection.query(sql).await,
            None => Err(client::Error::Closed),
        };
        self.activity = Activity::None;
        if answer.as_ref().is_err_and(client::Error::is_fatal) {
            self.logged_in = None;
        } else {
            self.pool.answers.fetch_add(1, Ordering::Relaxed);
            // It was not closed while nobody used it.
            self.reused = false;
        }
        answer
    }

    async fn renew(&mut self) -> Result<(), Error> {
        self.logged_in = None;
        let logged_in = self.pool.take().await?;
        self.server = Arc::clone(&logged_in.server);
        self.logged_in = Some(logged_in);
        self.reused = false;
        Ok(())
    }

    fn failed(&self, problem: client::Error) -> Error {
        if problem.is_disconnect() {
            Error::Lost { address: self.pool.login.address.to_string(), problem }
        } else {
            Error::Statement(problem)
        }
    }
}

impl Drop for Session {
    /// Gives the connection back, or ends what it is in the middle of.
    fn drop(&mut self) {
        let Some(logged_in) = self.logged_in.take() else { return };
        if self.activity == Activity::None {
            self.pool.idle().push(logged_in);
            return;
        }
        let LoggedIn { connection, id: registered, .. } = logged_in;
        drop(connection);
        registered.close();
        if self.activity != Activity::Statement {
            return;
        }
        // The permit goes along: there are never more such tasks than permits.
        let (pool, permit) = (Arc::clone(&self.pool), self.permit.take());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let killed = timeout(KILL_LIMIT, pool.kill(registered.id())).await;
                let done = matches!(killed, Ok(Ok(())));
                tracing::debug!(connection = registered.id(), done, "statement was given up");
                drop((registered, permit));
            });
        }
    }
}
