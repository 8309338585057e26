//! Tests of all portable collectors, on the machine of the test.

use exporter_core::collector::Error;
use exporter_core::flags::Flags;
use exporter_core::testing;

use super::*;

#[test]
fn names_are_sorted_and_unique() {
    let names: Vec<_> = ALL.iter().map(|def| def.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[test]
fn each_exposes_its_declared_metrics() {
    for def in ALL {
        let (page, result) = testing::expose(def, &(), &Flags::default());
        match result {
            Ok(()) if page.is_empty() && def.name == "diskstats" => {
                testing::skip("diskstats: no block device is mounted here");
            }
            Err(Error::Absent(what)) => testing::skip(&format!("{}: no {what} here", def.name)),
            Ok(()) => testing::declared_is_exposed(def, &page),
            Err(error) => panic!("{}: {error}", def.name),
        }
    }
}

#[test]
fn the_reference_is_current() {
    let page = testing::reference("Metrics of the portable collectors", ALL);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics/node-portable.md");
    testing::golden(path, &page);
}
