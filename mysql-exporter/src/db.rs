//! A server as collectors use it: they send statements and get rows.
//!
//! It keeps a few connections between scrapes. An abandoned statement is killed on the server, and
//! its connection is not used again.

mod connection_ids;
mod error;
mod login;
mod pool;
mod setup;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) use self::error::Error;
use self::pool::Pool;
pub(crate) use self::pool::Session;
pub(crate) use crate::client::{ResultSet, Row};
use crate::config::Login;

/// One server, shared by its collectors.
#[derive(Clone, Debug)]
pub(crate) struct Db(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: Arc<Pool>,
    up: AtomicBool,
}

/// How sessions are set up on any server.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The maximum number of connections to a server.
    pub(crate) connections: usize,
    /// The lifetime of a connection.
    pub(crate) lifetime: Duration,
    /// The time limit of a statement on the server.
    pub(crate) statement: Duration,
    /// The seconds that a statement may wait for a metadata lock, if the session sets them.
    pub(crate) lock_wait: Option<u32>,
    /// Whether statements of scrapes are excluded from the slow query log.
    pub(crate) log_slow_filter: bool,
    /// Whether each scrape uses new connections.
    pub(crate) fresh_login: bool,
}

impl Db {
    pub(crate) fn new(login: Login, limits: Limits) -> Self {
        let pool = Arc::new(Pool::new(login, limits));
        Self(Arc::new(Inner { pool, up: AtomicBool::new(false) }))
    }

    /// A connection, in the order of requests.
    pub(crate) async fn session(&self) -> Result<Session, Error> {
        self.0.pool.session().await
    }

    /// The result of one statement.
    pub(crate) async fn query(&self, sql: &str) -> Result<ResultSet, Error> {
        self.session().await?.query(sql).await
    }

    /// Asks the server for an answer; [`Self::is_up`] tells whether there was one. Dropped before
    /// it is done, there was none, unless others got one meanwhile: then only the wait for a
    /// connection was too long.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        let _verdict = Verdict { of: &self.0, before: self.0.pool.answers() };
        if self.0.pool.parameters().1.fresh_login {
            self.0.pool.close_idle();
        }
        self.session().await?.check().await
    }

    /// The connection IDs of this exporter on the server.
    pub(crate) fn connection_ids(&self) -> Vec<u32> {
        self.0.pool.connection_ids()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.0.up.load(Ordering::Relaxed)
    }
}

/// Records at its end whether the server responded.
struct Verdict<'a> {
    of: &'a Inner,
    before: u64,
}

impl Drop for Verdict<'_> {
    fn drop(&mut self) {
        let answered = self.of.pool.answers() != self.before;
        self.of.up.store(answered, Ordering::Relaxed);
    }
}
