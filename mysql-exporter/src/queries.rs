//! Custom queries: statements in a file, whose result sets are exposed as metrics.

mod check;
mod collector;
mod file;
mod parse;
mod query;
mod servers;
mod statement;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exporter_core::collector::Source;
use exporter_core::config_file::{self, ConfigError};
use exporter_core::exporter::CheckLine;
use exporter_core::registry::Registry;

use self::collector::QueryCollector;
use self::query::CustomQuery;
use crate::db::Db;

/// The queries of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queries(Vec<Arc<CustomQuery>>);

impl Queries {
    /// Reads a file. `limit` is the maximum timeout of a query.
    pub(crate) fn load(path: &Path, limit: Duration) -> Result<Self, ConfigError> {
        let bytes = config_file::read(path, config_file::SMALL)
            .map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(&bytes, limit).map_err(|fault| fault.in_file(path))
    }

    pub(crate) fn parse(text: &[u8], limit: Duration) -> Result<Self, config_file::Fault> {
        let queries = parse::queries(text, limit)?;
        Ok(Self(queries.into_iter().map(Arc::new).collect()))
    }

    /// Checks each query for `--check`.
    pub(crate) async fn check(&self, db: &Db) -> Vec<CheckLine> {
        check::check(&self.0, db).await
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
