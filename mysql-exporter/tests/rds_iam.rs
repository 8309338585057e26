//! Tokens of RDS, sent to a server over TLS. Needs `--features rds-iam`.

#![cfg(feature = "rds-iam")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests fail by a panic")]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use exporter_core::testing::{Authority, Exporter, Kind, until};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const BINARY: &str = env!("CARGO_BIN_EXE_mysql-exporter");
/// The greeting of a server with TLS: protocol 10, version, connection, nonce, capabilities, plugin.
const GREETING: &[u8] = b"\x0a8.4.0\0\x07\0\0\0abcdefgh\0\x05\xaa\x2d\x02\0\x28\0\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0mysql_native_password\0";

/// Reads a packet. Returns its sequence number and payload.
fn read(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut header = [0; 4];
    stream.read_exact(&mut header)?;
    let length = u32::from_le_bytes([header[0], header[1], header[2], 0]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload)?;
    Ok((header[3], payload))
}

fn send(stream: &mut impl Write, number: u8, payload: &[u8]) -> io::Result<()> {
    let mut packet = u32::try_from(payload.len()).unwrap().to_le_bytes().to_vec();
    packet[3] = number;
    packet.extend(payload);
    stream.write_all(&packet)
}

/// Requests a token in the same way as RDS, and records it.
fn serve(
    mut tcp: TcpStream,
    config: Arc<ServerConfig>,
    tokens: &Mutex<Vec<String>>,
) -> io::Result<()> {
    send(&mut tcp, 0, GREETING)?;
    read(&mut tcp)?;
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), tcp);
    let (number, _) = read(&mut tls)?;
    send(&mut tls, number + 1, b"\xfemysql_clear_password\0")?;
    let (number, password) = read(&mut tls)?;
    tokens.lock().unwrap().push(String::from_utf8(password).unwrap());
    let denied = b"\xff\x15\x04#28000Access denied";
    send(&mut tls, number + 1, denied)
}

/// Profile files and token files of the AWS SDK have a maximum size.
#[test]
fn huge_files_of_the_sdk_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let huge = dir.path().join("huge");
    std::fs::File::create(&huge).unwrap().set_len(1 << 30).unwrap();
    let cnf = dir.path().join("my.cnf");
    let text = "[client]\nuser=exporter\nhost=localhost\nport=1\nrds-iam=eu-central-1\n\
                ssl-mode=VERIFY_IDENTITY\n";
    std::fs::write(&cnf, text).unwrap();
    for variable in ["AWS_CONFIG_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"] {
        let variables = [
            (variable, huge.to_str().unwrap()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        let flag = format!("--config.my-cnf={}", cnf.display());
        let exporter = Exporter::start_with(BINARY, &[&flag], &variables, dir.path());
        exporter.get("/metrics");
        let is_logged = || exporter.log().contains(&format!("check {variable}"));
        until(is_logged, || exporter.log());
    }
}

#[test]
fn each_login_sends_a_token_over_tls() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new(dir.path(), "ca");
    let identity = authority.issue(dir.path(), "db", Kind::Server, &["localhost"]);
    let chain = CertificateDer::pem_file_iter(&identity.certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(&identity.key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let (config, received) = (Arc::new(config), Arc::clone(&tokens));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (config, received) = (Arc::clone(&config), Arc::clone(&received));
            thread::spawn(move || drop(serve(stream.unwrap(), config, &received)));
        }
    });
    let cnf = dir.path().join("my.cnf");
    let text = format!(
        "[client]\nuser=exporter\nhost=localhost\nport={port}\nrds-iam=eu-central-1\nssl-ca={}\n",
        authority.certificate.display()
    );
    std::fs::write(&cnf, text).unwrap();
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
        ("AWS_SESSION_TOKEN", "session"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let flag = format!("--config.my-cnf={}", cnf.display());
    let exporter = Exporter::start_with(BINARY, &[&flag], &variables, dir.path());
    let count = || tokens.lock().unwrap().len();
    until(
        || {
            exporter.get("/metrics");
            count() >= 2
        },
        || exporter.log(),
    );
    for token in tokens.lock().unwrap().iter() {
        let start = format!("localhost:{port}/?Action=connect&DBUser=exporter&");
        assert!(token.starts_with(&start), "{token}");
        for part in ["X-Amz-Signature=", "X-Amz-Expires=900", "eu-central-1%2Frds-db%2F"] {
            assert!(token.contains(part), "{part}: {token}");
        }
        assert!(token.ends_with('\0'));
    }
    let log = exporter.log();
    assert!(log.contains("Access denied"), "{log}");
    assert!(!log.contains("X-Amz-") && !log.contains("hush"), "{log}");
}
