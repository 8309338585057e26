//! The section `tls_server_config` made into a `rustls::ServerConfig`.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use x509_parser::time::ASN1Time;

use super::clients;
use super::identity;
use super::names::{HTTP2_SUITES, Known, TLS13_SUITES, Version, cipher_suite, curve, versions};
use super::pem;
use super::validity;
use super::verify::Verifier;
use crate::config_file::SMALL;
use crate::redact;
use crate::web::config::diagnostics::Diagnostics;
use crate::web::config::file::{Fault, Field, Tls};
use crate::web::config::files::Files;
use crate::web::config::secret::Secret;

/// TLS as configured.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) config: Arc<ServerConfig>,
    /// `None` where no client is asked for a certificate.
    pub(crate) verifier: Option<Arc<Verifier>>,
}

/// `None` for a section without a single key: plain HTTP.
pub(crate) fn transport(
    tls: &Tls,
    http2: bool,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Transport>, Fault> {
    if !is_wanted(tls) {
        return Ok(None);
    }
    let chain = chain(tls, files)?;
    let key = key(tls, files)?;
    warn_of_readers(tls, files, diagnostics);
    let (min, max) = range(tls, diagnostics)?;
    let provider = Arc::new(provider(tls, http2, min, max, diagnostics)?);
    let certified = certified(tls, chain, &key, &provider)?;
    describe(&certified.cert, diagnostics);
    let verifier = clients::verifier(tls, &provider, files, diagnostics)?;

    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(min, max))
        .map_err(|error| fault("", None, format!("no TLS can come of it: {error}")))?;
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

/// Any key at all says that TLS is meant. Plain HTTP because of a half-written section would be
/// the worst answer.
fn is_wanted(tls: &Tls) -> bool {
    let Tls {
        cert,
        key,
        client_ca,
        cert_file,
        key_file,
        client_auth_type,
        client_ca_file,
        client_crl_file,
        client_allowed_sans,
        cipher_suites,
        curve_preferences,
        min_version,
        max_version,
        prefer_server_cipher_suites,
    } = tls;
    key.is_written()
        || client_allowed_sans.is_written()
        || cipher_suites.is_written()
        || curve_preferences.is_written()
        || prefer_server_cipher_suites.is_written()
        || [cert, client_ca, cert_file, key_file, client_auth_type, client_ca_file, client_crl_file]
            .into_iter()
            .chain([min_version, max_version])
            .any(Field::is_written)
}

/// An error about a key of this section, or about the section as a whole.
pub(super) fn fault(key: &str, line: Option<u64>, problem: impl Into<String>) -> Fault {
    let dot = if key.is_empty() { "" } else { "." };
    Fault::new(format!("tls_server_config{dot}{key}"), line, problem)
}

fn chain(tls: &Tls, files: &mut Files) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let (inline, file) = (&tls.cert, &tls.cert_file);
    match (inline.text(), file.text()) {
        (Some(_), Some(_)) => Err(fault("cert", inline.line(), "give cert or cert_file, not both")),
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
        (Some(_), Some(_)) => Err(fault("key", inline.line(), "give key or key_file, not both")),
        (None, None) => Err(fault("", None, "missing one of key or key_file")),
        (Some(text), None) => pem::private_key(text.as_bytes())
            .map_err(|problem| fault("key", inline.line(), problem)),
        (None, Some(_)) => from_file("key_file", file, SMALL, files, pem::private_key),
    }
}

/// Warns of a key that every user of the machine can read.
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

pub(super) fn from_file<T>(
    key: &str,
    field: &Field<String>,
    limit: u64,
    files: &mut Files,
    read: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Result<T, Fault> {
    let name = field.text().unwrap_or_default();
    let fault = |problem| fault(key, field.line(), problem);
    if redact::is_content(name) {
        let inline = key.trim_end_matches("_file");
        return Err(fault(format!(
            "is not the name of a file, but what looks like its content: that goes under {inline}"
        )));
    }
    let path = files.resolve(name).map_err(fault)?;
    files
        .read(&path, limit)
        .and_then(|text| read(&text))
        .map_err(|problem| fault(format!("{} {problem}", path.display())))
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

fn range(tls: &Tls, diagnostics: &mut Diagnostics) -> Result<(Version, Version), Fault> {
    let version = |key, field: &Field<String>, default| match field.text() {
        None => Ok(default),
        Some(name) => Version::named(name).ok_or_else(|| {
            fault(key, field.line(), format!("unknown TLS version: {name}; use TLS12 or TLS13"))
        }),
    };
    let min = version("min_version", &tls.min_version, Version::Tls12)?;
    let max = version("max_version", &tls.max_version, Version::Tls13)?;
    if max < Version::Tls12 {
        return Err(fault(
            "max_version",
            tls.max_version.line(),
            "leaves no usable version: TLS 1.2 and TLS 1.3 are spoken here; use TLS12 or TLS13",
        ));
    }
    if min > max {
        return Err(fault(
            "min_version",
            tls.min_version.line().or(tls.max_version.line()),
            "min_version is above max_version: no client could connect; swap them or leave one out",
        ));
    }
    if min < Version::Tls12 {
        diagnostics
            .warning("min_version", "TLS 1.0 and 1.1 are not spoken here; TLS 1.2 is the oldest");
    }
    Ok((min, max))
}

/// The cryptography, narrowed down to what the lists of suites and curves leave.
fn provider(
    tls: &Tls,
    http2: bool,
    min: Version,
    max: Version,
    diagnostics: &mut Diagnostics,
) -> Result<CryptoProvider, Fault> {
    let mut provider = aws_lc_rs::default_provider();
    let has_version = |version: Version| {
        move |suite: &rustls::SupportedCipherSuite| suite.version().version == version.number()
    };

    let field = &tls.cipher_suites;
    let names = field.value().map(Vec::as_slice).unwrap_or_default();
    if !names.is_empty() {
        let mut suites =
            usable("cipher_suites", "cipher", field, names, cipher_suite, diagnostics)?;
        let has_required = names.iter().any(|name| HTTP2_SUITES.contains(&name.as_str()));
        if http2 && min < Version::Tls13 && !has_required {
            return Err(fault(
                "cipher_suites",
                field.line(),
                format!(
                    "http2: the list is missing an HTTP/2-required AES_128_GCM_SHA256 cipher (need \
                     at least one of {}); add one or set http2 to false",
                    HTTP2_SUITES.join(" or ")
                ),
            ));
        }
        // Go's list says nothing of TLS 1.3.
        if !suites.iter().any(has_version(Version::Tls13)) {
            suites.extend(TLS13_SUITES);
        }
        provider.cipher_suites = suites;
    }
    let suites = &mut provider.cipher_suites;
    suites.retain(|suite| {
        versions(min, max).iter().any(|version| version.version == suite.version().version)
    });
    if suites.is_empty() {
        return Err(fault(
            "cipher_suites",
            field.line(),
            "no usable cipher: none of the list is of the versions that min_version and \
             max_version leave",
        ));
    }
    if min < Version::Tls13 && !suites.iter().any(has_version(Version::Tls12)) {
        diagnostics.warning("cipher_suites", "none is of TLS 1.2, so only TLS 1.3 will be spoken");
    }

    let field = &tls.curve_preferences;
    let names = field.value().map(Vec::as_slice).unwrap_or_default();
    if !names.is_empty() {
        provider.kx_groups =
            usable("curve_preferences", "curve", field, names, curve, diagnostics)?;
    }
    let groups = &provider.kx_groups;
    if !groups.iter().any(|group| group.usable_for_version(max.number())) {
        return Err(fault(
            "curve_preferences",
            field.line(),
            "no usable curve: none of the list is of the versions that min_version and max_version \
             leave",
        ));
    }
    Ok(provider)
}

/// The values of a list of names: unknown ones are an error, unsupported ones are left out.
fn usable<T>(
    key: &str,
    kind: &str,
    field: &Field<Vec<String>>,
    names: &[String],
    known: impl Fn(&str) -> Option<Known<T>>,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<T>, Fault> {
    let mut usable = Vec::new();
    for name in names {
        match known(name) {
            Some(Known::Usable(value)) => usable.push(value),
            Some(Known::Unsupported) => {
                diagnostics.warning(key, format!("{name} is not supported here and is left out"));
            }
            None => return Err(fault(key, field.line(), format!("unknown {kind}: {name}"))),
        }
    }
    if usable.is_empty() {
        let names = names.join(", ");
        let problem = format!("no usable {kind}: {names} is all that is listed; list another");
        return Err(fault(key, field.line(), problem));
    }
    Ok(usable)
}
