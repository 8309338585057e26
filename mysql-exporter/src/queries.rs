//! Custom queries: statements of a file, whose result sets are exposed as metrics.

mod check;
mod collector;
mod file;
mod parse;
mod servers;
mod statement;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exporter_core::collector::Source;
use exporter_core::config_file::{self, ConfigError};
use exporter_core::desc::Kind;
use exporter_core::registry::Registry;

pub(crate) use self::check::check;
use self::collector::QueryCollector;
use self::servers::ServerPattern;
use crate::db::Db;

/// The queries of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queries(Vec<Arc<CustomQuery>>);

/// One statement, and the metrics that its result set becomes.
#[derive(Debug, PartialEq)]
pub(crate) struct CustomQuery {
    pub(crate) name: String,
    /// One `SELECT` or `SHOW` statement.
    pub(crate) statement: String,
    /// Columns whose texts are label values.
    labels: Vec<String>,
    values: Vec<ValueColumn>,
    databases: Databases,
    /// Where the query runs; empty is everywhere.
    servers: Vec<ServerPattern>,
    interval: Option<Duration>,
    timeout: Duration,
    max_series: usize,
}

/// A column whose numbers are the samples of a family.
#[derive(Debug, PartialEq)]
struct ValueColumn {
    column: String,
    metric: String,
    help: String,
    kind: Kind,
    /// Empty without a unit.
    unit: String,
}

/// The databases that a statement runs in.
#[derive(Debug, PartialEq)]
enum Databases {
    /// Once, in `information_schema`.
    None,
    /// Once in each of them that exists.
    Named(BTreeSet<String>),
    /// Once in each, apart from those of the server itself.
    All,
}

/// The label with the database.
const DATABASE_LABEL: &str = "database";

impl Queries {
    /// Reads a file. A statement may take `limit` at most.
    pub(crate) fn load(path: &Path, limit: Duration) -> Result<Self, ConfigError> {
        let bytes = config_file::read(path, config_file::SMALL)
            .map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(&bytes, limit).map_err(|fault| fault.in_file(path))
    }

    pub(crate) fn parse(text: &[u8], limit: Duration) -> Result<Self, config_file::Fault> {
        let queries = parse::queries(text, limit)?;
        Ok(Self(queries.into_iter().map(Arc::new).collect()))
    }

    /// Adds a collector for each query.
    pub(crate) fn register(&self, registry: &Registry, db: &Db) {
        for query in &self.0 {
            let name = query.collector();
            let source = Source::asynchronous(QueryCollector::new(db.clone(), Arc::clone(query)));
            match query.interval {
                Some(interval) => registry.register_with_interval(name, source, interval),
                None => registry.register(name, source),
            }
        }
    }
}

impl CustomQuery {
    /// The name of its collector.
    fn collector(&self) -> String {
        format!("query.{}", self.name)
    }
}
