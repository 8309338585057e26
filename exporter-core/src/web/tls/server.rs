//! Builds the `rustls::ServerConfig` of the section `tls_server_config`.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use x509_parser::time::ASN1Time;

use super::clients;
use super::identity;
use super::names::versions;
use super::parameters::{provider, version_range};
use super::pem;
use super::section::{fault, from_file, is_present};
use super::validity;
use super::verify::Verifier;
use crate::config_file::{Fault, SMALL, Secret};
use crate::web::config::diagnostics::Diagnostics;
use crate::web::config::file::Tls;
use crate::web::config::files::Files;

/// The TLS configuration of the server.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) config: Arc<ServerConfig>,
    /// `None` if clients need no certificate.
    pub(crate) verifier: Option<Arc<Verifier>>,
}

/// `None` for a section without keys: plain HTTP.
pub(crate) fn transport(
    tls: &Tls,
    http2: bool,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Transport>, Fault> {
    if !is_present(tls) {
        return Ok(None);
    }
    let chain = chain(tls, files)?;
    let key = key(tls, files)?;
    warn_of_readers(tls, files, diagnostics);
    let (min, max) = version_range(tls, diagnostics)?;
    let provider = Arc::new(provider(tls, http2, min, max, diagnostics)?);
    let certified = certified(tls, chain, &key, &provider)?;
    describe(&certified.cert, diagnostics);
    let verifier = clients::verifier(tls, &provider, files, diagnostics)?;

    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(min, max))
        .map_err(|error| fault("", None, format!("invalid TLS configuration: {error}")))?;
    let builder = match &verifier {
        Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier) as _),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.ignore_client_order = *tls.prefer_server_cipher_suites.value().unwrap_or(&true);
    config.alpn_protocols =
        if http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    Ok(Some(Transport { config: Arc::new(config), verifier }))
}

fn chain(tls: &Tls, files: &mut Files) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let (inline, file) = (&tls.cert, &tls.cert_file);
    match (inline.text(), file.text()) {
        (Some(_), Some(_)) => Err(fault("cert", inline.line(), "use cert or cert_file, not both")),
        (None, None) => Err(fault("", None, "missing one of cert or cert_file")),
        (Some(text), None) => pem::certificates(text.as_bytes())
            .map_err(|problem| fault("cert", inline.line(), problem)),
        (None, Some(_)) => from_file("cert_file", file, SMALL, files, pem::certificates),
    }
}

fn key(tls: &Tls, files: &mut Files) -> Result<PrivateKeyDer<'static>, Fault> {
    let (inline, file) = (&tls.key, &tls.key_file);
    let text = inline.value().map(Secret::expose).filter(|text| !text.is_empty());
    match (text, file.text()) {
        (Some(_), Some(_)) => Err(fault("key", inline.line(), "use key or key_file, not both")),
        (None, None) => Err(fault("", None, "missing one of key or key_file")),
        (Some(text), None) => pem::private_key(text.as_bytes())
            .map_err(|problem| fault("key", inline.line(), problem)),
        (None, Some(_)) => from_file("key_file", file, SMALL, files, pem::private_key),
    }
}

/// Warns if every user of the machine can read the key.
fn warn_of_readers(tls: &Tls, files: &Files, diagnostics: &mut Diagnostics) {
    let (key, path) = match tls.key_file.text() {
        Some(name) => ("key_file", files.resolve(name).ok()),
        None => ("key", files.configuration()),
    };
    if let Some(path) = path.filter(|path| files.is_readable_by_others(path)) {
        let path = path.display();
        diagnostics
            .warning(key, format!("every user can read {path}; chmod o-r it, and renew the key"));
    }
}

fn certified(
    tls: &Tls,
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Fault> {
    let (name, line) = if tls.key_file.text().is_some() {
        ("key_file", tls.key_file.line())
    } else {
        ("key", tls.key.line())
    };
    let key = provider.key_provider.load_private_key(key.clone_key()).map_err(|_| {
        fault(
            name,
            line,
            "holds a private key of no usable kind: use ECDSA P-256 or P-384, Ed25519, or RSA of \
             2048 bits or more",
        )
    })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(certified)
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(fault(
            name,
            line,
            "the private key is not the key of the certificate (the first one, where the chain \
             has more): renew both together",
        )),
        Err(error) => {
            let (name, line) = if tls.cert_file.text().is_some() {
                ("cert_file", tls.cert_file.line())
            } else {
                ("cert", tls.cert.line())
            };
            Err(fault(name, line, format!("holds a certificate that cannot be used: {error}")))
        }
    }
}

fn describe(chain: &[CertificateDer<'static>], diagnostics: &mut Diagnostics) {
    let mut role = "server";
    for der in chain {
        let Some(certificate) = identity::parse(der) else { continue };
        if role == "server" {
            let names = identity::names(&certificate);
            if names.is_empty() {
                diagnostics.warning(
                    "server certificate",
                    "it has no subject alternative name, and most clients will refuse it",
                );
            } else {
                diagnostics.note("server certificate", format!("is for {}", names.join(", ")));
            }
        }
        validity::certificate(role, &certificate, ASN1Time::now(), diagnostics);
        role = "server_chain";
    }
}
