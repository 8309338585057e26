//! An authority that signs certificates, in memory.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    KeyUsagePurpose,
};

#[derive(Debug)]
pub(crate) struct Authority(pub(crate) CertifiedIssuer<'static, KeyPair>);

/// A certificate with this common name, and these alternative names.
pub(crate) fn params(name: &str, sans: &[&str]) -> CertificateParams {
    let sans: Vec<String> = sans.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(sans).expect("the names are valid");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, |_| ())
    }

    pub(crate) fn with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = params(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        change(&mut params);
        let key = KeyPair::generate().expect("keys can be generated");
        Self(CertifiedIssuer::self_signed(params, key).expect("the parameters are valid"))
    }

    /// A certificate, with a new key.
    pub(crate) fn sign(&self, params: &CertificateParams) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().expect("keys can be generated");
        let certificate = params.signed_by(&key, &self.0).expect("the parameters are valid");
        (certificate, key)
    }
}
