//! A custom query, as parsed.

use std::collections::BTreeSet;
use std::time::Duration;

use exporter_core::desc::Kind;

use super::servers::ServerPattern;
use crate::version::Server;

/// One statement, and the metrics made from its result set.
#[derive(Debug, PartialEq)]
pub(super) struct CustomQuery {
    pub(super) name: String,
    /// One `SELECT` or `SHOW` statement.
    pub(super) statement: String,
    /// The columns with label values.
    pub(super) labels: Vec<String>,
    pub(super) values: Vec<ValueColumn>,
    pub(super) databases: Databases,
    /// The servers on which the query runs. If empty, it runs on all servers.
    pub(super) servers: Vec<ServerPattern>,
    pub(super) interval: Option<Duration>,
    pub(super) timeout: Duration,
    pub(super) max_series: usize,
}

/// A column whose numbers are the samples of a family.
#[derive(Debug, PartialEq)]
pub(super) struct ValueColumn {
    pub(super) column: String,
    pub(super) metric: String,
    pub(super) help: String,
    pub(super) kind: Kind,
    /// Empty without a unit.
    pub(super) unit: String,
}

/// The databases that a statement runs in.
#[derive(Debug, PartialEq)]
pub(super) enum Databases {
    /// Once, in `information_schema`.
    None,
    /// Once in each of them that exists.
    Named(BTreeSet<String>),
    /// Once in each, except the system databases.
    All,
}

/// The label with the name of the database.
pub(super) const DATABASE_LABEL: &str = "database";

impl CustomQuery {
    /// The name of its collector.
    pub(super) fn collector(&self) -> String {
        format!("query.{}", self.name)
    }

    /// Whether the query is for this server.
    pub(super) fn runs_on(&self, server: &Server) -> bool {
        self.servers.is_empty() || self.servers.iter().any(|pattern| pattern.matches(server))
    }
}
