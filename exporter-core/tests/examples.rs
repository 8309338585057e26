//! The examples, run and scraped.

#![expect(clippy::disallowed_methods, reason = "a test runs the programs that it tests")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs, thread};

use exporter_core::testing::mutual_tls::Setup;
use exporter_core::testing::{
    Exporter, Prometheus, check_with_promtool, get, send_signal, skip, until,
};
use tempfile::TempDir;

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

/// Lines of code, without blank lines and comments.
#[test]
fn short_examples_stay_short() {
    for (name, most) in [("basic", 30), ("consul", 50), ("batch", 30), ("exporter", 50)] {
        let path = format!("{}/examples/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(str::trim);
        let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        assert!(code <= most, "{name}.rs has {code} lines");
    }
}

/// Kills its program when it is dropped.
struct Running(Child);

impl Running {
    fn start(program: PathBuf, arguments: &[&str]) -> Self {
        Self(Command::new(program).args(arguments).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An example that takes its address as an argument, and the directory of its log.
fn serving(name: &str) -> Option<(Exporter, TempDir)> {
    let path = example(name)?;
    let dir = tempfile::tempdir().unwrap();
    Some((Exporter::start_on_address(path.to_str().unwrap(), dir.path()), dir))
}

/// The page of an example that takes its address as an argument.
fn page(name: &str) -> Option<String> {
    let (example, _dir) = serving(name)?;
    let page = example.get("/metrics").body;
    check_with_promtool(&page);
    Some(page)
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
    check_with_promtool(&page);
}

/// A Consul agent with one node and one service, in the form of Consul's answers.
fn consul() -> SocketAddr {
    const CHECKS: &str = r#"[
        {"Node": "db1", "CheckID": "serfHealth", "Name": "Serf Health Status",
         "Status": "passing", "Notes": "", "Output": "Agent alive and reachable",
         "ServiceID": "", "ServiceName": "", "ServiceTags": [], "Type": "", "Interval": "",
         "Timeout": "", "ExposedPort": 0, "Definition": {}, "CreateIndex": 14, "ModifyIndex": 14},
        {"Node": "db1", "CheckID": "service:mysql-1", "Name": "Service 'mysql' check",
         "Status": "critical", "Notes": "", "Output": "dial tcp 127.0.0.1:3306: refused",
         "ServiceID": "mysql-1", "ServiceName": "mysql", "ServiceTags": ["primary"],
         "Type": "tcp", "Interval": "10s", "Timeout": "1s", "ExposedPort": 0, "Definition": {},
         "CreateIndex": 21, "ModifyIndex": 45}]"#;
    const NODES: &str = r#"[{"ID": "8f2a6f4e-5a0b-4c55-9d1f-6a1d2f2b8c11", "Node": "db1",
        "Address": "127.0.0.1", "Datacenter": "dc1", "TaggedAddresses": {"lan": "127.0.0.1"},
        "Meta": {"consul-network-segment": ""}, "CreateIndex": 13, "ModifyIndex": 14}]"#;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(&stream).lines().map(Result::unwrap);
            let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
            let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
            let (status, body) = match path {
                _ if !head
                    .iter()
                    .any(|line| line.eq_ignore_ascii_case("x-consul-token: t0ken")) =>
                {
                    ("403 Forbidden", "Permission denied: token with AccessorID")
                }
                "/v1/health/state/any" => ("200 OK", CHECKS),
                "/v1/catalog/nodes" => ("200 OK", NODES),
                _ => ("404 Not Found", ""),
            };
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close");
            let _ = write!(stream, "{head}\r\n\r\n{body}");
        }
    });
    address
}

#[test]
fn consul_exporter() {
    let Some(path) = example("consul") else { return };
    let (path, dir) = (path.to_str().unwrap(), tempfile::tempdir().unwrap());
    let url = format!("--consul.url=http://{}/", consul());
    let token = [("CONSUL_HTTP_TOKEN", "t0ken")];
    let page = Exporter::start_with(path, &[&url], &token, dir.path()).get("/metrics").body;
    for series in [
        "consul_up 1",
        "consul_nodes 1",
        r#"consul_check_status{node="db1",check="serfHealth",service="",status="passing"} 1"#,
        r#"consul_check_status{node="db1",check="service:mysql-1",service="mysql",status="passing"} 0"#,
        r#"consul_check_status{node="db1",check="service:mysql-1",service="mysql",status="critical"} 1"#,
        r#"exporter_collector_success{collector="consul"} 1"#,
    ] {
        assert!(page.lines().any(|line| line == series), "no {series} in {page}");
    }
    check_with_promtool(&page);

    let exporter = Exporter::start(path, &[&url], dir.path());
    let page = exporter.get("/metrics").body;
    assert!(page.contains("consul_up 0\n"), "{page}");
    assert!(page.contains("exporter_collector_success{collector=\"consul\"} 0\n"), "{page}");
    let log = exporter.log();
    assert!(log.contains("/v1/health/state/any: http status: 403"), "{log}");

    // The agent does not speak TLS.
    let https = url.replace("http:", "https:");
    let exporter = Exporter::start(path, &[&https], dir.path());
    let page = exporter.get("/metrics").body;
    let log = exporter.log();
    assert!(page.contains("consul_up 0\n"), "{page}{log}");
    assert!(!log.contains("panicked"), "{log}");

    // What every `Program` has.
    Setup::new(path, &[&url], dir.path()).connect_as_each_client();
}

#[test]
fn web_app() {
    let Some((example, _dir)) = serving("web_app") else { return };
    for (path, status) in
        [("/", 200), ("/orders/7", 200), ("/orders/8", 200), ("/orders/0", 500), ("/x/y", 404)]
    {
        assert_eq!(example.get(path).status, status, "{path}");
    }
    let page = example.get("/metrics?collect[]=app").body;
    for series in [
        r#"app_request_duration_seconds_count{route="/",status="200"} 1"#,
        r#"app_request_duration_seconds_count{route="/orders/{id}",status="200"} 2"#,
        r#"app_request_duration_seconds_bucket{route="/orders/{id}",status="500",le="+Inf"} 1"#,
        r#"app_request_duration_seconds_count{route="none",status="404"} 1"#,
        r#"app_exceptions_total{route="/orders/{id}"} 1"#,
        "app_requests_in_progress 0",
    ] {
        assert!(page.lines().any(|line| line == series), "no {series} in {page}");
    }
    assert!(page.contains("\nprocess_open_fds "), "{page}");
    check_with_promtool(&page);
}

#[test]
fn axum_app() {
    let Some((example, _dir)) = serving("axum_app") else { return };
    for (path, status) in
        [("/orders/7", 200), ("/orders/8", 200), ("/orders/0", 404), ("/x", 404), ("/y", 404)]
    {
        assert_eq!(example.get(path).status, status, "{path}");
    }
    let page = example.get("/metrics").body;
    for series in [
        r#"request_duration_seconds_count{method="GET",route="/orders/{id}",status="200"} 2"#,
        r#"request_duration_seconds_count{method="GET",route="/orders/{id}",status="404"} 1"#,
        r#"request_duration_seconds_count{method="GET",route="unmatched",status="404"} 2"#,
        r#"response_size_bytes_sum{method="GET",route="/orders/{id}",status="200"} 28"#,
        "requests_in_progress 0",
    ] {
        let line = format!("http_server_{series}");
        assert!(page.lines().any(|found| found == line), "no {line} in {page}");
    }
    check_with_promtool(&page);
}

/// The targets in the files of `dir`, by file.
fn targets(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let target = |path: PathBuf| {
        let groups: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        groups.pointer("/0/targets/0").and_then(|target| target.as_str()).unwrap().to_owned()
    };
    texts.map(target).collect()
}

#[test]
fn workers() {
    let Some(path) = example("workers") else { return };
    let (dir, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    // From a port that is taken on, with room for the range.
    let first = taken.local_addr().unwrap().port().min(65_000).to_string();
    let arguments = [files.path().to_str().unwrap(), &first];
    let workers: Vec<_> = (0..3).map(|_| Running::start(path.clone(), &arguments)).collect();
    until(|| targets(files.path()).len() == 3, || format!("{:?}", targets(files.path())));
    for target in targets(files.path()) {
        let stream = TcpStream::connect(target).unwrap();
        let page = get(stream, "/metrics", &[]).unwrap().body;
        assert!(page.contains("app_jobs_total 1\n"), "{page}");
        check_with_promtool(&page);
    }

    let configuration = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: workers\n  \
         file_sd_configs: [{{files: ['{}/*.json'], refresh_interval: 1s}}]\n",
        files.path().display()
    );
    if let Some(prometheus) = Prometheus::start(dir.path(), &configuration, &[]) {
        let sum = || prometheus.query("sum by (job) (app_jobs_total)");
        until(|| sum() == [("workers".to_owned(), 3.0)], || format!("{:?}", sum()));
    }

    let Running(worker) = workers.first().unwrap();
    send_signal(worker.id(), "TERM");
    until(|| targets(files.path()).len() == 2, || format!("{:?}", targets(files.path())));
}
