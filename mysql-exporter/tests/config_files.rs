//! The option file: what is no regular file is refused, at the start and at a reload.

use exporter_core::testing::special_files;

const BINARY: &str = env!("CARGO_BIN_EXE_mysql-exporter");

#[test]
fn an_option_file_that_is_no_regular_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("my.cnf");
    let flag = format!("--config.my-cnf={}", file.display());
    let good = "[client]\nuser=nobody\nport=1\n";
    special_files(BINARY, &[&flag], &[], &file, good, "option file read again");
}
