//! For tests: certificates in memory, a directory for them, and handshakes.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, KeyIdMethod,
    KeyPair, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig,
    ServerConnection, SupportedProtocolVersion,
};
use tempfile::TempDir;

pub(super) use crate::testing::certificate::{Authority, params};

/// A certificate with its key.
pub(super) struct Holder {
    pub(super) certificate: String,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: KeyPair,
}

pub(super) fn client_params(names: &[&str]) -> CertificateParams {
    let mut params = params("prometheus", names);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

impl Authority {
    pub(super) fn issue(&self, params: &CertificateParams) -> Holder {
        let (certificate, key) = self.sign(params);
        Holder { certificate: certificate.pem(), chain: vec![certificate.der().clone()], key }
    }

    pub(super) fn server(&self) -> Holder {
        self.issue(&params("server", &["localhost", "127.0.0.1"]))
    }

    pub(super) fn client(&self) -> Holder {
        self.issue(&client_params(&["prometheus.example"]))
    }

    /// A list in force until `year`.
    pub(super) fn revoke(&self, serials: &[u64], year: i32) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(year, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        }
        .signed_by(&self.0)
        .unwrap()
        .pem()
        .unwrap()
    }
}

impl Holder {
    pub(super) fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate: certificate.pem(), chain: vec![certificate.der().clone()], key }
    }
}

/// A temporary directory with files of a configuration.
pub(super) struct Directory(TempDir);

impl Directory {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        // A private key must not be readable by others.
        let _ = fs::remove_file(&path);
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
        path
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// `server.crt`, `server.key` and `ca.pem`.
    pub(super) fn fill(&self, server: &Holder, authority: &Authority) {
        self.write("server.crt", &server.certificate);
        self.write("server.key", &server.key.serialize_pem());
        self.write("ca.pem", &authority.0.pem());
    }
}

/// A client that trusts `authority`, and shows what `holder` holds. It keeps its sessions.
pub(super) fn client(
    authority: &Authority,
    holder: Option<&Holder>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match holder {
        None => builder.with_no_client_auth(),
        Some(holder) => {
            let key = PrivateKeyDer::try_from(holder.key.serialize_der()).unwrap();
            builder.with_client_auth_cert(holder.chain.clone(), key).unwrap()
        }
    };
    config.resumption = Resumption::in_memory_sessions(16);
    Arc::new(config)
}

/// A handshake in memory: the server's side of it, and how it ended on both.
pub(super) struct Handshake {
    pub(super) server: ServerConnection,
    pub(super) client: ClientConnection,
    pub(super) outcome: Result<(), Error>,
    /// What the server told the client.
    pub(super) alert: Option<AlertDescription>,
}

pub(super) fn handshake(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> Handshake {
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    let (mut outcome, mut alert) = (Ok(()), None);
    while client.wants_write() || server.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while outcome.is_ok() && !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            outcome = server.process_new_packets().map(|_| ());
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while alert.is_none() && !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            match client.process_new_packets() {
                Ok(_) => {}
                Err(Error::AlertReceived(received)) => alert = Some(received),
                Err(error) => panic!("the client: {error}"),
            }
        }
    }
    Handshake { server, client, outcome, alert }
}
