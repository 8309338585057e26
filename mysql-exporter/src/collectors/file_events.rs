//! File I/O of the server, by event: `performance_schema.file_summary_by_event_name`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector, PICOSECOND};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.file_events",
        "File I/O of the server, by event",
        |db, _| Ok(Source::asynchronous(FileEvents(db.clone()))),
    )
    .off_by_default()
    .reads(&["performance_schema.file_summary_by_event_name"])
    .metrics(&[&EVENTS, &SECONDS, &BYTES]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

const SQL: &str = "SELECT EVENT_NAME, COUNT_READ, COUNT_WRITE, COUNT_MISC, SUM_TIMER_READ, \
                   SUM_TIMER_WRITE, SUM_TIMER_MISC, SUM_NUMBER_OF_BYTES_READ, \
                   SUM_NUMBER_OF_BYTES_WRITE FROM performance_schema.file_summary_by_event_name";

const LABELS: [&str; 2] = ["event_name", "mode"];
/// The order of the columns after the name: counts, times, then bytes, which have no `misc`.
const MODES: [&str; 3] = ["read", "write", "misc"];

static EVENTS: Desc<2> =
    Desc::counter("mysql_perf_schema_file_events_total", "Operations on files.", LABELS);
static SECONDS: Desc<2> = Desc::counter(
    "mysql_perf_schema_file_events_seconds_total",
    "Time spent in operations on files.",
    LABELS,
);
static BYTES: Desc<2> = Desc::counter(
    "mysql_perf_schema_file_events_bytes_total",
    "Bytes read from and written to files.",
    LABELS,
);

struct FileEvents(Db);

#[async_trait]
impl AsyncCollector for FileEvents {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.0.query(SQL).await?;
        write(out, &result_set, &EVENTS, 1, 1.0);
        write(out, &result_set, &SECONDS, 4, PICOSECOND);
        write(out, &result_set, &BYTES, 7, 1.0);
        Ok(())
    }
}

fn write(out: &mut Families, result_set: &ResultSet, desc: &Desc<2>, first: usize, unit: f64) {
    let mut family = out.family(desc);
    for row in &result_set.rows {
        for (column, mode) in (first..).zip(MODES) {
            if let Some(value) = row.number(column) {
                family.sample([row.text(0), mode], value * unit);
            }
        }
    }
}
