//! The lag from the status of a replica, for servers without timestamps of transactions.

use std::collections::HashMap;

use exporter_core::families::Families;

use super::last_known::LastKnown;
use super::metrics::{LAG, PENDING};
use crate::collectors::slave_status::gtids;
use crate::db::{ResultSet, Row};

pub(super) fn write(out: &mut Families, result_set: &ResultSet, last_known: &mut LastKnown) {
    let names: Vec<_> = result_set.rows.iter().map(|row| channel(result_set, row)).collect();
    last_known.retain(&names);
    let mut family = out.family(&LAG);
    for (row, name) in result_set.rows.iter().zip(&names) {
        let reported = first_value_by_name(
            result_set,
            row,
            ["Seconds_Behind_Master", "Seconds_Behind_Source"],
        );
        let reported = reported.and_then(|lag| lag.parse().ok());
        if let Some(lag) = last_known.lag(name, reported) {
            family.sample([name], lag);
        }
    }
    let mut family = out.family(&PENDING);
    for (row, name) in result_set.rows.iter().zip(&names) {
        let value = |name| result_set.value_by_name(row, name).unwrap_or_default();
        if let Some(pending) = pending(value("Gtid_IO_Pos"), value("Gtid_Slave_Pos")) {
            family.sample([name], pending);
        }
    }
}

/// The name of a channel, which MariaDB calls a connection.
fn channel<'a>(result_set: &'a ResultSet, row: &'a Row) -> &'a str {
    first_value_by_name(result_set, row, ["Connection_name", "Channel_Name"]).unwrap_or_default()
}

fn first_value_by_name<'a>(
    result_set: &'a ResultSet,
    row: &'a Row,
    names: [&str; 2],
) -> Option<&'a str> {
    names.iter().find_map(|name| result_set.value_by_name(row, name))
}

/// The number of transactions received but not applied, from the positions in each domain. `None`
/// without GTIDs.
fn pending(received: &str, applied: &str) -> Option<f64> {
    let mut positions = HashMap::new();
    for (domain, _, sequence) in gtids(applied) {
        positions.entry(domain).or_insert(sequence);
    }
    let behind = gtids(received).map(|(domain, _, sequence)| {
        (sequence - positions.get(domain).copied().unwrap_or_default()).max(0.0)
    });
    behind.reduce(|sum, transactions| sum + transactions)
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;

    #[test]
    fn a_status_has_lag_and_pending_transactions() {
        let result_set = ResultSet {
            columns: ["Connection_name", "Seconds_Behind_Master", "Gtid_IO_Pos", "Gtid_Slave_Pos"]
                .map(str::to_owned)
                .to_vec(),
            rows: vec![
                Row::from_values(&["a", "3", "1-11-9", "1-11-7,2-12-4"]),
                Row::from_values(&["b", "", "", "1-11-7,2-12-4"]),
            ],
        };
        let mut out = Families::default();
        write(&mut out, &result_set, &mut LastKnown::default());
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        let series: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            series,
            [
                "mysql_replica_lag_seconds{channel=\"a\"} 3",
                "mysql_replica_pending_transactions{channel=\"a\"} 2"
            ]
        );
    }

    #[test]
    fn pending_transactions_are_counted_by_domain() {
        for (received, applied, count) in [
            ("1-11-9", "1-11-7", Some(2.0)),
            ("1-11-9,2-12-5", "1-11-9,2-13-4,3-1-100", Some(1.0)),
            ("1-11-9", "1-12-10", Some(0.0)),
            ("1-11-9", "", Some(9.0)),
            ("", "1-11-9", None),
        ] {
            assert_eq!(pending(received, applied), count, "{received} {applied}");
        }
    }
}
