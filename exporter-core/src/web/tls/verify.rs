//! Verifies client certificates: the policy, the chain, and the allowed names.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use tracing::debug;
use x509_parser::certificate::X509Certificate;

use super::chain::ChainVerifier;
use super::identity;

/// The policy of `client_auth_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Clients must have a certificate.
    pub(crate) is_required: bool,
    /// The certificate must be from a configured authority.
    pub(crate) is_verified: bool,
}

impl Policy {
    /// Parses a name of Go. `None` if clients need no certificate.
    pub(crate) fn named(name: &str) -> Result<Option<Self>, String> {
        let (is_required, is_verified) = match name {
            "" | "NoClientCert" => return Ok(None),
            "RequestClientCert" => (false, false),
            "RequireAnyClientCert" | "RequireClientCert" => (true, false),
            "VerifyClientCertIfGiven" => (false, true),
            "RequireAndVerifyClientCert" => (true, true),
            _ => {
                return Err(format!(
                    "invalid ClientAuth: {name}; use NoClientCert, RequestClientCert, \
                     RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert"
                ));
            }
        };
        Ok(Some(Self { is_required, is_verified }))
    }
}

/// The configured authorities, and the certificates that they have revoked.
pub(crate) struct Authorities {
    /// `None` if every authority has expired.
    pub(crate) chains: Option<ChainVerifier>,
    /// The configured certificates: each of these is also accepted as a client certificate.
    pub(crate) certificates: HashSet<CertificateDer<'static>>,
    /// Issuer and serial number, as encoded.
    pub(crate) revoked: HashSet<(Vec<u8>, Vec<u8>)>,
    /// Whether revocation is checked.
    pub(crate) has_lists: bool,
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorities")
            .field("certificates", &self.certificates.len())
            .field("revoked", &self.revoked.len())
            .finish_non_exhaustive()
    }
}

/// Verifies a client by the policy: chain, dates, usage, revocation and names.
#[derive(Debug)]
pub(crate) struct Verifier {
    pub(crate) policy: Policy,
    /// `None` with a policy that verifies: every certificate is rejected.
    pub(crate) authorities: Option<Authorities>,
    /// One of these must be an alternative name of the certificate.
    pub(crate) allowed: Option<Vec<String>>,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn name(&self, leaf: &CertificateDer<'_>) -> Result<(), Error> {
        let Some(allowed) = &self.allowed else { return Ok(()) };
        let names = identity::names(&identity::parse(leaf).ok_or(CertificateError::BadEncoding)?);
        if names.iter().any(|name| allowed.iter().any(|allowed| is_same(name, allowed))) {
            return Ok(());
        }
        debug!(?names, "a client certificate has no name in client_allowed_sans");
        Err(CertificateError::NotValidForName.into())
    }
}

impl Authorities {
    fn vouch_for(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let verdict = match &self.chains {
            Some(chains) => chains.verify(leaf, intermediates, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        match verdict {
            Ok(()) => Ok(()),
            Err(error @ Error::InvalidCertificate(CertificateError::Revoked)) => Err(error),
            // A client certificate in client_ca is trusted itself. Go accepts it as a chain of one,
            // webpki does not.
            Err(_) if self.certificates.contains(leaf) => Ok(self.as_is(leaf, now)?),
            // The same name with another key is another authority.
            Err(Error::InvalidCertificate(CertificateError::BadSignature)) => {
                Err(CertificateError::UnknownIssuer.into())
            }
            Err(error) => Err(error),
        }
    }

    fn as_is(&self, leaf: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
        let certificate = identity::parse(leaf).ok_or(CertificateError::BadEncoding)?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let validity = certificate.validity();
        if now < validity.not_before.timestamp() {
            return Err(CertificateError::NotValidYet);
        }
        if now > validity.not_after.timestamp() {
            return Err(CertificateError::Expired);
        }
        if !identity::is_for_clients(&certificate) {
            return Err(CertificateError::InvalidPurpose);
        }
        if self.has_revoked(&certificate) {
            return Err(CertificateError::Revoked);
        }
        Ok(())
    }

    fn has_revoked(&self, certificate: &X509Certificate<'_>) -> bool {
        let issuer = certificate.issuer().as_raw().to_vec();
        self.revoked.contains(&(issuer, certificate.raw_serial().to_vec()))
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.policy.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        let chains = self.authorities.as_ref().and_then(|known| known.chains.as_ref());
        chains.map_or(&[], ChainVerifier::subjects)
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.policy.is_verified {
            let authorities = self.authorities.as_ref().ok_or(CertificateError::UnknownIssuer)?;
            authorities.vouch_for(leaf, intermediates, now)?;
            self.name(leaf)?;
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Exact comparison, except that IP addresses may be written in any form.
fn is_same(name: &str, allowed: &str) -> bool {
    name == allowed
        || matches!(
            (name.parse::<IpAddr>(), allowed.parse::<IpAddr>()),
            (Ok(name), Ok(allowed)) if name == allowed.to_canonical()
        )
}

#[cfg(test)]
mod tests;
