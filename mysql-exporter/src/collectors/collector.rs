//! What all collectors of this exporter share.

use exporter_core::flags::Flags;

use crate::db::{Db, Error, Session};
use crate::grants::Need;
use crate::version::Server;

pub(crate) type Definition = exporter_core::collector::Definition<Db>;

/// A collector, and the privileges that it needs.
pub(crate) struct MysqlCollector {
    pub(crate) definition: Definition,
    /// The privileges without which this server rejects the statements or returns incomplete results.
    pub(crate) needs: fn(&Server, &Flags) -> Vec<Need>,
}

/// In seconds: the unit of `performance_schema`'s timers.
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
