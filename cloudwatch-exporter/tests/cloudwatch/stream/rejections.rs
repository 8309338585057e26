//! Requests that are rejected, and clients that do harm.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use exporter_core::testing::until;
use fake_cloudwatch::Model;
use fake_cloudwatch::stream::{self, Format};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::sender::{KEY, Streamed};
use super::{FORMATS, job, jobs, minute};
use crate::fixture::{run, value};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn each_rejection_has_its_status() {
    let streamed = Streamed::new(Model::new(), &jobs(""));
    let key = ("x-amz-firehose-access-key", KEY);
    let gzipped = ("content-encoding", "gzip");
    let point = job("h", minute(), 1.0);
    let record = Format::Json.record(&[point]);
    let body = stream::delivery("id", std::slice::from_ref(&record));
    let bad = [vec![b'x'; 100], b"{\"namespace\":1}\n".to_vec(), vec![1, 2, 3], vec![0]];
    let one_good = stream::delivery("id", &[bad[0].clone(), bad[1].clone(), record]);
    let large = vec![b' '; (8 << 20) + 1];
    for (headers, body, expected, reason) in [
        (vec![], &body, 401, "no_key"),
        (vec![("x-amz-firehose-access-key", "")], &body, 401, "wrong_key"),
        (vec![("x-amz-firehose-access-key", &KEY[1..])], &body, 401, "wrong_key"),
        (vec![], &large, 401, "no_key"),
        (vec![key, ("content-encoding", "br")], &body, 415, "encoding"),
        (vec![key, gzipped], &body, 400, "malformed"),
        (vec![key, gzipped], &gzip(&body)[..40].to_vec(), 400, "malformed"),
        (vec![key], &b"{}".to_vec(), 400, "malformed"),
        (vec![key], &body[..body.len() - 2].to_vec(), 400, "malformed"),
        (vec![key], &b"{\"records\": [{\"data\": \"!\"}]}".to_vec(), 400, "malformed"),
        (vec![key], &stream::delivery("id", &bad), 400, "malformed"),
        (vec![key], &large, 413, "too_large"),
        (vec![key, gzipped], &gzip(&vec![b' '; 64 << 20]), 413, "too_large"),
        (vec![key], &stream::delivery("id", &[]), 200, ""),
        (vec![key], &stream::delivery("id", &[Vec::new()]), 200, ""),
        (vec![key], &one_good, 200, ""),
        (vec![key, gzipped], &gzip(&body), 200, ""),
    ] {
        let rejected =
            format!("cloudwatch_stream_rejected_deliveries_total{{reason=\"{reason}\"}}");
        let count = || {
            let page = streamed.page();
            if page.contains(&rejected) { value(&page, &rejected) } else { 0.0 }
        };
        let before = count();
        let (status, response) = streamed.send(&headers, body);
        assert_eq!(status, expected, "{headers:?} {response}");
        let response: serde_json::Value = serde_json::from_str(&response).unwrap();
        assert_eq!(response["requestId"], "id-1");
        assert_eq!(response.get("errorMessage").is_some(), expected != 200, "{response}");
        assert!(!response.to_string().contains(KEY), "{response}");
        assert_eq!(count(), before + f64::from(u8::from(expected != 200)), "{reason}");
    }
    let page = streamed.page();
    let dropped = "cloudwatch_stream_dropped_datapoints_total{reason=\"unreadable\"}";
    assert_eq!(value(&page, dropped), 6.0);
    let log = streamed.fixture.exporter.log();
    assert!(!log.contains(KEY), "{log}");
    assert_eq!(log.matches("wrong").count(), 0, "{log}");
    assert!(log.contains("the access key is not one of this endpoint"), "{log}");
    assert!(streamed.fixture.memory() < 128.0);
}

#[test]
fn other_methods_and_health_checks_are_answered() {
    let streamed = Streamed::new(Model::new(), &jobs(""));
    for (line, status) in [("GET /-/healthy", 200), ("GET /", 405), ("PUT /", 405)] {
        let mut socket = streamed.connect();
        let request = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).unwrap();
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
    }
}

#[test]
fn the_request_id_may_be_in_the_body_alone() {
    let streamed = Streamed::new(Model::new(), &jobs(""));
    let body = Format::Json.delivery("of the body", &[job("h", minute(), 1.0)]);
    let mut socket = streamed.connect();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-amz-firehose-access-key: {KEY}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&body).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    assert!(response.contains("\"requestId\":\"of the body\""), "{response}");
}

#[test]
fn stalled_senders_delay_neither_scrapes_nor_others_for_long() {
    let streamed = Streamed::new(Model::new(), &jobs(""));
    // Each holds what it may send: a kilobyte with the key, and nothing without.
    let stalled: Vec<_> = (0..100)
        .map(|at| {
            let mut socket = streamed.connect();
            let key = if at % 10 == 0 { KEY } else { "another key entirely" };
            let head = format!(
                "POST / HTTP/1.1\r\nhost: x\r\nx-amz-firehose-access-key: {key}\r\ncontent-length: 1000\r\n\r\n{{"
            );
            let _ = socket.write_all(head.as_bytes());
            socket
        })
        .collect();
    let start = Instant::now();
    streamed.page();
    assert!(start.elapsed() < Duration::from_secs(20), "a scrape waits for nobody");
    let body = Format::Json.delivery("id-1", &[job("h", minute(), 1.0)]);
    let mut statuses = Vec::new();
    until(
        || {
            statuses.push(streamed.send(&[("x-amz-firehose-access-key", KEY)], &body).0);
            statuses.last() == Some(&200)
        },
        || "no delivery is accepted".to_owned(),
    );
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    drop(stalled);
}

#[test]
fn series_are_bounded() {
    let streamed = Streamed::new(Model::new(), &jobs(""));
    let start = minute();
    let points: Vec<_> = (0..100_100).map(|at| job(&format!("host-{at}"), start, 1.0)).collect();
    for chunk in points.chunks(10_000) {
        streamed.deliver(FORMATS[1], chunk);
    }
    let page = streamed.page();
    assert_eq!(value(&page, "cloudwatch_stream_series "), 100_000.0);
    let dropped = "cloudwatch_stream_dropped_datapoints_total{reason=\"too_many_series\"}";
    assert_eq!(value(&page, dropped), 100.0);
    // Those that are known go on.
    streamed.deliver(FORMATS[0], &[job("host-0", start + 60, 2.0)]);
    assert!(streamed.page().contains("host=\"host-0\"} 2 "));
}

#[test]
fn streams_alone_need_no_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yml");
    std::fs::write(dir.path().join("key"), KEY).unwrap();
    let stream = "stream: {listen_address: '127.0.0.1:0', access_key_file: key}\n";
    std::fs::write(&file, jobs(stream)).unwrap();
    let flag = format!("--config.file={}", file.display());
    let output = run(&[&flag, "--check"], "http://127.0.0.1:1");
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{report}");
    assert!(report.contains("its datapoints come from a metric stream"), "{report}");
    assert!(!report.contains("credentials"), "{report}");
}

#[test]
fn errors_in_the_section_are_reported_at_start_and_by_check() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yml");
    std::fs::write(dir.path().join("short"), "short").unwrap();
    std::fs::write(dir.path().join("key"), KEY).unwrap();
    std::fs::write(dir.path().join("web.yml"), "http_server_config: {http2: false}\n").unwrap();
    for (stream, problem) in [
        ("access_key_file: none", "none: "),
        ("access_key_file: short", "short: line 1: an access key has from 16 to 4096 characters"),
        ("access_key_file: key, web_config_file: web.yml", "tls_server_config"),
        ("access_key_file: '%d/key'", "CREDENTIALS_DIRECTORY"),
    ] {
        let config = jobs(&format!("stream: {{listen_address: '127.0.0.1:0', {stream}}}\n"));
        std::fs::write(&file, config).unwrap();
        let flag = format!("--config.file={}", file.display());
        for flags in [vec![flag.as_str()], vec![flag.as_str(), "--check"]] {
            let output = run(&flags, "http://127.0.0.1:1");
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{error}");
            assert!(error.contains(problem), "{problem}: {error}");
        }
    }
}
