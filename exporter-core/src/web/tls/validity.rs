//! The validity of certificates and revocation lists.

use x509_parser::certificate::X509Certificate;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::time::ASN1Time;

use super::identity;
use crate::web::config::diagnostics::{Certificate, Diagnostics};

/// The number of days before expiry from which on a certificate causes a warning.
pub(crate) const WARNING_DAYS: i64 = 14;
const DAY: i64 = 24 * 60 * 60;

/// Reports the dates of a certificate.
pub(super) fn certificate(
    role: &'static str,
    certificate: &X509Certificate<'_>,
    now: ASN1Time,
    diagnostics: &mut Diagnostics,
) {
    let subject = identity::subject(certificate.subject());
    let validity = certificate.validity();
    let (from, to) = (validity.not_before, validity.not_after);
    let days = (to.timestamp() - now.timestamp()) / DAY;
    if now < from {
        diagnostics.warning(role, format!("{subject}: not valid before {}", identity::date(from)));
    } else if now > to {
        let finding = format!("{subject}: expired at {}", identity::date(to));
        // An old authority may stay in the file beside its successor.
        if role == "client_ca" {
            diagnostics.warning(role, finding);
        } else {
            diagnostics.failure(role, finding);
        }
    } else if days < WARNING_DAYS {
        let date = identity::date(to);
        let finding = format!("{subject}: valid until {date}; {days} days left, renew it");
        diagnostics.warning(role, finding);
    } else {
        diagnostics.note(role, format!("{subject}: valid until {}", identity::date(to)));
    }
    if role == "client_ca" {
        let changes = [from.timestamp(), to.timestamp() + 1].into_iter();
        for at in changes.filter(|at| *at > now.timestamp()) {
            diagnostics.limit_validity(at);
        }
    }
    diagnostics.certificates.push(Certificate { role, subject, not_after: to.timestamp() });
}

/// Reports the number of revoked certificates of a list, and until when it is in force.
pub(super) fn revocation_list(
    list: &CertificateRevocationList<'_>,
    now: ASN1Time,
    diagnostics: &mut Diagnostics,
) {
    let role = "client_crl";
    let subject = identity::subject(list.issuer());
    let count = list.iter_revoked_certificates().count();
    let Some(due) = list.next_update() else {
        diagnostics.note(role, format!("{subject}: {count} revoked"));
        return;
    };
    let date = identity::date(due);
    if now > due {
        let effect = "and its clients are refused until it is renewed";
        diagnostics.failure(role, format!("{subject}: a new list was due at {date}, {effect}"));
    } else {
        diagnostics.note(role, format!("{subject}: {count} revoked; in force until {date}"));
    }
    diagnostics.certificates.push(Certificate { role, subject, not_after: due.timestamp() });
}
