//! TLS to a server: verification of its certificate, and the client certificate.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer,
    UnixTime,
};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{ASN1Time, FromDer, Validity, X509Certificate, X509Version};
use x509_parser::x509;

use super::blocking::read_file;
use super::error::Error;
use crate::config::{Authorities, Identity, Tls};

/// Reads the files that the settings name, and builds the TLS configuration.
pub(super) async fn connector(tls: &Tls) -> Result<TlsConnector, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let failed = |error: rustls::Error| Error::Tls(error.to_string());
    let (verification, identity) = match tls {
        Tls::Off => (Verification::None, &None),
        Tls::Preferred(identity) | Tls::Unverified(identity) => (Verification::None, identity),
        Tls::Verified { authorities, identity, .. } => {
            (Verification::Identity(authorities), identity)
        }
        Tls::VerifiedCa { ca_file, identity } => (Verification::Ca(ca_file), identity),
    };
    let mut pinned = Vec::new();
    let verifier = match verification {
        Verification::None => None,
        Verification::Identity(Authorities::Public) => {
            let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
            Some(webpki(roots, &provider)?)
        }
        Verification::Identity(Authorities::File(path)) | Verification::Ca(path) => {
            let pem = read_file("ssl-ca", path).await?;
            let problem = |problem: String| Error::Key {
                key: "ssl-ca",
                path: path.display().to_string(),
                problem,
            };
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| problem(error.to_string()))?;
                pinned.push(certificate.clone());
                roots.add(certificate).map_err(|error| problem(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(problem("it contains no CERTIFICATE".into()));
            }
            Some(webpki(roots, &provider)?)
        }
    };
    let accepts_any_name = matches!(verification, Verification::Ca(_));
    let verifier =
        Verifier { webpki: verifier, pinned, accepts_any_name, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match client_certificate(identity, &provider).await? {
        None => config.with_no_client_auth(),
        Some(key) => config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))),
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The error of a failed handshake, with a hint if there is one.
pub(super) fn handshake_error(error: &io::Error) -> Error {
    use CertificateError::{NotValidForName, NotValidForNameContext, UnknownIssuer};
    use rustls::Error::InvalidCertificate;

    let cause = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    let text = error.to_string();
    let hint = match cause {
        _ if text.contains("UnsupportedCertVersion") => {
            "the server's certificate is X.509 version 1, which cannot contain the server's name: \
             set ssl-mode=VERIFY_CA to verify everything else (TLS 1.3 only), or make a certificate \
             of version 3 with openssl x509 -req -extfile FILE and subjectAltName=DNS:HOST in FILE"
        }
        _ if text.contains("CaUsedAsEndEntity") => {
            "the server's certificate is a CA certificate: add it to ssl-ca, or give the server a \
             certificate that its CA has issued"
        }
        Some(InvalidCertificate(UnknownIssuer)) => {
            "the server's certificate was not issued by an authority in ssl-ca"
        }
        Some(InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
            "the server's certificate is for another name: set tls-server-name to one of its \
             names, or ssl-mode=VERIFY_CA"
        }
        _ => return Error::Tls(text),
    };
    Error::Tls(format!("{hint} ({text})"))
}

/// The name that the certificate must contain, which is also sent to the server (SNI).
pub(super) fn server_name(tls: &Tls, host: &str) -> Result<ServerName<'static>, Error> {
    let name = match tls {
        Tls::Verified { name: Some(name), .. } => name.as_str(),
        _ => host,
    };
    ServerName::try_from(name.to_owned())
        .map_err(|_| Error::Tls(format!("{name:?} is not a valid name for a certificate")))
}

/// How a server certificate is verified, as in `ssl-mode`.
enum Verification<'a> {
    Ca(&'a PathBuf),
    Identity(&'a Authorities),
    None,
}

fn webpki(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Error> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| Error::Tls(error.to_string()))
}

/// Reads the certificate and key of the client. Unlike in rustls, the certificate may have any X.509
/// version.
async fn client_certificate(
    identity: &Identity,
    provider: &CryptoProvider,
) -> Result<Option<CertifiedKey>, Error> {
    let Some((certificate, key)) = identity else { return Ok(None) };
    let problem = |key, path: &Path, problem: String| Error::Key {
        key,
        path: path.display().to_string(),
        problem,
    };
    let pem = read_file("ssl-cert", certificate).await?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates =
        certificates.map_err(|error| problem("ssl-cert", certificate, error.to_string()))?;
    if certificates.is_empty() {
        return Err(problem("ssl-cert", certificate, "it contains no CERTIFICATE".into()));
    }
    let pem = read_file("ssl-key", key).await?;
    // The cause is not shown, because it may contain a part of the key.
    let private = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| problem("ssl-key", key, "it contains no PRIVATE KEY".into()))?;
    let private = provider
        .key_provider
        .load_private_key(private)
        .map_err(|error| problem("ssl-key", key, error.to_string()))?;
    let public = certificates.first().and_then(|certificate| {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        Some(certificate.public_key().raw.to_vec())
    });
    let Some(public) = public else {
        return Err(problem("ssl-cert", certificate, "its first CERTIFICATE is invalid".into()));
    };
    if private.public_key().is_some_and(|key| *key != *public) {
        return Err(problem(
            "ssl-key",
            key,
            "it is not the key of the certificate in ssl-cert".into(),
        ));
    }
    Ok(Some(CertifiedKey::new(certificates, private)))
}

/// Verifies issuer, validity and signature of an X.509 version 1 certificate, which webpki does not
/// support. One of `authorities` must have issued it. `None` for other versions.
fn verify_version_1(
    authorities: &[CertificateDer<'_>],
    certificate: &CertificateDer<'_>,
    now: UnixTime,
    provider: &CryptoProvider,
) -> Option<Result<ServerCertVerified, rustls::Error>> {
    use CertificateError::UnknownIssuer;

    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    if certificate.version() != X509Version::V1 {
        return None;
    }
    if !certificate.validity().is_valid_at(timestamp(now)) {
        return Some(Err(CertificateError::Expired.into()));
    }
    let is_issuer = |authority: &CertificateDer<'_>| {
        let Ok((_, authority)) = X509Certificate::from_der(authority) else { return false };
        let may_issue = authority.version() == X509Version::V1 || authority.is_ca();
        authority.subject().as_raw() == certificate.issuer().as_raw()
            && may_issue
            && authority.validity().is_valid_at(timestamp(now))
            && is_signed_by(&certificate, &authority, provider)
    };
    let has_issuer = authorities.iter().any(is_issuer);
    let verified =
        if has_issuer { Ok(ServerCertVerified::assertion()) } else { Err(UnknownIssuer) };
    Some(verified.map_err(rustls::Error::from))
}

fn is_signed_by(
    certificate: &X509Certificate<'_>,
    authority: &X509Certificate<'_>,
    provider: &CryptoProvider,
) -> bool {
    let signature = &certificate.signature_algorithm;
    let key = authority.public_key();
    provider.signature_verification_algorithms.all.iter().any(|algorithm| {
        is_algorithm(algorithm.signature_alg_id(), signature)
            && is_algorithm(algorithm.public_key_alg_id(), &key.algorithm)
            && algorithm
                .verify_signature(
                    &key.subject_public_key.data,
                    certificate.tbs_certificate.as_ref(),
                    &certificate.signature_value.data,
                )
                .is_ok()
    })
}

/// Whether `known` has the object identifier of `found`.
fn is_algorithm(known: AlgorithmIdentifier, found: &x509::AlgorithmIdentifier<'_>) -> bool {
    const OBJECT_IDENTIFIER: u8 = 6;
    let oid = found.algorithm.as_bytes();
    let Ok(length) = u8::try_from(oid.len()) else { return false };
    known.starts_with(&[&[OBJECT_IDENTIFIER, length], oid].concat())
}

/// Verifies a server's certificate according to the settings. The signature of the handshake, which
/// proves that the server has the key of the certificate, is always verified.
#[derive(Debug)]
struct Verifier {
    /// `None` accepts any certificate.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    /// The certificates in `ssl-ca`. A server that presents one of them is accepted with any name,
    /// version and key usage, because nobody else has the key.
    pinned: Vec<CertificateDer<'static>>,
    accepts_any_name: bool,
    provider: Arc<CryptoProvider>,
}

fn validity(certificate: &CertificateDer<'_>) -> Option<Validity> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.validity().clone())
}

fn timestamp(now: UnixTime) -> ASN1Time {
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    ASN1Time::from_timestamp(seconds).unwrap_or(ASN1Time::now())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};

        let Some(webpki) = &self.webpki else { return Ok(ServerCertVerified::assertion()) };
        if self.pinned.iter().any(|certificate| certificate == end_entity) {
            return match validity(end_entity) {
                Some(validity) if validity.is_valid_at(timestamp(now)) => {
                    Ok(ServerCertVerified::assertion())
                }
                Some(validity) if validity.not_before > timestamp(now) => {
                    Err(CertificateError::NotValidYet.into())
                }
                Some(_) => Err(CertificateError::Expired.into()),
                None => Err(CertificateError::BadEncoding.into()),
            };
        }
        match webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            // webpki checks the name last, so everything else is valid.
            Err(rustls::Error::InvalidCertificate(
                NotValidForName | NotValidForNameContext { .. },
            )) if self.accepts_any_name => Ok(ServerCertVerified::assertion()),
            Err(error) if self.accepts_any_name => {
                let verified = verify_version_1(&self.pinned, end_entity, now, &self.provider);
                verified.unwrap_or(Err(error))
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        match crypto::verify_tls13_signature(message, cert, dss, algorithms) {
            // webpki does not support certificates of version 1: verify with the raw key.
            Err(rustls::Error::InvalidCertificate(_)) => {
                let (_, parsed) =
                    X509Certificate::from_der(cert).map_err(|_| CertificateError::BadEncoding)?;
                let key = SubjectPublicKeyInfoDer::from(parsed.public_key().raw);
                crypto::verify_tls13_signature_with_raw_key(message, &key, dss, algorithms)
            }
            result => result,
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
