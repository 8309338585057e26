//! Status counters of the server: `SHOW GLOBAL STATUS`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Desc, DynDesc, Kind};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet, Row};
use crate::status;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new("global_status", "Status variables of the server", |db, _| {
        Ok(Source::asynchronous(GlobalStatus(db.clone())))
    })
    .reads(&["SHOW GLOBAL STATUS"])
    .metrics(&[
        &ANY,
        &COMMANDS,
        &HANDLERS,
        &CONNECTION_ERRORS,
        &ROW_OPERATIONS,
        &LOST,
        &PAGES,
        &DIRTY_PAGES,
        &PAGE_CHANGES,
        &GALERA,
        &LATENCY_MIN,
        &LATENCY_AVERAGE,
        &LATENCY_MAX,
        &LATENCY_DEVIATION,
        &LATENCY_SAMPLES,
    ]),
    privileges: |_, _| Vec::new(),
};

const PREFIX: &str = "mysql_global_status_";

static ANY: DynDesc = DynDesc::new(
    "mysql_global_status_<variable>",
    "A status variable of the server, under its name.",
    Kind::Untyped,
    &[],
);
static COMMANDS: Desc<1> = Desc::counter(
    "mysql_global_status_commands_total",
    "Statements executed, by kind.",
    ["command"],
);
static HANDLERS: Desc<1> = Desc::counter(
    "mysql_global_status_handlers_total",
    "Requests to storage engines, by kind.",
    ["handler"],
);
static CONNECTION_ERRORS: Desc<1> = Desc::counter(
    "mysql_global_status_connection_errors_total",
    "Failed connections, by cause.",
    ["error"],
);
static ROW_OPERATIONS: Desc<1> = Desc::counter(
    "mysql_global_status_innodb_row_ops_total",
    "Rows that InnoDB has read or changed.",
    ["operation"],
);
static LOST: Desc<1> = Desc::counter(
    "mysql_global_status_performance_schema_lost_total",
    "Instances that performance_schema could not record for lack of memory.",
    ["instrumentation"],
);
static PAGES: Desc<1> = Desc::gauge(
    "mysql_global_status_buffer_pool_pages",
    "Pages of the InnoDB buffer pool, by state.",
    ["state"],
);
static DIRTY_PAGES: Desc = Desc::gauge(
    "mysql_global_status_buffer_pool_dirty_pages",
    "Pages of the InnoDB buffer pool that are not yet on disk.",
    [],
);
static PAGE_CHANGES: Desc<1> = Desc::counter(
    "mysql_global_status_buffer_pool_page_changes_total",
    "Changes to pages of the InnoDB buffer pool.",
    ["operation"],
);
static GALERA: Desc<3> = Desc::gauge(
    "mysql_galera_status_info",
    "The state of this Galera node; always 1.",
    ["wsrep_local_state_uuid", "wsrep_cluster_state_uuid", "wsrep_provider_version"],
);
static LATENCY_MIN: Desc = Desc::gauge(
    "mysql_galera_evs_repl_latency_min_seconds",
    "Minimum latency of group communication, as measured by Galera.",
    [],
);
static LATENCY_AVERAGE: Desc = Desc::gauge(
    "mysql_galera_evs_repl_latency_avg_seconds",
    "Mean latency of group communication, as measured by Galera.",
    [],
);
static LATENCY_MAX: Desc = Desc::gauge(
    "mysql_galera_evs_repl_latency_max_seconds",
    "Maximum latency of group communication, as measured by Galera.",
    [],
);
static LATENCY_DEVIATION: Desc = Desc::gauge(
    "mysql_galera_evs_repl_latency_stdev",
    "The standard deviation of the latency of group communication, in seconds.",
    [],
);
static LATENCY_SAMPLES: Desc = Desc::gauge(
    "mysql_galera_evs_repl_latency_sample_size",
    "Number of measurements of the latency of group communication.",
    [],
);

/// Variables with one of these prefixes form a family. The rest of the name is the label value.
static GROUPS: [(&str, &Desc<1>); 5] = [
    ("com_", &COMMANDS),
    ("handler_", &HANDLERS),
    ("connection_errors_", &CONNECTION_ERRORS),
    ("innodb_rows_", &ROW_OPERATIONS),
    ("performance_schema_", &LOST),
];
const POOL: &str = "innodb_buffer_pool_pages_";

struct GlobalStatus(Db);

#[async_trait]
impl AsyncCollector for GlobalStatus {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.0.query("SHOW GLOBAL STATUS").await?;
        write(out, &result_set);
        Ok(())
    }
}

fn write(out: &mut Families, result_set: &ResultSet) {
    let mut groups: [Vec<(&Row, f64)>; GROUPS.len()] = Default::default();
    let mut pool = Vec::new();
    let mut family = PREFIX.to_owned();
    for row in &result_set.rows {
        let Some(value) = status::number(row.text(1)) else { continue };
        let name = row.text(0);
        if let Some(state) = strip_prefix(name, POOL) {
            pool.push((status::name(state), value));
            continue;
        }
        let group = GROUPS.iter().position(|(prefix, _)| strip_prefix(name, prefix).is_some());
        if let Some(members) = group.and_then(|group| groups.get_mut(group)) {
            members.push((row, value));
            continue;
        }
        family.truncate(PREFIX.len());
        status::push_name(&mut family, name);
        out.open(ANY.with_name(&family)).sample(&[], value);
    }
    let mut label = String::new();
    for ((prefix, desc), members) in GROUPS.iter().zip(&groups) {
        let mut family = out.family(desc);
        for (row, value) in members {
            label.clear();
            status::push_name(&mut label, strip_prefix(row.text(0), prefix).unwrap_or_default());
            family.sample([&label], *value);
        }
    }
    pages(out, &pool);
    galera(out, |name| {
        let row = result_set.variable(name);
        row.map(|row| row.text(1)).unwrap_or_default()
    });
}

/// The rest of a variable's name after `prefix`, ignoring case.
fn strip_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn pages(out: &mut Families, pool: &[(String, f64)]) {
    let states = ["data", "free", "misc", "old"];
    let mut pages = out.family(&PAGES);
    for (state, value) in pool.iter().filter(|(state, _)| states.contains(&state.as_str())) {
        pages.sample([state], *value);
    }
    for (_, value) in pool.iter().filter(|(state, _)| state == "dirty") {
        out.family(&DIRTY_PAGES).sample([], *value);
    }
    // The total is excluded, because it is the sum of the states.
    let is_state = |state: &str| states.contains(&state) || matches!(state, "dirty" | "total");
    let mut changes = out.family(&PAGE_CHANGES);
    for (operation, value) in pool.iter().filter(|(state, _)| !is_state(state)) {
        changes.sample([operation], *value);
    }
}

fn galera<'a>(out: &mut Families, text: impl Fn(&str) -> &'a str) {
    let state = text("wsrep_local_state_uuid");
    if !state.is_empty() {
        let labels = [state, text("wsrep_cluster_state_uuid"), text("wsrep_provider_version")];
        out.family(&GALERA).sample(labels, 1.0);
    }
    let latency = text("wsrep_evs_repl_latency").split('/').map(|part| part.parse().ok());
    let latency: Option<Vec<f64>> = latency.collect();
    if let Some([min, average, max, deviation, samples]) = latency.as_deref() {
        for (desc, value) in [
            (&LATENCY_MIN, min),
            (&LATENCY_AVERAGE, average),
            (&LATENCY_MAX, max),
            (&LATENCY_DEVIATION, deviation),
            (&LATENCY_SAMPLES, samples),
        ] {
            out.family(desc).sample([], *value);
        }
    }
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;

    /// A Galera node, and a variable of each group.
    #[test]
    fn variables_are_families_or_labels() {
        let rows = [
            ["Uptime", "77"],
            ["Com_select", "5"],
            ["Compression", "OFF"],
            ["Handler_read_key", "6"],
            ["Connection_errors_internal", "1"],
            ["Innodb_rows_read", "8"],
            ["Performance_schema_users_lost", "0"],
            ["Innodb_buffer_pool_pages_data", "10"],
            ["Innodb_buffer_pool_pages_dirty", "2"],
            ["Innodb_buffer_pool_pages_flushed", "3"],
            ["Innodb_buffer_pool_pages_total", "12"],
            ["Rpl_status", "AUTH_MASTER"],
            ["Ssl_server_not_after", "Nov 18 01:37:59 2036 GMT"],
            ["wsrep_local_state_uuid", "6f5e-a"],
            ["wsrep_cluster_state_uuid", "6f5e-b"],
            ["wsrep_provider_version", "26.4.14"],
            ["wsrep_cluster_status", "Primary"],
            ["wsrep_evs_repl_latency", "0.0001/0.0002/0.0009/0.00005/40"],
        ];
        let rows = rows.iter().map(|row| Row::from_values(row)).collect();
        let mut out = Families::default();
        write(&mut out, &ResultSet { columns: Vec::new(), rows });
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        testing::golden(
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/global_status.prom"),
            &page,
        );
        testing::declared_is_exposed(&COLLECTOR.definition, &page);
    }
}
