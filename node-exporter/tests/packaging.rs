//! Packaging: units under a real systemd, installation, certificates, Prometheus examples.
//!
//! The tests are scripts in packaging/tests, which can also be run alone. They use the binaries of
//! the other exporters in the same directory as this one: `cargo test --workspace` builds all of
//! them. Tests of an exporter that is missing are reported as skipped.

use std::process::Command;

use exporter_core::testing::skip;

/// Runs one script. It reports skipped tests itself, bypassing the test harness.
#[expect(clippy::disallowed_methods, reason = "a test runs programs")]
fn passes(script: &str) {
    let path = format!("{}/../packaging/tests/{script}", env!("CARGO_MANIFEST_DIR"));
    let ran = Command::new("python3")
        .arg(&path)
        .arg("-v")
        .env("BINARY", env!("CARGO_BIN_EXE_node-exporter"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status();
    match ran {
        Ok(status) => assert!(status.success(), "{script}: {status}"),
        Err(error) => skip(&format!("no python3 to run {script}: {error}")),
    }
}

#[test]
fn ansible_role() {
    passes("test_ansible.py");
}

#[test]
fn beside_node_exporter() {
    passes("test_beside_node_exporter.py");
}

#[test]
fn certificates() {
    passes("test_pki.py");
}

#[test]
fn certificates_of_running_exporters() {
    passes("test_pki_fleet.py");
}

#[test]
fn dashboards() {
    passes("test_dashboards.py");
}

#[test]
fn discovery() {
    passes("test_discovery.py");
}

#[test]
fn enrolment() {
    passes("test_enrol.py");
}

#[test]
fn enrolment_under_systemd() {
    passes("test_enrol_systemd.py");
}

#[test]
fn fleet() {
    passes("test_fleet.py");
}

#[test]
fn installation() {
    passes("test_install.py");
}

#[test]
fn landing_page() {
    passes("test_landing_page.py");
}

#[test]
fn packages() {
    passes("test_packages.py");
}

#[test]
fn prometheus_examples() {
    passes("test_prometheus.py");
}

#[test]
fn shards_and_a_store() {
    passes("test_scale_out.py");
}

#[test]
fn readme() {
    passes("test_readme.py");
}

#[test]
fn units_under_systemd() {
    passes("test_systemd.py");
}
