//! Replication delay, from timestamps that pt-heartbeat or a similar program writes into a table of
//! the primary.

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
        "heartbeat",
        "Replication delay, by a heartbeat in a table",
        |db, flags| Ok(Source::asynchronous(Heartbeat { db: db.clone(), sql: sql(flags) })),
    )
    .off_by_default()
    .reads(&["the table of heartbeats"])
    .flags(&[&DATABASE, &TABLE, &UTC])
    .metrics(&[&COLUMNS]),
    privileges: |_, flags| vec![Privilege::new("SELECT", table(flags))],
};

static DATABASE: Flag =
    Flag::text("collect.heartbeat.database", "heartbeat", "The database of the heartbeats.");
static TABLE: Flag =
    Flag::text("collect.heartbeat.table", "heartbeat", "The table of the heartbeats.");
static UTC: Flag = Flag::switch(
    "collect.heartbeat.utc",
    false,
    "The heartbeats are in UTC, not in the server's time zone.",
);

const SERVER: [&str; 1] = ["server_id"];

static COLUMNS: [Column<Row, 1>; 2] = [
    Desc::gauge("mysql_heartbeat_stored_timestamp_seconds", "Time of the last heartbeat.", SERVER)
        .column(|row| row.number(0)),
    Desc::gauge(
        "mysql_heartbeat_now_timestamp_seconds",
        "Time of the server when the heartbeat was queried.",
        SERVER,
    )
    .column(|row| row.number(1)),
];

struct Heartbeat {
    db: Db,
    sql: String,
}

#[async_trait]
impl AsyncCollector for Heartbeat {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        self.db.query(&self.sql).await?.table(out, &COLUMNS, [2]);
        Ok(())
    }
}

fn sql(flags: &Flags) -> String {
    let now = if flags.is_on(&UTC) { "UTC_TIMESTAMP(6)" } else { "NOW(6)" };
    let table = table(flags);
    format!("SELECT UNIX_TIMESTAMP(ts), UNIX_TIMESTAMP({now}), server_id FROM {table}")
}

fn table(flags: &Flags) -> String {
    let quoted = |flag| format!("`{}`", flags.text(flag).replace('`', "``"));
    format!("{}.{}", quoted(&DATABASE), quoted(&TABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let flags = Flags::new([(&DATABASE, "a`b"), (&UTC, "true")]);
        assert_eq!(
            sql(&flags),
            "SELECT UNIX_TIMESTAMP(ts), UNIX_TIMESTAMP(UTC_TIMESTAMP(6)), server_id FROM \
             `a``b`.`heartbeat`"
        );
    }
}
