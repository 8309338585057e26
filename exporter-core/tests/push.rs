//! Pushes to a real Pushgateway.

#![expect(clippy::disallowed_methods, reason = "a test runs the programs that it tests")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;
use std::{env, io::Read, io::Write, thread};

use exporter_core::instrument::{Counter, Gauge, Metric};
use exporter_core::push::{Group, PushError, Pushgateway};
use exporter_core::testing::{Authority, Exporter, Kind, check_with_promtool, skip, tool};
use tempfile::TempDir;

static ROWS: Metric<Counter> = Metric::counter("push_rows_total", "Rows.");
static SIZE: Metric<Gauge> = Metric::gauge("push_size_bytes", "Bytes.");

/// A Pushgateway on a port of its own, killed when it is dropped.
struct Gateway {
    program: Exporter,
    _log: TempDir,
}

impl Gateway {
    fn start(flags: &[String]) -> Option<Self> {
        let program = tool("PUSHGATEWAY", "prometheus-pushgateway")?;
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        let log = tempfile::tempdir().unwrap();
        Some(Self { program: Exporter::start(&program, &flags, log.path()), _log: log })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.program.port)
    }

    fn page(&self) -> String {
        let mut response = ureq::get(format!("{}/metrics", self.url())).call().unwrap();
        response.body_mut().read_to_string().unwrap()
    }

    /// The value of a series of a job.
    fn value(&self, name: &str, job: &str) -> Option<f64> {
        let page = self.page();
        let job = format!("job=\"{job}\"");
        let mut lines = page.lines().filter(|line| line.starts_with(&format!("{name}{{")));
        lines.find(|line| line.contains(&job))?.rsplit_once(' ')?.1.parse().ok()
    }
}

fn group(gateway: &Gateway, job: &str) -> Group {
    Pushgateway::builder(gateway.url()).build().unwrap().group(job)
}

#[test]
fn metrics_are_pushed_added_and_deleted() {
    let Some(gateway) = Gateway::start(&[]) else { return };
    let group = group(&gateway, "a/b").label("path", "/var/tmp").label("empty", "");
    ROWS.inc_by(3);
    SIZE.set(7.5);
    group.push(&[&ROWS, &SIZE]).unwrap();
    assert_eq!(gateway.value("push_rows_total", "a/b"), Some(3.0));
    assert!(gateway.page().contains("path=\"/var/tmp\""), "{}", gateway.page());

    SIZE.set(8.0);
    group.add(&[&SIZE]).unwrap();
    assert_eq!(
        gateway.value("push_rows_total", "a/b"),
        Some(3.0),
        "what is added replaces nothing"
    );
    assert_eq!(gateway.value("push_size_bytes", "a/b"), Some(8.0));

    group.push(&[&SIZE]).unwrap();
    assert_eq!(gateway.value("push_rows_total", "a/b"), None, "what is pushed replaces the group");

    group.delete().unwrap();
    assert_eq!(gateway.value("push_size_bytes", "a/b"), None);
}

#[test]
fn a_failed_run_keeps_the_time_of_the_last_success() {
    let Some(gateway) = Gateway::start(&[]) else { return };
    let group = group(&gateway, "nightly");
    group.run(&[&SIZE]).succeeded().unwrap();
    let success = gateway.value("job_last_success_timestamp_seconds", "nightly").unwrap();
    let first = gateway.value("job_last_run_timestamp_seconds", "nightly").unwrap();
    drop(group.run(&[&SIZE]));
    assert_eq!(gateway.value("job_last_success_timestamp_seconds", "nightly"), Some(success));
    assert!(gateway.value("job_last_run_timestamp_seconds", "nightly").unwrap() > first);
    assert!(gateway.value("job_duration_seconds", "nightly").is_some());
}

#[test]
fn a_gateway_behind_mutual_tls_and_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new(dir.path(), "ca");
    let server = authority.issue(dir.path(), "server", Kind::Server, &["127.0.0.1"]);
    let client = authority.issue(dir.path(), "client", Kind::Client, &["job.example"]);
    // The password is "secret", at the lowest cost.
    let configuration = format!(
        "tls_server_config:\n  cert_file: {}\n  key_file: {}\n  client_ca_file: {}\n  \
         client_auth_type: RequireAndVerifyClientCert\nbasic_auth_users:\n  job: \
         $2b$04$I2VGj8FGKcRuhFCWdSdIPOjklm3r7FQow3HbZ62n2.2DUHn5bj1RO\n",
        server.certificate.display(),
        server.key.display(),
        authority.certificate.display(),
    );
    let file = dir.path().join("web.yml");
    fs::write(&file, configuration).unwrap();
    let Some(gateway) = Gateway::start(&[format!("--web.config.file={}", file.display())]) else {
        return;
    };
    let read = |path: &Path| fs::read(path).unwrap();
    let builder = || {
        Pushgateway::builder(format!("https://127.0.0.1:{}", gateway.program.port))
            .ca_pem(read(&authority.certificate))
            .retries(0)
    };
    let shown = || builder().identity_pem(read(&client.certificate), read(&client.key));

    let push = |builder: exporter_core::push::Builder| {
        builder.build().unwrap().group("tls").push(&[&SIZE])
    };
    push(shown().basic_auth("job", "secret")).unwrap();
    let error = push(shown().basic_auth("job", "wrong")).unwrap_err();
    assert!(matches!(error, PushError::Refused { status: 401, .. }), "{error}");
    assert!(!error.to_string().contains("wrong"), "{error}");
    let error = push(builder().basic_auth("job", "secret")).unwrap_err();
    assert!(matches!(error, PushError::Connect { .. }), "without a certificate: {error}");
    let stranger = Authority::new(dir.path(), "stranger");
    let error = push(shown().ca_pem(read(&stranger.certificate))).unwrap_err();
    assert!(matches!(error, PushError::Connect { .. }), "of another authority: {error}");
}

#[test]
fn errors_of_the_gateway_are_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for answer in ["503 Service Unavailable", "200 OK", "400 Bad Request"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            sender.send(answer).unwrap();
            let answer =
                format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 4\r\n\r\nno.\n");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let gateway = Pushgateway::builder(url).retries(2).build().unwrap();
    gateway.group("retry").push(&[&SIZE]).unwrap();
    let error = gateway.group("retry").push(&[&SIZE]).unwrap_err();
    assert!(error.to_string().ends_with("with status 400: no."), "{error}");
    assert_eq!(requests.try_iter().count(), 3, "what is refused is not tried again");
}

#[test]
fn an_unreachable_gateway_is_an_error() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let builder = Pushgateway::builder(&url).retries(1).timeout(Duration::from_secs(5));
    let error = builder.build().unwrap().group("none").push(&[&SIZE]).unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains(&url), "{error}");
}

#[test]
fn invalid_pem_is_an_error() {
    let builder = || Pushgateway::builder("https://push.example.org");
    let error = builder().ca_pem("no certificate").build().unwrap_err();
    assert!(error.to_string().starts_with("the authority: "), "{error}");
    let error = builder().identity_pem("", "no key").build().unwrap_err();
    assert!(!error.to_string().contains("no key"), "{error}");
}

#[test]
fn the_batch_example_pushes_its_metrics() {
    let Some(gateway) = Gateway::start(&[]) else { return };
    let Some(program) = example("batch") else { return };
    let output = Command::new(program).arg(gateway.url()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(gateway.value("backup_files_total", "backup"), Some(3.0));
    assert_eq!(gateway.value("backup_size_bytes", "backup"), Some(1590.0));
    assert!(gateway.value("job_last_success_timestamp_seconds", "backup").is_some());
    check_with_promtool(&gateway.page());
}

/// The program of an example, which cargo builds beside the tests.
fn example(name: &str) -> Option<PathBuf> {
    let test = env::current_exe().unwrap();
    let path = test.parent()?.parent()?.join("examples").join(name);
    if path.exists() {
        return Some(path);
    }
    skip("the examples are not built; `cargo test` without `--test` or a name builds them");
    None
}
