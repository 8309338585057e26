//! Runs the statements of collectors on a server.
//!
//! A pool keeps a few connections between scrapes. If a scrape abandons a statement, the statement is
//! killed on the server, and its connection is not used again.

mod connection_ids;
mod error;
mod limits;
mod lock;
mod login;
mod pool;
mod session;
mod setup;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use self::error::Error;
pub(crate) use self::limits::Limits;
use self::pool::Pool;
pub(crate) use self::session::Session;
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

impl Db {
    pub(crate) fn new(login: Login, limits: Limits) -> Self {
        let pool = Arc::new(Pool::new(login, limits));
        Self(Arc::new(Inner { pool, up: AtomicBool::new(false) }))
    }

    /// A connection. Callers get one in the order of their calls.
    pub(crate) async fn session(&self) -> Result<Session, Error> {
        Session::open(&self.0.pool).await
    }

    /// Runs one statement.
    pub(crate) async fn query(&self, sql: &str) -> Result<ResultSet, Error> {
        self.session().await?.query(sql).await
    }

    /// Checks that the server responds, and records the result for [`Self::is_up`]. If the future is
    /// dropped before it completes, the server counts as up only if it responded to other callers
    /// meanwhile: in that case, only the wait for a connection was too long.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        let _recorder = UpRecorder { server: &self.0, before: self.0.pool.responses() };
        if self.0.pool.limits().fresh_login {
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

/// Records on drop whether the server has responded since `before`.
struct UpRecorder<'a> {
    server: &'a Inner,
    before: u64,
}

impl Drop for UpRecorder<'_> {
    fn drop(&mut self) {
        let responded = self.server.pool.responses() != self.before;
        self.server.up.store(responded, Ordering::Relaxed);
    }
}
