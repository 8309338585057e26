//! Certificates for tests, created for each run: there are no keys in the repository.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose, date_time_ymd};

use super::certificate;

/// A certificate authority of a test.
#[derive(Debug)]
pub struct Authority {
    /// The certificate, a PEM file.
    pub certificate: PathBuf,
    authority: certificate::Authority,
}

/// A certificate and its key, as files.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Identity {
    /// The certificate, a PEM file.
    pub certificate: PathBuf,
    /// Its private key, a PEM file.
    pub key: PathBuf,
}

/// The usage of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Of a client.
    Client,
    /// An expired client certificate.
    ExpiredClient,
    /// Of a server.
    Server,
}

impl Authority {
    /// Creates an authority; its certificate is `<dir>/<name>.crt`.
    pub fn new(dir: &Path, name: &str) -> Self {
        let authority = certificate::Authority::new(name);
        let certificate = dir.join(format!("{name}.crt"));
        fs::write(&certificate, authority.0.pem()).expect("the test's directory takes files");
        Self { certificate, authority }
    }

    /// Issues a certificate for these DNS names and addresses: `<dir>/<name>.crt` and `.key`.
    pub fn issue(&self, dir: &Path, name: &str, kind: Kind, sans: &[&str]) -> Identity {
        let mut params = certificate::params(name, sans);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let usage = match kind {
            Kind::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Kind::Client | Kind::ExpiredClient => ExtendedKeyUsagePurpose::ClientAuth,
        };
        params.extended_key_usages = vec![usage];
        if kind == Kind::ExpiredClient {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let (signed, key) = self.authority.sign(&params);
        let identity = Identity {
            certificate: dir.join(format!("{name}.crt")),
            key: dir.join(format!("{name}.key")),
        };
        fs::write(&identity.certificate, signed.pem()).expect("the test's directory takes files");
        fs::write(&identity.key, key.serialize_pem()).expect("the test's directory takes files");
        identity
    }
}
