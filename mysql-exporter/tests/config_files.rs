//! The option file: special files are rejected at start and on reload.

use exporter_core::testing::special_files;

const BINARY: &str = env!("CARGO_BIN_EXE_mysql-exporter");

#[test]
fn special_files_are_rejected_as_option_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("my.cnf");
    let flag = format!("--config.my-cnf={}", file.display());
    let valid = "[client]\nuser=nobody\nport=1\n";
    special_files(BINARY, &[&flag], &[], &file, valid, "configuration reloaded");
}
