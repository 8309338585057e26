//! Every collector, in the order of the exposition.

mod auto_increment_columns;
mod binlog_size;
mod events_statements;
mod global_status;
mod global_variables;
mod heartbeat;
mod innodb_cmp;
mod innodb_cmpmem;
mod mysql_user;
mod processlist;
mod query_response_time;
mod slave_status;
mod table_io_waits;
mod tables;
#[cfg(test)]
mod tests;

use exporter_core::collector::Definition;
use exporter_core::flags::Flags;

use crate::db::Db;
use crate::grants::Need;
use crate::version::Server;

/// A collector of this exporter: what every collector is, and what it must be allowed.
pub(crate) struct Query {
    pub(crate) definition: Definition<Db>,
    /// The privileges without which a server of this kind refuses it, or shows it too little.
    pub(crate) needs: fn(&Server, &Flags) -> Vec<Need>,
}

static QUERIES: [&Query; 14] = [
    &auto_increment_columns::QUERY,
    &binlog_size::QUERY,
    &global_status::QUERY,
    &global_variables::QUERY,
    &heartbeat::QUERY,
    &innodb_cmp::QUERY,
    &innodb_cmpmem::QUERY,
    &processlist::QUERY,
    &query_response_time::QUERY,
    &tables::QUERY,
    &mysql_user::QUERY,
    &events_statements::QUERY,
    &table_io_waits::QUERY,
    &slave_status::QUERY,
];

/// The definitions of all.
#[expect(clippy::indexing_slicing, reason = "a place too far would not compile")]
pub(crate) static ALL: &[&Definition<Db>] = &{
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
