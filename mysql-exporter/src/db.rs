//! A server, as collectors see it: statements go in, rows come out.
//!
//! Behind it are a few connections that are kept between scrapes. A statement that is given up is
//! killed on the server, and its connection is not used again.

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

/// How sessions are set up, whatever the server.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// How many connections a server sees at most.
    pub(crate) connections: usize,
    /// After how long a connection is replaced by a new one.
    pub(crate) lifetime: Duration,
    /// How long a statement may take before the server ends it.
    pub(crate) statement: Duration,
    /// Seconds a statement may wait for a metadata lock, if the session says so at all.
    pub(crate) lock_wait: Option<u32>,
    /// Whether to keep what scrapes do out of the log of slow statements.
    pub(crate) log_slow_filter: bool,
    /// Whether each scrape logs in anew.
    pub(crate) fresh_login: bool,
}

impl Db {
    pub(crate) fn new(login: Login, limits: Limits) -> Self {
        let pool = Arc::new(Pool::new(login, limits));
        Self(Arc::new(Inner { pool, up: AtomicBool::new(false) }))
    }

    /// A connection, behind those who came before.
    pub(crate) async fn session(&self) -> Result<Session, Error> {
        self.0.pool.session().await
    }

    /// The answer to one statement.
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

    /// The server's numbers for the connections of this exporter.
    pub(crate) fn connection_ids(&self) -> Vec<u32> {
        self.0.pool.connection_ids()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.0.up.load(Ordering::Relaxed)
    }
}

/// Notes on its end whether the server answered.
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
