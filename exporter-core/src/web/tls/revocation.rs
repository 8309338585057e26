//! Checks that revocation lists come from the configured authorities.

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use webpki::EndEntityCert;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::time::ASN1Time;

use super::identity;
use crate::web::config::diagnostics::Diagnostics;

/// Verifies each list with the key of its issuer, and warns of authorities without a list.
///
/// A list of an unknown issuer may belong to an intermediate authority, whose certificate only
/// clients have: it is verified in the handshake.
pub(super) fn check(
    lists: &[CertificateRevocationListDer<'_>],
    certificates: &[CertificateDer<'_>],
    provider: &CryptoProvider,
    diagnostics: &mut Diagnostics,
) -> Result<(), String> {
    if lists.is_empty() {
        return Ok(());
    }
    let parsed = certificates.iter().filter_map(|der| Some((der, identity::parse(der)?)));
    let parsed: Vec<_> = parsed.collect();
    let mut issuers = Vec::new();
    for (index, der) in lists.iter().enumerate() {
        let number = index + 1;
        let Ok(([], list)) = CertificateRevocationList::from_der(der) else {
            return Err(format!("list {number} is damaged; fetch it again"));
        };
        let issuer = identity::subject(list.issuer());
        let namesakes = parsed
            .iter()
            .filter(|(_, certificate)| certificate.subject().as_raw() == list.issuer().as_raw());
        let namesakes: Vec<_> = namesakes.map(|(der, _)| *der).collect();
        if namesakes.is_empty() {
            diagnostics.warning(
                "client_crl",
                format!(
                    "{issuer} is not in client_ca_file; its list counts only if it is an \
                     intermediate authority"
                ),
            );
        } else if !namesakes.iter().any(|der| is_signed_by(&list, der, provider)) {
            return Err(format!(
                "list {number}, of {issuer}, does not have the signature of that authority in \
                 client_ca_file; fetch the authority's current list"
            ));
        }
        issuers.push(list.issuer().as_raw().to_vec());
    }

    let now = ASN1Time::now();
    let authorities: Vec<_> = parsed
        .iter()
        .map(|(_, certificate)| certificate)
        .filter(|certificate| certificate.is_ca() && now <= certificate.validity().not_after)
        .collect();
    let has_list = |authority: &X509Certificate<'_>| {
        issuers.iter().any(|raw| raw == authority.subject().as_raw())
    };
    if !authorities.is_empty() && !authorities.iter().any(|authority| has_list(authority)) {
        return Err(
            "holds no list of any authority in client_ca_file, so every client would be refused"
                .into(),
        );
    }
    for authority in authorities.into_iter().filter(|authority| !has_list(authority)) {
        let subject = identity::subject(authority.subject());
        diagnostics
            .warning("client_crl", format!("{subject}: no list, so its clients are refused"));
    }
    Ok(())
}

fn is_signed_by(
    list: &CertificateRevocationList<'_>,
    issuer: &CertificateDer<'_>,
    provider: &CryptoProvider,
) -> bool {
    let Ok(issuer) = EndEntityCert::try_from(issuer) else { return false };
    let (message, signature) = (list.tbs_cert_list.as_ref(), &list.signature_value.data);
    // The list names its algorithm, but only one can verify it.
    let algorithms = provider.signature_verification_algorithms.all;
    algorithms
        .iter()
        .any(|algorithm| issuer.verify_signature(*algorithm, message, signature).is_ok())
}
