//! An exporter with a receiver, and a sender that acts like Firehose.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use exporter_core::testing::MAX_WAIT;
use fake_cloudwatch::Model;
use fake_cloudwatch::stream::{Datapoint, Format};
use tempfile::TempDir;

use crate::fixture::Fixture;

pub(super) const KEY: &str = "an access key of tests";

pub(super) struct Streamed {
    pub(super) fixture: Fixture,
    pub(super) key_file: PathBuf,
    /// The address of the receiver.
    pub(super) address: String,
    pub(super) dir: TempDir,
}

impl Streamed {
    /// An exporter with this configuration file, and a receiver.
    pub(super) fn new(model: Model, config: &str) -> Self {
        Self::with(model, config, |_| String::new())
    }

    /// With further keys of `stream`, for files in a directory.
    pub(super) fn with(model: Model, config: &str, more: impl FnOnce(&TempDir) -> String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key_file = dir.path().join("access-key");
        fs::write(&key_file, format!("{KEY}\n")).unwrap();
        let more = more(&dir);
        let stream = format!(
            "stream: {{listen_address: '127.0.0.1:0', access_key_file: '{}'{more}}}\n",
            key_file.display()
        );
        let fixture = Fixture::new(model, &format!("{stream}{config}"));
        let log = fixture.exporter.log();
        let line = log.lines().find(|line| line.contains("receiving metric streams")).unwrap();
        let (_, address) = line.split_once("address=").unwrap_or_else(|| panic!("{line}"));
        let address = address.split_whitespace().next().unwrap().trim_matches('"').to_owned();
        Self { fixture, key_file, address, dir }
    }

    pub(super) fn page(&self) -> String {
        self.fixture.page()
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(MAX_WAIT)).unwrap();
        stream
    }

    /// Status and body of the response to a request.
    pub(super) fn send(&self, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        send(self.connect(), headers, body)
    }

    /// A delivery that is accepted.
    pub(super) fn deliver(&self, format: Format, datapoints: &[Datapoint]) {
        let body = format.delivery("id-1", datapoints);
        let (status, response) = self.send(&[("x-amz-firehose-access-key", KEY)], &body);
        assert_eq!(status, 200, "{response}");
        let response: serde_json::Value = serde_json::from_str(&response).unwrap();
        assert_eq!(response["requestId"], "id-1");
        assert!(response["timestamp"].as_u64().unwrap() > 1_700_000_000_000, "milliseconds");
        assert!(response.get("errorMessage").is_none(), "{response}");
    }
}

/// Sends a request as Firehose does. Returns status and body of the response.
pub(super) fn send(
    mut stream: impl Read + Write,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, String) {
    let mut head = format!(
        "POST /any/path HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         x-amz-firehose-protocol-version: 1.0\r\nx-amz-firehose-request-id: id-1\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream.flush().unwrap();
    let mut response = Vec::new();
    let result = stream.read_to_end(&mut response);
    assert!(!response.is_empty(), "{result:?}");
    let response = String::from_utf8(response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
