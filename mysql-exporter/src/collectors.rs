//! Every collector, in the order of the exposition.

mod account_statements;
mod accounts;
mod applier_status_by_worker;
mod auto_increment_columns;
mod binlog_gtid;
mod binlog_size;
mod client_statistics;
mod data_lock_waits;
mod engine_innodb_status;
mod engine_tokudb_status;
mod events_statements;
mod events_statements_sum;
mod events_waits;
mod file_events;
mod file_instances;
mod galera;
mod global_status;
mod global_variables;
mod group_member_stats;
mod group_members;
mod heartbeat;
mod index_io_waits;
mod innodb_cmp;
mod innodb_cmpmem;
mod innodb_log;
mod innodb_metrics;
mod innodb_tablespaces;
mod innodb_trx;
mod memory_events;
mod metadata_locks;
mod mysql_user;
mod plugins;
mod processlist;
mod query_response_time;
mod rds;
mod replica;
mod replica_host;
mod rocksdb_perf_context;
mod schema_statistics;
mod semi_sync;
mod slave_hosts;
mod slave_status;
mod statement_latency;
mod table_io_waits;
mod table_lock_waits;
mod table_statistics;
mod tables;
#[cfg(test)]
mod tests;
mod user_statistics;
mod user_summary;
mod userstat;

use exporter_core::flags::Flags;

use crate::db::{Db, Error, Session};
use crate::grants::Need;
use crate::version::Server;

/// A collector of a server.
type Definition = exporter_core::collector::Definition<Db>;

/// A collector of this exporter: what every collector is, and what it must be allowed.
pub(crate) struct Query {
    pub(crate) definition: Definition,
    /// The privileges without which a server of this kind refuses it, or shows it too little.
    pub(crate) needs: fn(&Server, &Flags) -> Vec<Need>,
}

static QUERIES: [&Query; 49] = [
    &auto_increment_columns::QUERY,
    &binlog_gtid::QUERY,
    &binlog_size::QUERY,
    &engine_innodb_status::QUERY,
    &engine_tokudb_status::QUERY,
    &galera::QUERY,
    &global_status::QUERY,
    &global_variables::QUERY,
    &heartbeat::QUERY,
    &client_statistics::QUERY,
    &innodb_cmp::QUERY,
    &innodb_cmpmem::QUERY,
    &innodb_metrics::QUERY,
    &innodb_tablespaces::QUERY,
    &innodb_trx::QUERY,
    &plugins::QUERY,
    &processlist::QUERY,
    &query_response_time::QUERY,
    &replica_host::QUERY,
    &rocksdb_perf_context::QUERY,
    &schema_statistics::QUERY,
    &tables::QUERY,
    &table_statistics::QUERY,
    &user_statistics::QUERY,
    &innodb_log::QUERY,
    &accounts::QUERY,
    &mysql_user::QUERY,
    &data_lock_waits::QUERY,
    &events_statements::QUERY,
    &account_statements::QUERY,
    &statement_latency::QUERY,
    &events_statements_sum::QUERY,
    &events_waits::QUERY,
    &file_events::QUERY,
    &file_instances::QUERY,
    &index_io_waits::QUERY,
    &memory_events::QUERY,
    &metadata_locks::QUERY,
    &applier_status_by_worker::QUERY,
    &group_member_stats::QUERY,
    &group_members::QUERY,
    &table_io_waits::QUERY,
    &table_lock_waits::QUERY,
    &rds::QUERY,
    &replica::QUERY,
    &semi_sync::QUERY,
    &slave_hosts::QUERY,
    &slave_status::QUERY,
    &user_summary::QUERY,
];

/// The definitions of all.
#[expect(clippy::indexing_slicing, reason = "a place too far would not compile")]
pub(crate) static ALL: &[&Definition] = &{
    let mut all = [&global_status::QUERY.definition; QUERIES.len()];
    let mut at = 0;
    while at < QUERIES.len() {
        all[at] = &QUERIES[at].definition;
        at += 1;
    }
    all
};

/// What the collector of this name must be allowed.
pub(crate) fn needs(name: &str, server: &Server, flags: &Flags) -> Vec<Need> {
    let query = QUERIES.iter().find(|query| query.definition.name == name);
    query.map_or_else(Vec::new, |query| (query.needs)(server, flags))
}

/// In seconds: the unit of `performance_schema`'s timers.
const PICOSECOND: f64 = 1e-12;

/// Whether the server has a table.
async fn exists(session: &mut Session, schema: &str, table: &str) -> Result<bool, Error> {
    let sql = format!(
        "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{schema}' AND TABLE_NAME = \
         '{table}'"
    );
    Ok(!session.query(&sql).await?.rows.is_empty())
}
