//! Verifies that a chain of certificates leads from a client to a configured authority.
//!
//! As rustls's `WebPkiClientVerifier`, but it also accepts certificates for any usage, as Go does.

use std::sync::Arc;

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::{
    CertRevocationListError, CertificateError, DistinguishedName, Error, OtherError, RootCertStore,
};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeId,
    KeyPurposeIdIter, KeyUsage, OwnedCertRevocationList, RequiredEkuNotFoundContext,
    RevocationOptionsBuilder,
};

/// The authorities in force, with their revocation lists.
#[derive(Debug)]
pub(crate) struct ChainVerifier {
    roots: RootCertStore,
    subjects: Vec<DistinguishedName>,
    lists: Vec<CertRevocationList<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ChainVerifier {
    /// The error is that of an invalid list.
    pub(crate) fn new(
        roots: RootCertStore,
        lists: &[CertificateRevocationListDer<'_>],
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<Self, webpki::Error> {
        let lists = lists.iter().map(|list| OwnedCertRevocationList::from_der(list));
        let lists = lists.map(|list| Ok(list?.into())).collect::<Result<_, webpki::Error>>()?;
        Ok(Self { subjects: roots.subjects(), roots, lists, algorithms })
    }

    pub(crate) fn subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    pub(crate) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let leaf = EndEntityCert::try_from(leaf).map_err(error)?;
        // Each certificate of the chain needs a revocation list that is in force.
        let lists: Vec<_> = self.lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists)
            .ok()
            .map(|options| options.with_expiration_policy(ExpirationPolicy::Enforce).build());
        leaf.verify_for_usage(
            self.algorithms.all,
            &self.roots.roots,
            intermediates,
            now,
            ForClients,
            revocation,
            None,
        )
        .map(drop)
        .map_err(error)
    }
}

/// The accepted usages of a client certificate: none, client authentication, or any.
struct ForClients;

const CLIENT_AUTH: KeyPurposeId<'static> =
    KeyPurposeId::new(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]);
const ANY: KeyPurposeId<'static> = KeyPurposeId::new(&[0x55, 0x1d, 0x25, 0x00]);

impl ExtendedKeyUsageValidator for ForClients {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let mut present = Vec::new();
        for usage in usages {
            let usage = usage?;
            if usage == CLIENT_AUTH || usage == ANY {
                return Ok(());
            }
            present.push(usage.to_decoded_oid());
        }
        if present.is_empty() {
            return Ok(());
        }
        let required = KeyUsage::client_auth();
        Err(webpki::Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext {
            required,
            present,
        }))
    }
}

/// Converts an error to that of rustls, which selects the alert by it.
fn error(error: webpki::Error) -> Error {
    use webpki::Error as Webpki;

    Error::InvalidCertificate(match error {
        Webpki::BadDer | Webpki::BadDerTime | Webpki::TrailingData(_) => {
            CertificateError::BadEncoding
        }
        Webpki::CertExpired { .. } | Webpki::InvalidCertValidity => CertificateError::Expired,
        Webpki::CertNotValidYet { .. } => CertificateError::NotValidYet,
        Webpki::CertRevoked => CertificateError::Revoked,
        Webpki::CrlExpired { .. } => CertificateError::ExpiredRevocationList,
        Webpki::InvalidCrlSignatureForPublicKey => {
            return CertRevocationListError::BadSignature.into();
        }
        Webpki::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        Webpki::IssuerNotCrlSigner => return CertRevocationListError::IssuerInvalidForCrl.into(),
        Webpki::RequiredEkuNotFoundContext(_) => CertificateError::InvalidPurpose,
        Webpki::UnknownIssuer => CertificateError::UnknownIssuer,
        Webpki::UnknownRevocationStatus => CertificateError::UnknownRevocationStatus,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    })
}
