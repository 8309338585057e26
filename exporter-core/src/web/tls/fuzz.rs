//! Random PEM, certificates and revocation lists: no input causes a panic.

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivatePkcs8KeyDer, UnixTime,
};
use x509_parser::time::ASN1Time;

use super::chain::ChainVerifier;
use super::{identity, pem, revocation, validity};
use crate::testing;
use crate::web::config::diagnostics::Diagnostics;
use crate::web::pki::{Authority, client_params};

#[test]
fn fuzz_pem() {
    let authority = Authority::new("ca");
    let server = authority.server();
    let mut corpus = testing::corpus(env!("CARGO_MANIFEST_DIR"), "pem");
    corpus.extend([
        server.certificate.into_bytes(),
        server.key.serialize_pem().into_bytes(),
        authority.revoke(&[1, 2, 3], 4000).into_bytes(),
    ]);
    testing::fuzz(corpus, |bytes| {
        let errors = [
            pem::certificates(bytes).err(),
            pem::private_key(bytes).err(),
            pem::revocation_lists(bytes).err(),
        ];
        for error in errors.into_iter().flatten() {
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    });
}

#[test]
fn fuzz_certificates() {
    let authority = Authority::new("ca");
    let names = ["a.example", "10.1.2.3", "2001:db8::1"];
    let certificates = [authority.server(), authority.issue(&client_params(&names))];
    let mut corpus: Vec<_> = certificates.iter().map(|holder| holder.chain[0].to_vec()).collect();
    corpus.push(authority.0.der().to_vec());
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let chains = ChainVerifier::new(roots, &[], algorithms).unwrap();
    testing::fuzz(corpus, |bytes| {
        let der = CertificateDer::from(bytes);
        if let Some(certificate) = identity::parse(&der) {
            let mut diagnostics = Diagnostics::default();
            validity::certificate("client_ca", &certificate, ASN1Time::now(), &mut diagnostics);
            identity::names(&certificate);
            identity::is_for_clients(&certificate);
            assert!(!identity::subject(certificate.subject()).contains(char::is_control));
        }
        let is_known = certificates.iter().any(|holder| *holder.chain[0] == *bytes);
        assert!(chains.verify(&der, &[], UnixTime::now()).is_err() || is_known);
        let _ = RootCertStore::empty().add(der.into_owned());
    });
}

#[test]
fn fuzz_private_keys() {
    let key = Authority::new("ca").server().key.serialize_der();
    let provider = aws_lc_rs::default_provider();
    testing::fuzz(vec![key], |bytes| {
        let key = PrivatePkcs8KeyDer::from(bytes.to_vec());
        let _ = provider.key_provider.load_private_key(key.into());
    });
}

#[test]
fn fuzz_revocation_lists() {
    let authority = Authority::new("ca");
    let lists = [&[][..], &[1, 2, 3]].map(|serials| {
        let pem = authority.revoke(serials, 4000);
        CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
    });
    let provider = aws_lc_rs::default_provider();
    let authorities = [authority.0.der().clone()];
    testing::fuzz(lists.to_vec(), |bytes| {
        let list = [CertificateRevocationListDer::from(bytes)];
        let mut diagnostics = Diagnostics::default();
        let verified = revocation::check(&list, &authorities, &provider, &mut diagnostics);
        let algorithms = provider.signature_verification_algorithms;
        let usable = ChainVerifier::new(RootCertStore::empty(), &list, algorithms);
        let is_known = lists.iter().any(|list| list == bytes);
        assert_eq!(verified.is_ok() && usable.is_ok(), is_known, "a changed list is not signed");
    });
}
