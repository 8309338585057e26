//! The MySQL exporter behind mutual TLS: who is let in, and who is not. Whether a server answers
//! makes no difference to that.

use exporter_core::testing::mutual_tls::Scene;

const BINARY: &str = env!("CARGO_BIN_EXE_mysql-exporter");
const FLAGS: [&str; 2] = ["--mysqld.username=nobody", "--mysqld.address=127.0.0.1:1"];

#[test]
fn one_client_is_let_in_and_all_others_are_refused_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    Scene::new(BINARY, &FLAGS, dir.path()).knock();
}

#[test]
fn prometheus_scrapes_over_mutual_tls() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::new(BINARY, &FLAGS, dir.path());
    scene.scrape(dir.path());
}
