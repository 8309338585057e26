//! Counters of InnoDB: `information_schema.INNODB_METRICS`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Desc, DynDesc, Kind};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;
use crate::version::Server;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.innodb_metrics",
        "Counters of InnoDB that are enabled",
        |db, _| Ok(Source::asynchronous(InnodbMetrics(db.clone()))),
    )
    .off_by_default()
    .reads(&["information_schema.INNODB_METRICS"])
    .metrics(&[&ANY, &PAGES_READ, &PAGES_WRITTEN, &POOL_PAGES, &DIRTY_PAGES]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

static ANY: DynDesc = DynDesc::new(
    "mysql_info_schema_innodb_metrics_<subsystem>_<name>",
    "A counter of InnoDB, under its name.",
    Kind::Untyped,
    &[],
);
static PAGES_READ: Desc<1> = Desc::counter(
    "mysql_info_schema_innodb_metrics_buffer_page_read_total",
    "Pages read into the buffer pool, by type.",
    ["type"],
);
static PAGES_WRITTEN: Desc<1> = Desc::counter(
    "mysql_info_schema_innodb_metrics_buffer_page_written_total",
    "Pages written from the buffer pool, by type.",
    ["type"],
);
static POOL_PAGES: Desc<1> = Desc::gauge(
    "mysql_info_schema_innodb_metrics_buffer_pool_pages",
    "Pages of the buffer pool, by state.",
    ["state"],
);
static DIRTY_PAGES: Desc = Desc::gauge(
    "mysql_info_schema_innodb_metrics_buffer_pool_dirty_pages",
    "Pages of the buffer pool that are not written yet.",
    [],
);

struct InnodbMetrics(Db);

#[async_trait]
impl AsyncCollector for InnodbMetrics {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        let sql = statement(session.server());
        let result_set = session.query(sql).await?;
        drop(session);
        write(out, &result_set);
        Ok(())
    }
}

/// MariaDB 10.5 replaced the column STATUS with the number ENABLED.
fn statement(server: &Server) -> &'static str {
    if server.is_mariadb_since((10, 5, 0)) {
        "SELECT NAME, SUBSYSTEM, TYPE, COUNT FROM information_schema.INNODB_METRICS WHERE ENABLED \
         = 1"
    } else {
        "SELECT NAME, SUBSYSTEM, TYPE, COUNT FROM information_schema.INNODB_METRICS WHERE STATUS \
         = 'enabled'"
    }
}

fn write(out: &mut Families, result_set: &ResultSet) {
    const READ: &str = "buffer_page_read_";
    const WRITTEN: &str = "buffer_page_written_";
    const POOL: &str = "buffer_pool_pages_";
    let (mut read, mut written, mut pool) = (Vec::new(), Vec::new(), Vec::new());
    let mut metric = String::new();
    for row in &result_set.rows {
        let (name, subsystem, kind) = (row.text(0), row.text(1), row.text(2));
        let Some(value) = row.number(3) else { continue };
        if let Some(page) = name.strip_prefix(READ).filter(|_| subsystem == "buffer_page_io") {
            read.push((page, value));
        } else if let Some(page) =
            name.strip_prefix(WRITTEN).filter(|_| subsystem == "buffer_page_io")
        {
            written.push((page, value));
        } else if let Some(state) = name.strip_prefix(POOL).filter(|_| subsystem == "buffer") {
            pool.push((state, value));
        } else {
            let is_counter = matches!(kind, "counter" | "status_counter") && value >= 0.0;
            metric.clear();
            metric.extend(["mysql_info_schema_innodb_metrics_", subsystem, "_", name]);
            metric.push_str(if is_counter { "_total" } else { "" });
            let kind = if is_counter { Kind::Counter } else { Kind::Gauge };
            out.open(ANY.with_name(&metric).with_kind(kind)).sample(&[], value);
        }
    }
    for (desc, pages) in [(&PAGES_READ, read), (&PAGES_WRITTEN, written)] {
        let mut family = out.family(desc);
        for (page, value) in pages {
            family.sample([page], value);
        }
    }
    // The total is excluded, because it is the sum of the states.
    let states = pool.iter().filter(|(state, _)| !matches!(*state, "dirty" | "total"));
    let mut family = out.family(&POOL_PAGES);
    for (state, value) in states {
        family.sample([state], *value);
    }
    if let Some((_, value)) = pool.iter().find(|(state, _)| *state == "dirty") {
        out.family(&DIRTY_PAGES).sample([], *value);
    }
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;
    use crate::db::Row;

    #[test]
    fn rows_become_families() {
        let rows = [
            ["buffer_page_read_index_leaf", "buffer_page_io", "counter", "7"],
            ["buffer_page_written_blob", "buffer_page_io", "counter", "3"],
            ["buffer_pool_pages_data", "buffer", "value", "815"],
            ["buffer_pool_pages_dirty", "buffer", "value", "660"],
            ["buffer_pool_pages_total", "buffer", "value", "4056"],
            ["lock_deadlocks", "lock", "counter", "2"],
            ["buffer_LRU_batch", "buffer", "status_counter", "-1"],
            ["file_num_open_files", "file_system", "value", "67"],
            ["odd", "x", "value", "many"],
        ];
        let rows = rows.iter().map(|row| Row::from_values(row)).collect();
        let mut out = Families::default();
        write(&mut out, &ResultSet { columns: Vec::new(), rows });
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        let samples: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("mysql_info_schema_innodb_metrics_"))
            .collect();
        assert_eq!(
            samples,
            [
                "lock_lock_deadlocks_total 2",
                "buffer_buffer_LRU_batch -1",
                "file_system_file_num_open_files 67",
                "buffer_page_read_total{type=\"index_leaf\"} 7",
                "buffer_page_written_total{type=\"blob\"} 3",
                "buffer_pool_pages{state=\"data\"} 815",
                "buffer_pool_dirty_pages 660",
            ]
        );
    }
}
