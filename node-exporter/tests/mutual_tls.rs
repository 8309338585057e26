//! The node exporter with mutual TLS: accepted and rejected clients.

#![allow(clippy::unwrap_used, reason = "tests fail by a panic")]

use exporter_core::testing::mutual_tls::Setup;

const BINARY: &str = env!("CARGO_BIN_EXE_node-exporter");

#[test]
fn mutual_tls_accepts_one_client_and_counts_rejections() {
    let dir = tempfile::tempdir().unwrap();
    Setup::new(BINARY, &[], dir.path()).connect_as_each_client();
}

#[test]
fn prometheus_scrapes_over_mutual_tls() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::new(BINARY, &[], dir.path());
    setup.scrape(dir.path());
}
