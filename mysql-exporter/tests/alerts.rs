//! The alerts of the mixin for `mysqld_exporter`, in a real Prometheus with real servers. Runs a script
//! in packaging/tests, which can also be run alone.

use std::process::Command;

use exporter_core::testing::skip;

#[test]
#[expect(clippy::disallowed_methods, reason = "a test runs programs")]
fn alerts_fire_only_on_faults() {
    let script = "test_mysql_alerts.py";
    let path = format!("{}/../packaging/tests/{script}", env!("CARGO_MANIFEST_DIR"));
    let status = Command::new("python3")
        .arg(&path)
        .arg("-v")
        .env("BINARY", env!("CARGO_BIN_EXE_mysql-exporter"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status();
    match status {
        Ok(status) => assert!(status.success(), "{script}: {status}"),
        Err(error) => skip(&format!("no python3 to run {script}: {error}")),
    }
}
