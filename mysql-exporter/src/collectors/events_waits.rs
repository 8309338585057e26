//! Number and duration of waits of the server, by event:
//! `performance_schema.events_waits_summary_global_by_event_name`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector, PICOSECOND};
use crate::db::{Db, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.eventswaits",
        "Waits of the server, by event",
        |db, _| Ok(Source::asynchronous(EventsWaits(db.clone()))),
    )
    .off_by_default()
    .reads(&["performance_schema.events_waits_summary_global_by_event_name"])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

const SQL: &str = "SELECT EVENT_NAME, COUNT_STAR, SUM_TIMER_WAIT FROM \
                   performance_schema.events_waits_summary_global_by_event_name";

const EVENT: [&str; 1] = ["event_name"];

static COLUMNS: [Column<Row, 1>; 2] = [
    Desc::counter("mysql_perf_schema_events_waits_total", "Waits for an event.", EVENT)
        .column(|row| row.number(1)),
    Desc::counter(
        "mysql_perf_schema_events_waits_seconds_total",
        "Time spent waiting for an event.",
        EVENT,
    )
    .column(|row| Some(row.number(2)? * PICOSECOND)),
];

struct EventsWaits(Db);

#[async_trait]
impl AsyncCollector for EventsWaits {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        self.0.query(SQL).await?.table(out, &COLUMNS, [0]);
        Ok(())
    }
}
