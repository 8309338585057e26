//! Semi-synchronous replication: the `Rpl_semi_sync_` variables of `SHOW GLOBAL STATUS`, whose
//! names depend on the version.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "semi_sync",
        "Semi-synchronous replication, on sources and replicas",
        |db, _| Ok(Source::asynchronous(SemiSync(db.clone()))),
    )
    .off_by_default()
    .reads(&["SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_%'"])
    .metrics(&[&ACTIVE, &REPLICAS, &WAITING, &TRANSACTIONS, &FALLBACKS, &WAITS, &WAITED]),
    privileges: |_, _| Vec::new(),
};

static ACTIVE: Desc<1> = Desc::gauge(
    "mysql_semi_sync_active",
    "Whether semi-synchronous replication is active, by role of the server. A source switches to \
     asynchronous replication when no replica acknowledges in time.",
    ["role"],
);
static REPLICAS: Desc = Desc::gauge(
    "mysql_semi_sync_replicas",
    "Semi-synchronous replicas connected to this source.",
    [],
);
static WAITING: Desc = Desc::gauge(
    "mysql_semi_sync_waiting_sessions",
    "Sessions that wait for an acknowledgement.",
    [],
);
static TRANSACTIONS: Desc<1> = Desc::counter(
    "mysql_semi_sync_transactions_total",
    "Transactions committed by this source, by whether a replica acknowledged them in time.",
    ["acknowledged"],
);
static FALLBACKS: Desc = Desc::counter(
    "mysql_semi_sync_fallbacks_total",
    "Number of times that this source switched to asynchronous replication.",
    [],
);
static WAITS: Desc = Desc::counter(
    "mysql_semi_sync_waits_total",
    "Transactions of this source that waited for an acknowledgement.",
    [],
);
static WAITED: Desc = Desc::counter(
    "mysql_semi_sync_wait_seconds_total",
    "Time that transactions of this source waited for acknowledgements.",
    [],
);

struct SemiSync(Db);

#[async_trait]
impl AsyncCollector for SemiSync {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        write(out, &self.0.query(r"SHOW GLOBAL STATUS LIKE 'Rpl\_semi\_sync\_%'").await?)
    }
}

// MySQL 8.0.26 and later have plugins with the terms source and replica.
const SOURCE: [&str; 2] = ["source", "master"];
const REPLICA: [&str; 2] = ["replica", "slave"];

fn write(out: &mut Families, result_set: &ResultSet) -> Result<(), Error> {
    if result_set.rows.is_empty() {
        return Err(Error::Absent("semi-synchronous replication"));
    }
    let text = |names: [&str; 2], variable: &str| {
        names.into_iter().find_map(|role| {
            let name = format!("Rpl_semi_sync_{role}_{variable}");
            let row = result_set.variable(&name)?;
            Some(row.text(1))
        })
    };
    let mut active = out.family(&ACTIVE);
    for (role, names) in [("source", SOURCE), ("replica", REPLICA)] {
        if let Some(status) = text(names, "status") {
            active.sample([role], f64::from(u8::from(status == "ON")));
        }
    }
    let number = |variable: &str| text(SOURCE, variable)?.parse::<f64>().ok();
    let mut transactions = out.family(&TRANSACTIONS);
    for (acknowledged, variable) in [("yes", "yes_tx"), ("no", "no_tx")] {
        if let Some(count) = number(variable) {
            transactions.sample([acknowledged], count);
        }
    }
    for (desc, value) in [
        (&REPLICAS, number("clients")),
        (&WAITING, number("wait_sessions")),
        (&FALLBACKS, number("no_times")),
        (&WAITS, number("tx_waits")),
        (&WAITED, number("tx_wait_time").map(|microseconds| microseconds / 1e6)),
    ] {
        if let Some(value) = value {
            out.family(desc).sample([], value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;
    use crate::db::Row;

    fn page(variables: &[[&str; 2]]) -> String {
        let rows = variables.iter().map(|row| Row::from_values(row)).collect();
        let mut out = Families::default();
        write(&mut out, &ResultSet { columns: Vec::new(), rows }).unwrap();
        String::from_utf8(testing::page(&[out])).unwrap()
    }

    #[test]
    fn current_and_former_names_are_read() {
        let pages = [["source", "replica"], ["master", "slave"]].map(|[source, replica]| {
            let variables = [
                (source, "clients", "1"),
                (source, "no_times", "2"),
                (source, "no_tx", "3"),
                (source, "status", "ON"),
                (source, "tx_wait_time", "5673"),
                (source, "tx_waits", "4"),
                (source, "wait_sessions", "5"),
                (source, "yes_tx", "6"),
                (replica, "status", "OFF"),
            ];
            let variables = variables
                .map(|(role, name, value)| (format!("Rpl_semi_sync_{role}_{name}"), value));
            let rows: Vec<_> =
                variables.iter().map(|(name, value)| [name.as_str(), *value]).collect();
            page(&rows)
        });
        assert_eq!(pages[0], pages[1]);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/semi_sync.prom");
        testing::golden(path, &pages[0]);
        testing::declared_is_exposed(&COLLECTOR.definition, &pages[0]);
    }

    #[test]
    fn a_replica_has_no_series_of_a_source() {
        let page = page(&[["Rpl_semi_sync_replica_status", "ON"]]);
        let series: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(series, ["mysql_semi_sync_active{role=\"replica\"} 1"]);
    }
}
