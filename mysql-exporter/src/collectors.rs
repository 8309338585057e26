//! All collectors, in the order of the exposition.

mod account_statements;
mod accounts;
mod applier_status_by_worker;
mod auto_increment_columns;
mod binlog_gtid;
mod binlog_size;
mod client_statistics;
mod collector;
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

use self::collector::{Definition, MysqlCollector};
use crate::grants::Privilege;
use crate::version::Server;

static COLLECTORS: [&MysqlCollector; 49] = [
    &auto_increment_columns::COLLECTOR,
    &binlog_gtid::COLLECTOR,
    &binlog_size::COLLECTOR,
    &engine_innodb_status::COLLECTOR,
    &engine_tokudb_status::COLLECTOR,
    &galera::COLLECTOR,
    &global_status::COLLECTOR,
    &global_variables::COLLECTOR,
    &heartbeat::COLLECTOR,
    &client_statistics::COLLECTOR,
    &innodb_cmp::COLLECTOR,
    &innodb_cmpmem::COLLECTOR,
    &innodb_metrics::COLLECTOR,
    &innodb_tablespaces::COLLECTOR,
    &innodb_trx::COLLECTOR,
    &plugins::COLLECTOR,
    &processlist::COLLECTOR,
    &query_response_time::COLLECTOR,
    &replica_host::COLLECTOR,
    &rocksdb_perf_context::COLLECTOR,
    &schema_statistics::COLLECTOR,
    &tables::COLLECTOR,
    &table_statistics::COLLECTOR,
    &user_statistics::COLLECTOR,
    &innodb_log::COLLECTOR,
    &accounts::COLLECTOR,
    &mysql_user::COLLECTOR,
    &data_lock_waits::COLLECTOR,
    &events_statements::COLLECTOR,
    &account_statements::COLLECTOR,
    &statement_latency::COLLECTOR,
    &events_statements_sum::COLLECTOR,
    &events_waits::COLLECTOR,
    &file_events::COLLECTOR,
    &file_instances::COLLECTOR,
    &index_io_waits::COLLECTOR,
    &memory_events::COLLECTOR,
    &metadata_locks::COLLECTOR,
    &applier_status_by_worker::COLLECTOR,
    &group_member_stats::COLLECTOR,
    &group_members::COLLECTOR,
    &table_io_waits::COLLECTOR,
    &table_lock_waits::COLLECTOR,
    &rds::COLLECTOR,
    &replica::COLLECTOR,
    &semi_sync::COLLECTOR,
    &slave_hosts::COLLECTOR,
    &slave_status::COLLECTOR,
    &user_summary::COLLECTOR,
];

/// The definitions of all collectors.
#[expect(clippy::indexing_slicing, reason = "an index out of range would not compile")]
pub(crate) static ALL: &[&Definition] = &{
    let mut all = [&global_status::COLLECTOR.definition; COLLECTORS.len()];
    let mut index = 0;
    while index < COLLECTORS.len() {
        all[index] = &COLLECTORS[index].definition;
        index += 1;
    }
    all
};

/// The privileges that the collector with this name needs.
pub(crate) fn privileges(name: &str, server: &Server, flags: &Flags) -> Vec<Privilege> {
    let collector = COLLECTORS.iter().find(|collector| collector.definition.name == name);
    collector.map_or_else(Vec::new, |collector| (collector.privileges)(server, flags))
}
