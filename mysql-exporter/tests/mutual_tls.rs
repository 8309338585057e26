//! The MySQL exporter with mutual TLS: accepted and rejected clients. The MySQL server is down.

use exporter_core::testing::mutual_tls::Setup;

const BINARY: &str = env!("CARGO_BIN_EXE_mysql-exporter");
const FLAGS: [&str; 2] = ["--mysqld.username=nobody", "--mysqld.address=127.0.0.1:1"];

#[test]
fn mutual_tls_accepts_one_client_and_counts_rejections() {
    let dir = tempfile::tempdir().unwrap();
    Setup::new(BINARY, &FLAGS, dir.path()).connect_as_each_client();
}

#[test]
fn prometheus_scrapes_over_mutual_tls() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup::new(BINARY, &FLAGS, dir.path());
    setup.scrape(dir.path());
}
