//! Number and duration of I/O waits for indexes:
//! `performance_schema.table_io_waits_summary_by_index_usage`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector, PICOSECOND};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.indexiowaits",
        "Waits for the storage of indexes, by operation",
        |db, _| Ok(Source::asynchronous(IndexIoWaits(db.clone()))),
    )
    .off_by_default()
    .reads(&["performance_schema.table_io_waits_summary_by_index_usage"])
    .metrics(&[&WAITS, &SECONDS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

const SQL: &str = "SELECT OBJECT_SCHEMA, OBJECT_NAME, INDEX_NAME, COUNT_FETCH, COUNT_UPDATE, \
                   COUNT_DELETE, COUNT_INSERT, SUM_TIMER_FETCH, SUM_TIMER_UPDATE, \
                   SUM_TIMER_DELETE, SUM_TIMER_INSERT FROM \
                   performance_schema.table_io_waits_summary_by_index_usage WHERE OBJECT_SCHEMA \
                   NOT IN ('mysql', 'performance_schema')";

const LABELS: [&str; 4] = ["schema", "name", "index", "operation"];
/// The order of the columns after the three names: a count for each operation, then a time for each.
const OPERATIONS: [&str; 4] = ["fetch", "update", "delete", "insert"];
/// The label value for accesses that use no index.
const NO_INDEX: &str = "NONE";

static WAITS: Desc<4> = Desc::counter(
    "mysql_perf_schema_index_io_waits_total",
    "Times an operation waited for the storage of an index.",
    LABELS,
);
static SECONDS: Desc<4> = Desc::counter(
    "mysql_perf_schema_index_io_waits_seconds_total",
    "Time that operations waited for the storage of an index.",
    LABELS,
);

struct IndexIoWaits(Db);

#[async_trait]
impl AsyncCollector for IndexIoWaits {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.0.query(SQL).await?;
        write(out, &result_set, &WAITS, 3, 1.0);
        write(out, &result_set, &SECONDS, 7, PICOSECOND);
        Ok(())
    }
}

fn write(out: &mut Families, result_set: &ResultSet, desc: &Desc<4>, first: usize, unit: f64) {
    let mut family = out.family(desc);
    for row in &result_set.rows {
        let index = row.value(2).unwrap_or(NO_INDEX);
        // Rows are inserted into a table, not into one of its indexes.
        let operations = if index == NO_INDEX { 4 } else { 3 };
        for (column, operation) in (first..).zip(OPERATIONS).take(operations) {
            if let Some(value) = row.number(column) {
                family.sample([row.text(0), row.text(1), index, operation], value * unit);
            }
        }
    }
}
