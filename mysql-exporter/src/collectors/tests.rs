//! Tests of all collectors, and helpers for tests of single ones.

use std::collections::HashSet;

use exporter_core::families::Families;
use exporter_core::testing;

use super::*;
use crate::db::{ResultSet, Row};

/// A result set without column names.
pub(super) fn result_set(rows: &[&[&str]]) -> ResultSet {
    let rows = rows.iter().map(|row| Row::from_values(row)).collect();
    ResultSet { columns: Vec::new(), rows }
}

/// Asserts that the output of `write` equals the golden file of the collector, and contains all families
/// that the collector declares.
pub(super) fn assert_golden(
    collector: &MysqlCollector,
    rows: &[&[&str]],
    write: impl FnOnce(&mut Families, &ResultSet),
) {
    let page = assert_golden_variant(collector, "", rows, write);
    testing::declared_is_exposed(&collector.definition, &page);
}

/// Like [`assert_golden`], with another golden file, and without checking that all families exist.
pub(super) fn assert_golden_variant(
    collector: &MysqlCollector,
    suffix: &str,
    rows: &[&[&str]],
    write: impl FnOnce(&mut Families, &ResultSet),
) -> String {
    let mut out = Families::default();
    write(&mut out, &result_set(rows));
    let page = String::from_utf8(testing::page(&[out])).unwrap();
    let dot = if suffix.is_empty() { "" } else { "." };
    let name = collector.definition.name;
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    testing::golden(format!("{golden}/{name}{dot}{suffix}.prom"), &page);
    page
}

#[test]
fn names_are_sorted_and_unique() {
    let names: Vec<_> = ALL.iter().map(|def| def.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[test]
fn no_two_collectors_have_the_same_metric() {
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
fn the_same_collectors_as_in_mysqld_exporter_are_on_by_default() {
    let enabled: Vec<_> = ALL.iter().filter(|def| def.on_by_default).map(|def| def.name).collect();
    assert_eq!(
        enabled,
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
