//! The node exporter behind mutual TLS: who is let in, and who is not.

#![allow(clippy::unwrap_used, reason = "in a test a panic is how a failure is told")]

use exporter_core::testing::mutual_tls::Scene;

const BINARY: &str = env!("CARGO_BIN_EXE_node-exporter");

#[test]
fn one_client_is_let_in_and_all_others_are_refused_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    Scene::new(BINARY, &[], dir.path()).knock();
}

#[test]
fn prometheus_scrapes_over_mutual_tls() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::new(BINARY, &[], dir.path());
    scene.scrape(dir.path());
}
