//! The examples, run and scraped.

#![expect(clippy::disallowed_methods, reason = "a test runs the programs that it tests")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, thread, time::Duration};

use exporter_core::testing::{Exporter, PATIENCE, get, skip};

/// The program of an example, which cargo builds beside the tests.
fn example(name: &str) -> Option<PathBuf> {
    let test = env::current_exe().unwrap();
    let path = test.parent()?.parent()?.join("examples").join(name);
    if path.exists() {
        return Some(path);
    }
    skip("the examples are not built; `cargo test` without `--test` builds them");
    None
}

/// Kills its program when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The page of an example that takes its address as an argument.
fn page(name: &str) -> Option<String> {
    let path = example(name)?;
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let child = Command::new(path).arg(address.to_string()).stderr(Stdio::null()).spawn();
    let _running = Running(child.unwrap());
    let since = std::time::Instant::now();
    loop {
        if let Ok(stream) = TcpStream::connect(address) {
            return Some(get(stream, "/metrics", &[]).unwrap().body);
        }
        assert!(since.elapsed() < PATIENCE, "{name} does not listen");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn basic() {
    let Some(page) = page("basic") else { return };
    assert!(page.contains("app_jobs_total{result=\"ok\"} 1\n"), "{page}");
    assert!(page.contains("app_jobs_queued 3\n"), "{page}");
}

#[test]
fn operator() {
    let Some(page) = page("operator") else { return };
    assert!(page.contains("app_object_info{object=\"api\",team=\"platform\"} 1\n"), "{page}");
    assert!(page.contains("{object=\"db\",team=\"data\",tier=\"1\"} 1\n"), "{page}");
}

#[test]
fn exporter() {
    let Some(path) = example("exporter") else { return };
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("--target={}", port.local_addr().unwrap());
    let exporter = Exporter::start(path.to_str().unwrap(), &[&target], dir.path());
    let page = exporter.get("/metrics").body;
    assert!(page.contains(&format!("port_up{{target=\"{}\"}} 1\n", port.local_addr().unwrap())));
    assert!(page.contains("exporter_collector_success{collector=\"ports\"} 1\n"), "{page}");
    assert!(page.contains("exporter_build_info{program=\"port-exporter\",version="), "{page}");
}
