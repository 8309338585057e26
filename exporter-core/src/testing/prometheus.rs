//! A real Prometheus, if one is installed.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::{self, MAX_WAIT};
use super::skip::skip;

/// Finds an optional program: the path in `variable`, or a program in `PATH`. The test is skipped
/// without it.
#[expect(clippy::disallowed_methods, reason = "asks whether a program of a test is there")]
pub fn tool(variable: &str, name: &str) -> Option<String> {
    let program = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    let found = Command::new(&program).arg("--version").output().is_ok();
    if !found {
        skip(&format!("no {name} in ${variable} or PATH"));
    }
    found.then_some(program)
}

/// Checks that `promtool check metrics` accepts a page of the text format and finds nothing to
/// complain about in its names. Skipped without promtool.
#[expect(clippy::disallowed_methods, reason = "a test runs the program that reads ours")]
pub fn check_with_promtool(page: &str) {
    let Some(promtool) = tool("PROMTOOL", "promtool") else { return };
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("promtool starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    stdin.write_all(page.as_bytes()).expect("promtool reads all of it");
    drop(stdin);
    let output = child.wait_with_output().expect("promtool ends");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool: {complaints}\n{page}");
}

/// A running Prometheus. It is killed when this is dropped.
#[derive(Debug)]
pub struct Prometheus {
    child: Child,
    port: u16,
}

impl Prometheus {
    /// Starts Prometheus with this configuration, and its files in `dir`; `None` if not installed.
    #[expect(clippy::disallowed_methods, reason = "a test runs the program that reads ours")]
    pub fn start(dir: &Path, configuration: &str, flags: &[&str]) -> Option<Self> {
        let program = tool("PROMETHEUS", "prometheus")?;
        let file = dir.join("prometheus.yml");
        fs::write(&file, configuration).expect("the test's directory takes files");
        let port = program::free_port();
        let log = File::create(dir.join("prometheus.log")).expect("the directory takes files");
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", dir.join("prometheus-data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(flags)
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .expect("Prometheus starts");
        Some(Self { child, port })
    }

    /// Waits until `query` has a result for each of `jobs`, and returns the values by job.
    pub fn wait_for(&self, query: &str, jobs: &[&str]) -> Vec<f64> {
        let since = Instant::now();
        loop {
            let values = self.query(query);
            let value = |job: &&str| values.iter().find(|(name, _)| name == job).map(|(_, v)| *v);
            if let Some(values) = jobs.iter().map(value).collect() {
                return values;
            }
            assert!(since.elapsed() < MAX_WAIT, "{query} has only {values:?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The values of `query` by their `job` label; `None` while Prometheus is starting.
    pub fn query(&self, query: &str) -> Vec<(String, f64)> {
        let answer = self.ask(query).unwrap_or_default();
        let rows = answer.pointer("/data/result").and_then(Value::as_array).cloned();
        let rows = rows.unwrap_or_default();
        let row = |row: &Value| {
            let job = row.pointer("/metric/job").and_then(Value::as_str).unwrap_or_default();
            let value = row.pointer("/value/1")?.as_str()?.parse().ok()?;
            Some((job.to_owned(), value))
        };
        rows.iter().filter_map(row).collect()
    }

    fn ask(&self, query: &str) -> Option<Value> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let mut path = "/api/v1/query?query=".to_owned();
        for byte in query.bytes() {
            write!(path, "%{byte:02x}").expect("writing to a string does not fail");
        }
        let answer = program::get(stream, &path, &[]).ok()?;
        // The body may be chunked: the document is the text between the outermost braces.
        let body = &answer.body;
        let document = body.get(body.find('{')?..=body.rfind('}')?)?;
        serde_json::from_str(document).ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
