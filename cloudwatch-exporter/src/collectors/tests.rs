use exporter_core::testing;

use super::*;

#[test]
fn the_reference_of_flags_is_current() {
    testing::manual(&crate::PROGRAM, concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging"));
}

#[test]
fn the_reference_is_current() {
    let page = testing::reference("Metrics of the CloudWatch exporter", ALL);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics/cloudwatch.md");
    testing::golden(path, &page);
}
