//! The transactions of a server by their global identifiers: `@@gtid_executed` on MySQL,
//! `@@gtid_binlog_pos` and `@@gtid_slave_pos` on MariaDB.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use super::slave_status::gtids;
use crate::db::{Db, ResultSet};

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new("binlog_gtid", "Sizes and positions of GTID sets", |db, _| {
        Ok(Source::asynchronous(BinlogGtid(db.clone())))
    })
    .off_by_default()
    .reads(&["@@gtid_executed", "@@gtid_purged", "@@gtid_binlog_pos", "@@gtid_slave_pos"])
    .metrics(&[&EXECUTED, &INTERVALS, &PURGED, &BINLOG, &REPLICATED]),
    privileges: |_, _| Vec::new(),
};

static EXECUTED: Desc<1> = Desc::gauge(
    "mysql_gtid_executed_transactions",
    "Transactions in gtid_executed, by source. MySQL only.",
    ["source"],
);
static INTERVALS: Desc<1> = Desc::gauge(
    "mysql_gtid_executed_intervals",
    "Intervals in gtid_executed, by source. More than one means that transactions are missing. \
     MySQL only.",
    ["source"],
);
static PURGED: Desc<1> = Desc::gauge(
    "mysql_gtid_purged_transactions",
    "Transactions in gtid_purged, which are in no binary log any more, by source. MySQL only.",
    ["source"],
);
static BINLOG: Desc<2> = Desc::gauge(
    "mysql_gtid_binlog_sequence",
    "Sequence number of the last transaction of a domain in the binary log. MariaDB only.",
    ["domain_id", "server_id"],
);
static REPLICATED: Desc<2> = Desc::gauge(
    "mysql_gtid_replica_sequence",
    "Sequence number of the last replicated transaction of a domain. MariaDB only.",
    ["domain_id", "server_id"],
);

/// The maximum number of sources or domains.
const LIMIT: usize = 200;

struct BinlogGtid(Db);

#[async_trait]
impl AsyncCollector for BinlogGtid {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        let server = session.server();
        if server.is_mariadb() {
            let sql = "SELECT @@gtid_binlog_pos, @@gtid_slave_pos";
            write_positions(out, &session.query(sql).await?);
        } else if server.is_mysql_since((5, 6, 5)) {
            let sql = "SELECT @@global.gtid_executed, @@global.gtid_purged";
            write_sets(out, &session.query(sql).await?);
        } else {
            return Err(Error::Absent("GTIDs"));
        }
        Ok(())
    }
}

/// Writes the GTID sets of MySQL.
fn write_sets(out: &mut Families, result_set: &ResultSet) {
    let Some(row) = result_set.rows.first() else { return };
    let executed = sources(row.text(0));
    let mut family = out.family(&EXECUTED);
    for source in &executed {
        family.sample([&source.name], source.transactions as f64);
    }
    let mut family = out.family(&INTERVALS);
    for source in &executed {
        family.sample([&source.name], source.intervals as f64);
    }
    let mut family = out.family(&PURGED);
    for source in sources(row.text(1)) {
        family.sample([&source.name], source.transactions as f64);
    }
}

/// Writes the GTID positions of MariaDB.
fn write_positions(out: &mut Families, result_set: &ResultSet) {
    let Some(row) = result_set.rows.first() else { return };
    for (desc, column) in [(&BINLOG, 0), (&REPLICATED, 1)] {
        let mut family = out.family(desc);
        for (domain, server, sequence) in gtids(row.text(column)).take(LIMIT) {
            family.sample([domain, server], sequence);
        }
    }
}

/// The transactions of a source, or of a tag of a source, in a GTID set.
#[derive(Debug, PartialEq, Eq)]
struct SourceSet {
    /// `uuid`, or `uuid:tag`.
    name: String,
    transactions: u64,
    intervals: u64,
}

/// Parses a set such as `uuid:1-5:8,uuid:tag:1-3`.
fn sources(set: &str) -> Vec<SourceSet> {
    let mut sources: Vec<SourceSet> = Vec::new();
    for part in set.split(',') {
        let mut words = part.trim().split(':');
        let Some(uuid) = words.next().filter(|uuid| !uuid.is_empty()) else { continue };
        // A tag applies to the intervals after it.
        let mut name = uuid.to_owned();
        for word in words {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else {
                name = format!("{uuid}:{word}");
                continue;
            };
            let transactions = last.saturating_sub(first).saturating_add(1);
            if sources.last().is_none_or(|source| source.name != name) {
                if sources.len() == LIMIT {
                    return sources;
                }
                sources.push(SourceSet { name: name.clone(), transactions: 0, intervals: 0 });
            }
            if let Some(source) = sources.last_mut() {
                source.transactions = source.transactions.saturating_add(transactions);
                source.intervals += 1;
            }
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::tests::assert_golden_variant;

    const UUID: &str = "a31ef4b9-e906-11f1-8abb-02fc00000001";

    #[test]
    fn sets_are_counted() {
        let source = |name: &str, transactions, intervals| SourceSet {
            name: name.into(),
            transactions,
            intervals,
        };
        for (set, expected) in [
            ("", vec![]),
            ("a:1-5", vec![source("a", 5, 1)]),
            ("a:7", vec![source("a", 1, 1)]),
            ("a:1-5:7-8:10,\nb:1", vec![source("a", 8, 3), source("b", 1, 1)]),
            ("a:1-2:tag:1-3:9", vec![source("a", 2, 1), source("a:tag", 4, 2)]),
            ("a:9-1", vec![source("a", 1, 1)]),
            ("a:0-18446744073709551615", vec![source("a", u64::MAX, 1)]),
            (":1-2,x", vec![]),
        ] {
            assert_eq!(sources(set), expected, "{set}");
        }
    }

    #[test]
    fn both_flavours_are_exposed() {
        let executed = format!("{UUID}:1-5:7");
        let purged = format!("{UUID}:1-2");
        assert_golden_variant(&COLLECTOR, "mysql", &[&[&executed, &purged]], write_sets);
        assert_golden_variant(
            &COLLECTOR,
            "mariadb",
            &[&["0-1-4,7-2-9", "0-1-3,x,1-2"]],
            write_positions,
        );
    }
}
