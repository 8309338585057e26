//! What all collectors of this exporter share.

use exporter_core::flags::Flags;

use crate::db::{Db, Error, Session};
use crate::grants::Privilege;
use crate::version::Server;

pub(crate) type Definition = exporter_core::collector::Definition<Db>;

/// A collector, and its privileges.
pub(crate) struct MysqlCollector {
    pub(crate) definition: Definition,
    /// The privileges that the collector needs on this server. Without them, the server rejects its
    /// statements, or returns incomplete results.
    pub(crate) privileges: fn(&Server, &Flags) -> Vec<Privilege>,
}

/// A picosecond in seconds. The timers of `performance_schema` count picoseconds.
pub(super) const PICOSECOND: f64 = 1e-12;

/// Whether the server has a table.
pub(super) async fn table_exists(
    session: &mut Session,
    schema: &str,
    table: &str,
) -> Result<bool, Error> {
    let sql = format!(
        "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{schema}' AND TABLE_NAME = \
         '{table}'"
    );
    Ok(!session.query(&sql).await?.rows.is_empty())
}
