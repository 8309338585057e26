//! TLS to a server: which certificates are accepted, and which is presented.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio_rustls::TlsConnector;

use super::Error;
use super::login::read;
use crate::config::{Authorities, Identity, Tls};

/// Reads the files that the settings name.
pub(super) async fn connector(tls: &Tls) -> Result<TlsConnector, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let failed = |error: rustls::Error| Error::Tls(error.to_string());
    let (checks, identity) = match tls {
        Tls::Off => (Checks::Nothing, &None),
        Tls::Preferred(identity) | Tls::Unverified(identity) => (Checks::Nothing, identity),
        Tls::Verified { authorities, identity, .. } => (Checks::Identity(authorities), identity),
        Tls::VerifiedAuthority { authority, identity } => (Checks::Authority(authority), identity),
    };
    let verifier = match checks {
        Checks::Nothing => None,
        Checks::Identity(Authorities::Public) => {
            let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
            Some(webpki(roots, &provider)?)
        }
        Checks::Identity(Authorities::File(path)) | Checks::Authority(path) => {
            let pem = read("ssl-ca", path).await?;
            let problem = |problem: String| Error::Key {
                key: "ssl-ca",
                path: path.display().to_string(),
                problem,
            };
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| problem(error.to_string()))?;
                roots.add(certificate).map_err(|error| problem(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(problem("there is no CERTIFICATE in it".into()));
            }
            Some(webpki(roots, &provider)?)
        }
    };
    let any_name = matches!(checks, Checks::Authority(_));
    let verifier = Verifier { webpki: verifier, any_name, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match present(identity).await? {
        None => config.with_no_client_auth(),
        Some((certificates, key)) => {
            config.with_client_auth_cert(certificates, key).map_err(failed)?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The name that the certificate must be for, and that the server is told.
pub(super) fn server_name(tls: &Tls, host: &str) -> Result<ServerName<'static>, Error> {
    let name = match tls {
        Tls::Verified { name: Some(name), .. } => name.as_str(),
        _ => host,
    };
    ServerName::try_from(name.to_owned())
        .map_err(|_| Error::Tls(format!("{name:?} cannot be the name in a certificate")))
}

/// What of a certificate is checked.
enum Checks<'a> {
    Authority(&'a PathBuf),
    Identity(&'a Authorities),
    Nothing,
}

fn webpki(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Error> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| Error::Tls(error.to_string()))
}

type Presented = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

async fn present(identity: &Identity) -> Result<Option<Presented>, Error> {
    let Some((certificate, key)) = identity else { return Ok(None) };
    let problem = |key, path: &Path, problem: String| Error::Key {
        key,
        path: path.display().to_string(),
        problem,
    };
    let pem = read("ssl-cert", certificate).await?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates =
        certificates.map_err(|error| problem("ssl-cert", certificate, error.to_string()))?;
    if certificates.is_empty() {
        return Err(problem("ssl-cert", certificate, "there is no CERTIFICATE in it".into()));
    }
    let pem = read("ssl-key", key).await?;
    // What is wrong with it is not shown: it may quote the key.
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| problem("ssl-key", key, "there is no PRIVATE KEY in it".into()))?;
    Ok(Some((certificates, key)))
}

/// Checks as much of a server's certificate as the settings ask for. That the server has the
/// certificate's key is always checked.
#[derive(Debug)]
struct Verifier {
    /// None: any certificate will do.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    any_name: bool,
    provider: Arc<CryptoProvider>,
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
        match webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            // The name is looked at last: all else is in order.
            Err(rustls::Error::InvalidCertificate(
                NotValidForName | NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
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
        crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
