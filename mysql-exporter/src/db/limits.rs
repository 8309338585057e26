//! Limits of connections and sessions.

use std::time::Duration;

/// Limits of connections and sessions, the same for all servers.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The maximum number of connections to a server.
    pub(crate) connections: usize,
    /// The lifetime of a connection.
    pub(crate) lifetime: Duration,
    /// The time limit of a statement on the server.
    pub(crate) statement: Duration,
    /// The number of seconds that a statement may wait for a metadata lock. `None` keeps the server's
    /// setting.
    pub(crate) lock_wait: Option<u32>,
    /// Whether statements of scrapes are excluded from the slow query log.
    pub(crate) log_slow_filter: bool,
    /// Whether each scrape uses new connections.
    pub(crate) fresh_login: bool,
}
