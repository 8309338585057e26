//! Memory of the server, by purpose:
//! `performance_schema.memory_summary_global_by_event_name`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.memory_events",
        "Memory of the server, by purpose",
        |db, flags| Ok(Source::asynchronous(MemoryEvents::new(db, flags))),
    )
    .off_by_default()
    .reads(&["performance_schema.memory_summary_global_by_event_name"])
    .flags(&[&REMOVE_PREFIX])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

static REMOVE_PREFIX: Flag = Flag::text(
    "collect.perf_schema.memory_events.remove_prefix",
    "memory/",
    "Prefix to remove from event names.",
);

const SQL: &str = "SELECT EVENT_NAME, SUM_NUMBER_OF_BYTES_ALLOC, SUM_NUMBER_OF_BYTES_FREE, \
                   CURRENT_NUMBER_OF_BYTES_USED FROM \
                   performance_schema.memory_summary_global_by_event_name WHERE COUNT_ALLOC > 0";

const EVENT: [&str; 1] = ["event_name"];

static COLUMNS: [Column<Row, 1>; 3] = [
    Desc::counter(
        "mysql_perf_schema_memory_events_alloc_bytes_total",
        "Bytes that were allocated.",
        EVENT,
    )
    .column(|row| row.number(1)),
    Desc::counter(
        "mysql_perf_schema_memory_events_free_bytes_total",
        "Bytes that were freed.",
        EVENT,
    )
    .column(|row| row.number(2)),
    Desc::gauge("mysql_perf_schema_memory_events_used_bytes", "Bytes in use.", EVENT)
        .column(|row| row.number(3)),
];

struct MemoryEvents {
    db: Db,
    remove_prefix: String,
}

impl MemoryEvents {
    fn new(db: &Db, flags: &Flags) -> Self {
        Self { db: db.clone(), remove_prefix: flags.text(&REMOVE_PREFIX).to_owned() }
    }
}

#[async_trait]
impl AsyncCollector for MemoryEvents {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.db.query(SQL).await?;
        for column in &COLUMNS {
            let mut family = out.family(&column.desc);
            for row in &result_set.rows {
                let event = row.text(0);
                let event = event.strip_prefix(self.remove_prefix.as_str()).unwrap_or(event);
                if let Some(value) = (column.value)(row) {
                    family.sample([event], value);
                }
            }
        }
        Ok(())
    }
}
