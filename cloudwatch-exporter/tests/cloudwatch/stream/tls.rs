//! Deliveries over TLS.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use exporter_core::testing::{Authority, Kind, until};
use fake_cloudwatch::Model;
use fake_cloudwatch::stream::Format;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use super::sender::{KEY, Streamed, send};
use super::{job, jobs, minute};

const NAME: &str = "streams.example";

/// A connection of a client that trusts this authority.
fn connect(streamed: &Streamed, authority: &Path) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A client that would rather speak HTTP/2.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from(NAME).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, streamed.connect())
}

fn web_config(dir: &TempDir) -> String {
    let authority = Authority::new(dir.path(), "ca");
    authority.issue(dir.path(), "server", Kind::Server, &[NAME]);
    let text = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";
    let file = dir.path().join("stream-web.yml");
    fs::write(&file, text).unwrap();
    format!(", web_config_file: '{}'", file.display())
}

#[test]
fn deliveries_arrive_over_tls_and_certificates_are_replaced() {
    let streamed = Streamed::with(Model::new(), &jobs(""), web_config);
    let authority = streamed.dir.path().join("ca.crt");
    let key = [("x-amz-firehose-access-key", KEY)];
    for format in super::FORMATS {
        let body = format.delivery("id-1", &[job("h", minute(), 1.0)]);
        let (status, response) = send(connect(&streamed, &authority), &key, &body);
        assert_eq!(status, 200, "{response}");
        assert!(response.contains("\"requestId\":\"id-1\""), "{response}");
    }
    assert_eq!(streamed.fixture.samples("my_app_jobs_sum{").len(), 1);

    let next = Authority::new(streamed.dir.path(), "next");
    next.issue(streamed.dir.path(), "server", Kind::Server, &[NAME]);
    let accepts = || {
        let mut stream = connect(&streamed, &next.certificate);
        stream.conn.complete_io(&mut stream.sock).is_ok()
    };
    until(accepts, || streamed.fixture.exporter.log());
    let body = Format::Json.delivery("id-1", &[job("g", minute(), 1.0)]);
    assert_eq!(send(connect(&streamed, &next.certificate), &key, &body).0, 200);
}

#[test]
fn plain_http_is_refused_where_tls_is_set_up() {
    let streamed = Streamed::with(Model::new(), &jobs(""), web_config);
    let mut socket = streamed.connect();
    io::Write::write_all(&mut socket, b"POST / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut response = Vec::new();
    let _ = io::Read::read_to_end(&mut socket, &mut response);
    assert!(!response.starts_with(b"HTTP"), "{response:?}");
    until(
        || {
            streamed
                .page()
                .contains("cloudwatch_stream_rejected_deliveries_total{reason=\"tls\"} 1")
        },
        || streamed.page(),
    );
    assert!(streamed.fixture.exporter.log().contains("a TLS handshake for metric streams failed"));
}
