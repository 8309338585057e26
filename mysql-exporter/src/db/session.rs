//! A connection in use. Runs statements, and returns the connection to the pool.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Duration, timeout};

use super::error::Error;
use super::pool::{AcquiredConnection, Pool, PooledConnection};
use crate::client::{self, ResultSet};
use crate::version::Server;

/// The time limit of `KILL` for an abandoned statement.
const KILL_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection that is in use, until dropped.
#[derive(Debug)]
pub(crate) struct Session {
    pool: Arc<Pool>,
    permit: Option<OwnedSemaphorePermit>,
    pooled: Option<PooledConnection>,
    /// The server, as it was at the login.
    server: Arc<Server>,
    activity: Activity,
    /// Whether the connection was idle before, so that the server may have closed it meanwhile.
    is_reused: bool,
}

/// The command in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    None,
    /// Ends when the connection is closed.
    Ping,
    /// Continues on the server after the connection is closed, until it is killed.
    Statement,
}

impl Session {
    /// Takes a connection from the pool, in the order of the calls.
    pub(super) async fn open(pool: &Arc<Pool>) -> Result<Self, Error> {
        let AcquiredConnection { connection, permit, is_reused } = pool.acquire().await?;
        let (pool, server) = (Arc::clone(pool), Arc::clone(&connection.server));
        let pooled = Some(connection);
        Ok(Self { pool, permit, pooled, server, activity: Activity::None, is_reused })
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Runs a statement. A connection that was closed while it was idle is replaced once.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<ResultSet, Error> {
        match self.attempt(sql).await {
            Err(error) if error.is_disconnect() && self.is_reused => {
                self.replace_connection().await?;
                self.attempt(sql).await
            }
            result => result,
        }
        .map_err(|error| self.failed(error))
    }

    /// Runs a statement in a read-only transaction, with `database` as the default database.
    pub(crate) async fn query_read_only(
        &mut self,
        database: &str,
        sql: &str,
    ) -> Result<ResultSet, Error> {
        let database = database.replace('`', "``");
        // After this response, a lost connection is not replaced, so that the statement never runs
        // outside of the transaction.
        self.query(&format!("USE `{database}`")).await?;
        self.query("START TRANSACTION READ ONLY").await?;
        let result = self.query(sql).await;
        let ended = self.query("ROLLBACK").await;
        let result_set = result?;
        ended?;
        Ok(result_set)
    }

    /// Checks that the server responds on this connection, or else on a new one.
    pub(super) async fn check(&mut self) -> Result<(), Error> {
        if !self.is_reused {
            // The login has just succeeded.
            return Ok(());
        }
        self.activity = Activity::Ping;
        let result = match &mut self.pooled {
            Some(pooled) => pooled.connection.ping().await,
            None => return Ok(()),
        };
        self.activity = Activity::None;
        match result {
            Ok(()) => {
                self.pool.count_response();
                Ok(())
            }
            Err(error) => {
                tracing::debug!(error = error.to_string(), "connection lost");
                // The other idle connections are probably lost, too.
                self.pool.close_idle();
                self.replace_connection().await
            }
        }
    }

    async fn attempt(&mut self, sql: &str) -> Result<ResultSet, client::Error> {
        self.activity = Activity::Statement;
        let result = match &mut self.pooled {
            Some(pooled) => pooled.connection.query(sql).await,
            None => Err(client::Error::Closed),
        };
        self.activity = Activity::None;
        if result.as_ref().is_err_and(client::Error::is_fatal) {
            self.pooled = None;
        } else {
            self.pool.count_response();
            // The server has not closed it while it was idle.
            self.is_reused = false;
        }
        result
    }

    async fn replace_connection(&mut self) -> Result<(), Error> {
        self.pooled = None;
        let pooled = self.pool.take().await?;
        self.server = Arc::clone(&pooled.server);
        self.pooled = Some(pooled);
        self.is_reused = false;
        Ok(())
    }

    fn failed(&self, problem: client::Error) -> Error {
        if problem.is_disconnect() {
            Error::ConnectionLost { address: self.pool.address(), problem }
        } else {
            Error::Statement(problem)
        }
    }
}

impl Drop for Session {
    /// Returns the connection to the pool. During a command, closes it, and kills the statement.
    fn drop(&mut self) {
        let Some(pooled) = self.pooled.take() else { return };
        if self.activity == Activity::None {
            self.pool.release(pooled);
            return;
        }
        let PooledConnection { connection, id: registered, .. } = pooled;
        drop(connection);
        registered.close();
        if self.activity != Activity::Statement {
            return;
        }
        // The task holds the permit, so that there are never more such tasks than permits.
        let (pool, permit) = (Arc::clone(&self.pool), self.permit.take());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let killed = timeout(KILL_TIMEOUT, pool.kill(registered.id())).await;
                let done = matches!(killed, Ok(Ok(())));
                tracing::debug!(connection = registered.id(), done, "statement abandoned");
                drop((registered, permit));
            });
        }
    }
}
