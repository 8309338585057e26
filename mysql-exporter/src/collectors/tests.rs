//! What holds for every collector.

use std::collections::HashSet;

use exporter_core::families::Families;
use exporter_core::testing;

use super::*;
use crate::db::{ResultSet, Row};

/// Rows as a server sends them. The columns have no names.
pub(super) fn result_set(rows: &[&[&str]]) -> ResultSet {
    let rows = rows.iter().map(|row| Row::of(row)).collect();
    ResultSet { columns: Vec::new(), rows }
}

/// Compares what `write` makes of rows with the golden file of the collector. It has to expose all
/// that the collector declares.
pub(super) fn exposed(
    query: &Query,
    rows: &[&[&str]],
    write: impl FnOnce(&mut Families, &ResultSet),
) {
    let page = exposed_as(query, "", rows, write);
    testing::declared_is_exposed(&query.definition, &page);
}

/// The same with another golden file, and perhaps not all families.
pub(super) fn exposed_as(
    query: &Query,
    suffix: &str,
    rows: &[&[&str]],
    write: impl FnOnce(&mut Families, &ResultSet),
) -> String {
    let mut out = Families::default();
    write(&mut out, &result_set(rows));
    let page = String::from_utf8(testing::page(&[out])).unwrap();
    let dot = if suffix.is_empty() { "" } else { "." };
    let name = query.definition.name;
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    testing::golden(format!("{golden}/{name}{dot}{suffix}.prom"), &page);
    page
}

#[test]
fn names_are_in_order_and_differ() {
    let names: Vec<_> = ALL.iter().map(|def| def.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[test]
fn each_has_metrics_of_its_own() {
    let mut seen = HashSet::new();
    for def in ALL {
        for metric in def.metrics {
            metric.describe(&mut |entry| {
                assert!(entry.name.starts_with("mysql_"), "{}: {}", def.name, entry.name);
                assert!(seen.insert(entry.name.to_owned()), "{}: {} again", def.name, entry.name);
            });
        }
    }
}

#[test]
fn the_default_set_is_the_predecessors() {
    let on: Vec<_> = ALL.iter().filter(|def| def.on_by_default).map(|def| def.name).collect();
    assert_eq!(
        on,
        [
            "global_status",
            "global_variables",
            "info_schema.innodb_cmp",
            "info_schema.innodb_cmpmem",
            "info_schema.query_response_time",
            "slave_status",
        ]
    );
}

#[test]
fn the_reference_of_flags_is_current() {
    testing::manual(&crate::PROGRAM, concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging"));
}

#[test]
fn the_reference_is_current() {
    let page = testing::reference("Metrics of the MySQL exporter", ALL);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics/mysql.md");
    testing::golden(path, &page);
}
