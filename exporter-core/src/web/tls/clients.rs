//! The keys of `tls_server_config` that begin with `client_`: the requirements on client
//! certificates.

use std::collections::HashSet;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::time::ASN1Time;

use super::chain::ChainVerifier;
use super::revocation;
use super::section::{fault, from_file};
use super::validity;
use super::verify::{Authorities, Policy, Verifier};
use super::{identity, pem};
use crate::config_file::{Fault, LARGE, SMALL};
use crate::web::config::diagnostics::Diagnostics;
use crate::web::config::file::Tls;
use crate::web::config::files::Files;

/// `None` if clients need no certificate.
pub(super) fn verifier(
    tls: &Tls,
    provider: &Arc<CryptoProvider>,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Arc<Verifier>>, Fault> {
    let field = &tls.client_auth_type;
    let name = field.text().unwrap_or_default();
    let policy =
        Policy::named(name).map_err(|problem| fault("client_auth_type", field.line(), problem))?;
    let Some(policy) = policy else {
        return without_policy(tls, files, diagnostics).map(|()| None);
    };
    let allowed = allowed(tls, policy)?;
    let authorities = authorities(tls, policy, provider, files, diagnostics)?;
    report(tls, policy, allowed.as_deref(), authorities.is_some(), diagnostics);
    Ok(Some(Arc::new(Verifier {
        policy,
        authorities,
        allowed,
        algorithms: provider.signature_verification_algorithms,
    })))
}

/// Without a policy, other keys for client certificates are errors, because they would have no
/// effect.
fn without_policy(
    tls: &Tls,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Result<(), Fault> {
    const FIX: &str = "set client_auth_type: RequireAndVerifyClientCert, or remove it";
    if tls.client_ca_file.text().is_some() {
        // A missing file is the first error to fix.
        from_file("client_ca_file", &tls.client_ca_file, SMALL, files, |_| Ok(()))?;
    }
    for (key, field) in [("client_ca", &tls.client_ca), ("client_ca_file", &tls.client_ca_file)] {
        if field.text().is_some() {
            let problem =
                format!("client CA's have been configured without a Client Auth Policy; {FIX}");
            return Err(fault(key, field.line(), problem));
        }
    }
    if tls.client_allowed_sans.is_written() {
        let problem =
            format!("client names are listed, but no client certificate is requested; {FIX}");
        return Err(fault("client_allowed_sans", tls.client_allowed_sans.line(), problem));
    }
    if tls.client_crl_file.text().is_some() {
        let problem = format!("client certificates are revoked, but none is requested; {FIX}");
        return Err(fault("client_crl_file", tls.client_crl_file.line(), problem));
    }
    diagnostics.note("client_auth_type", "clients need no certificate");
    Ok(())
}

fn allowed(tls: &Tls, policy: Policy) -> Result<Option<Vec<String>>, Fault> {
    let field = &tls.client_allowed_sans;
    if !field.is_written() {
        return Ok(None);
    }
    let fault = |problem: &str| fault("client_allowed_sans", field.line(), problem);
    if !policy.is_verified {
        return Err(fault(
            "this client_auth_type verifies no certificate, so anyone could bear a listed name; \
             set client_auth_type: RequireAndVerifyClientCert",
        ));
    }
    match field.value() {
        Some(names) if !names.is_empty() && names.iter().all(|name| !name.is_empty()) => {
            Ok(Some(names.clone()))
        }
        _ => {
            Err(fault("lists no name, or an empty one; list the clients' names or remove the key"))
        }
    }
}

fn authorities(
    tls: &Tls,
    policy: Policy,
    provider: &Arc<CryptoProvider>,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Authorities>, Fault> {
    let (inline, file) = (&tls.client_ca, &tls.client_ca_file);
    let (key, line) = if file.text().is_some() {
        ("client_ca_file", file.line())
    } else {
        ("client_ca", inline.line())
    };
    let certificates = match (inline.text(), file.text()) {
        (Some(_), Some(_)) => {
            return Err(fault(key, line, "use client_ca or client_ca_file, not both"));
        }
        (None, None) => return without_authority(tls, policy).map(|()| None),
        (Some(text), None) => {
            pem::certificates(text.as_bytes()).map_err(|problem| fault(key, line, problem))?
        }
        (None, Some(_)) => from_file(key, file, SMALL, files, pem::certificates)?,
    };
    let lists = revocation_lists(tls, policy, files, diagnostics)?;

    let now = ASN1Time::now();
    let mut roots = RootCertStore::empty();
    for (index, der) in certificates.iter().enumerate() {
        let unusable =
            |problem: String| fault(key, line, format!("certificate {}: {problem}", index + 1));
        let certificate = identity::parse(der)
            .ok_or_else(|| unusable("it is damaged; replace the file".into()))?;
        validity::certificate("client_ca", &certificate, now, diagnostics);
        // webpki ignores the dates of trust anchors; an expired authority must not be trusted.
        if certificate.validity().is_valid_at(now) {
            roots
                .add(der.clone())
                .map_err(|error| unusable(format!("it cannot be an authority: {error}")))?;
        }
    }
    if roots.is_empty() && certificates.iter().all(|der| is_authority(der)) {
        diagnostics.failure("client_ca", "no authority is in force, so every client is refused");
    }
    let list_fault = |problem| fault("client_crl_file", tls.client_crl_file.line(), problem);
    revocation::check(&lists, &certificates, provider, diagnostics).map_err(list_fault)?;
    Ok(Some(Authorities {
        revoked: revoked(&lists),
        has_lists: !lists.is_empty(),
        chains: chains(roots, &lists, provider).map_err(list_fault)?,
        certificates: certificates.into_iter().collect(),
    }))
}

/// The errors for keys that need an authority.
fn without_authority(tls: &Tls, policy: Policy) -> Result<(), Fault> {
    let dependent_keys: [(&str, bool, Option<u64>); 3] = [
        ("client_auth_type", policy.is_required && policy.is_verified, tls.client_auth_type.line()),
        (
            "client_allowed_sans",
            tls.client_allowed_sans.is_written(),
            tls.client_allowed_sans.line(),
        ),
        ("client_crl_file", tls.client_crl_file.text().is_some(), tls.client_crl_file.line()),
    ];
    for (key, is_set, line) in dependent_keys {
        if is_set {
            return Err(fault(
                key,
                line,
                "needs an authority to verify clients with: set client_ca_file (or client_ca)",
            ));
        }
    }
    Ok(())
}

fn is_authority(der: &CertificateDer<'_>) -> bool {
    identity::parse(der).is_some_and(|certificate| certificate.is_ca())
}

fn chains(
    roots: RootCertStore,
    lists: &[CertificateRevocationListDer<'static>],
    provider: &CryptoProvider,
) -> Result<Option<ChainVerifier>, String> {
    if roots.is_empty() {
        return Ok(None);
    }
    ChainVerifier::new(roots, lists, provider.signature_verification_algorithms)
        .map(Some)
        .map_err(|error| format!("holds a revocation list that cannot be used: {error}"))
}

fn revocation_lists(
    tls: &Tls,
    policy: Policy,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<CertificateRevocationListDer<'static>>, Fault> {
    let field = &tls.client_crl_file;
    if field.text().is_none() {
        return Ok(Vec::new());
    }
    if !policy.is_verified {
        return Err(fault(
            "client_crl_file",
            field.line(),
            "this client_auth_type verifies no certificate, revoked ones neither; set \
             client_auth_type: RequireAndVerifyClientCert",
        ));
    }
    let lists = from_file("client_crl_file", field, LARGE, files, pem::revocation_lists)?;
    for der in &lists {
        let Ok((_, list)) = CertificateRevocationList::from_der(der) else { continue };
        validity::revocation_list(&list, ASN1Time::now(), diagnostics);
    }
    Ok(lists)
}

fn revoked(lists: &[CertificateRevocationListDer<'static>]) -> HashSet<(Vec<u8>, Vec<u8>)> {
    let mut revoked = HashSet::new();
    for der in lists {
        let Ok((_, list)) = CertificateRevocationList::from_der(der) else { continue };
        let issuer = list.issuer().as_raw();
        for entry in list.iter_revoked_certificates() {
            revoked.insert((issuer.to_vec(), entry.raw_serial().to_vec()));
        }
    }
    revoked
}

fn report(
    tls: &Tls,
    policy: Policy,
    allowed: Option<&[String]>,
    has_authority: bool,
    diagnostics: &mut Diagnostics,
) {
    let key = "client_auth_type";
    let name = tls.client_auth_type.text().unwrap_or_default();
    if !policy.is_verified {
        diagnostics
            .warning(key, format!("{name} verifies nothing: any certificate of anyone's will do"));
        if has_authority {
            diagnostics.warning("client_ca", format!("{name} does not use it to verify"));
        }
    } else if !has_authority {
        diagnostics.warning(key, format!("{name} without client_ca refuses every certificate"));
    } else {
        diagnostics.note(key, name);
    }
    if let Some(allowed) = allowed {
        diagnostics.note("client_allowed_sans", allowed.join(", "));
    }
}
