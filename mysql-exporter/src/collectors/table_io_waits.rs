//! Number and duration of I/O waits for tables:
//! `performance_schema.table_io_waits_summary_by_table`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector, PICOSECOND};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.tableiowaits",
        "Waits for the tables' storage, by operation",
        |db, _| Ok(Source::asynchronous(TableIoWaits(db.clone()))),
    )
    .off_by_default()
    .reads(&["performance_schema.table_io_waits_summary_by_table"])
    .metrics(&[&WAITS, &SECONDS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

const SQL: &str = "SELECT OBJECT_SCHEMA, OBJECT_NAME, COUNT_FETCH, COUNT_INSERT, COUNT_UPDATE, \
                   COUNT_DELETE, SUM_TIMER_FETCH, SUM_TIMER_INSERT, SUM_TIMER_UPDATE, \
                   SUM_TIMER_DELETE FROM performance_schema.table_io_waits_summary_by_table \
                   WHERE OBJECT_SCHEMA NOT IN ('mysql', 'performance_schema')";

const LABELS: [&str; 3] = ["schema", "name", "operation"];
/// The order of the columns after the two names: a count for each operation, then a time for each.
const OPERATIONS: [&str; 4] = ["fetch", "insert", "update", "delete"];

static WAITS: Desc<3> = Desc::counter(
    "mysql_perf_schema_table_io_waits_total",
    "Times an operation waited for the storage of a table.",
    LABELS,
);
static SECONDS: Desc<3> = Desc::counter(
    "mysql_perf_schema_table_io_waits_seconds_total",
    "Time that operations waited for the storage of a table.",
    LABELS,
);

struct TableIoWaits(Db);

#[async_trait]
impl AsyncCollector for TableIoWaits {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.0.query(SQL).await?;
        write(out, &result_set, &WAITS, 2, 1.0);
        // The server counts picoseconds.
        write(out, &result_set, &SECONDS, 6, PICOSECOND);
        Ok(())
    }
}

fn write(out: &mut Families, result_set: &ResultSet, desc: &Desc<3>, first: usize, unit: f64) {
    let mut family = out.family(desc);
    for row in &result_set.rows {
        for (column, operation) in (first..).zip(OPERATIONS) {
            if let Some(value) = row.number(column) {
                family.sample([row.text(0), row.text(1), operation], value * unit);
            }
        }
    }
}
