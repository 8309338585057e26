//! The few connections to a server, kept between scrapes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{Error, Limits, setup};
use crate::client::{self, Connection, ResultSet};
use crate::config::Login;
use crate::version::Server;

/// After this long a connection is closed and logged in anew: a login that was taken away, or a
/// password that has changed, shows.
const LIFETIME: Duration = Duration::from_secs(600);
/// How long the connection that kills may take.
const KILL_LIMIT: Duration = Duration::from_secs(2);

/// The connections to one server: never more than there are places.
#[derive(Debug)]
pub(super) struct Pool {
    login: Login,
    limits: Limits,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Open>>,
    /// Times the server has answered anything.
    answers: AtomicU64,
}

/// A connection that is logged in.
#[derive(Debug)]
struct Open {
    conn: Connection,
    server: Arc<Server>,
    since: Instant,
}

/// A place and the connection in it, until dropped.
#[derive(Debug)]
pub(crate) struct Session {
    pool: Arc<Pool>,
    place: Option<OwnedSemaphorePermit>,
    open: Option<Open>,
    /// As it was at the login.
    server: Arc<Server>,
    doing: Doing,
    /// It was there before, and may have been closed meanwhile.
    reused: bool,
}

/// What a connection is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Nothing,
    /// Something that ends when the connection does.
    Ping,
    /// Something that the server goes on with until it is told not to.
    Statement,
}

impl Pool {
    pub(super) fn new(login: Login, limits: Limits) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections.max(1)));
        Self { login, limits, places, idle: Mutex::default(), answers: AtomicU64::new(0) }
    }

    pub(super) async fn session(self: &Arc<Self>) -> Result<Session, Error> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let pool = Arc::clone(self);
        let open = self.idle().pop().filter(|open| open.since.elapsed() < LIFETIME);
        let (open, reused) = match open {
            Some(open) => (open, true),
            None => (self.open().await?, false),
        };
        let server = Arc::clone(&open.server);
        Ok(Session { pool, place, open: Some(open), server, doing: Doing::Nothing, reused })
    }

    /// How often the server has answered so far.
    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    async fn open(&self) -> Result<Open, Error> {
        let failed = |problem| Error::Login { address: self.login.address.to_string(), problem };
        let mut conn = Connection::open(&self.login).await.map_err(failed)?;
        let server = setup::set_up(&mut conn, &self.limits).await.map_err(failed)?;
        self.answers.fetch_add(1, Ordering::Relaxed);
        Ok(Open { conn, server: Arc::new(server), since: Instant::now() })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Open>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

    /// Whether the server answers on this connection, or else on a new one.
    pub(super) async fn check(&mut self) -> Result<(), Error> {
        if !self.reused {
            // It was logged in just now, which was an answer.
            return Ok(());
        }
        self.doing = Doing::Ping;
        let answer = match &mut self.open {
            Some(open) => open.conn.ping().await,
            None => return Ok(()),
        };
        self.doing = Doing::Nothing;
        match answer {
            Ok(()) => {
                self.pool.answers.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                tracing::debug!(error = error.to_string(), "connection lost");
                // The others will not be better.
                self.pool.idle().clear();
                self.renew().await
            }
        }
    }

    async fn attempt(&mut self, sql: &str) -> Result<ResultSet, client::Error> {
        self.doing = Doing::Statement;
        let answer = match &mut self.open {
            Some(open) => open.conn.query(sql).await,
            None => Err(client::Error::Closed),
        };
        self.doing = Doing::Nothing;
        if answer.as_ref().is_err_and(client::Error::is_fatal) {
            self.open = None;
        } else {
            self.pool.answers.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    async fn renew(&mut self) -> Result<(), Error> {
        self.open = None;
        let open = self.pool.open().await?;
        self.server = Arc::clone(&open.server);
        self.open = Some(open);
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
        let Some(open) = self.open.take() else { return };
        if self.doing == Doing::Nothing {
            self.pool.idle().push(open);
            return;
        }
        let id = open.conn.id();
        drop(open);
        if self.doing != Doing::Statement {
            return;
        }
        // The place goes along: whoever kills counts as a connection.
        let place = self.place.take();
        let login = self.pool.login.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let killed = timeout(KILL_LIMIT, kill(&login, id)).await;
                tracing::debug!(connection = id, done = matches!(killed, Ok(Ok(()))), "killed");
                drop(place);
            });
        }
    }
}

/// Ends a connection of ours on the server, and the statement in it.
async fn kill(login: &Login, id: u32) -> Result<(), client::Error> {
    let mut conn = Connection::open(login).await?;
    let killed = conn.query(&format!("KILL {id}")).await;
    conn.quit().await;
    killed.map(drop)
}
