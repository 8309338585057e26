mod parameters;
mod revocation;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType, date_time_ymd,
};
use rustls::AlertDescription;
use rustls::version::{TLS12, TLS13};

use crate::web::config::ConfigError;
use crate::web::pki::{
    Authority, Directory, Handshake, Holder, client, client_params, handshake, params,
};
use crate::web::reload::ConfigStore;
use crate::web::tls::rejection::Rejection;

const BOTH: [&rustls::SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

struct Setup {
    directory: Directory,
    authority: Authority,
}

impl Setup {
    fn new() -> Self {
        let (directory, authority) = (Directory::new(), Authority::new("fleet"));
        directory.fill(&authority.server(), &authority);
        Self { directory, authority }
    }

    fn live(&self, keys: &str) -> std::sync::Arc<ConfigStore> {
        self.load(keys).unwrap()
    }

    fn load(&self, keys: &str) -> Result<std::sync::Arc<ConfigStore>, ConfigError> {
        let text =
            format!("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n{keys}");
        ConfigStore::load(Some(self.directory.write("web.yml", &text)))
    }

    /// The results of handshakes in both versions.
    fn rejections(&self, live: &ConfigStore, holder: Option<&Holder>) -> [Option<Rejection>; 2] {
        BOTH.map(|version| {
            let settings = live.current();
            let client = client(&self.authority, holder, &[version]);
            let made = handshake(settings.tls.as_ref().unwrap(), &client);
            let rejection = rejection(&made);
            assert!(rejection.is_some() || settings.admits(&made.server).is_ok());
            assert_eq!(rejection.is_some(), made.alert.is_some());
            rejection
        })
    }
}

fn rejection(made: &Handshake) -> Option<Rejection> {
    let error = made.outcome.as_ref().err()?;
    let error = std::io::Error::new(std::io::ErrorKind::InvalidData, error.clone());
    Some(Rejection::of(&error))
}

const VERIFY: &str = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";

#[test]
fn each_invalid_certificate_is_rejected_with_its_reason() {
    let setup = Setup::new();
    let live = setup.live(&format!("{VERIFY}  client_allowed_sans: [prometheus.example]\n"));
    let issue = |change: fn(&mut CertificateParams)| {
        let mut params = client_params(&["prometheus.example"]);
        change(&mut params);
        setup.authority.issue(&params)
    };
    let stranger = Authority::new("fleet");
    let cases: [(&str, Option<Holder>, Option<Rejection>); 12] = [
        ("good", Some(setup.authority.client()), None),
        ("none", None, Some(Rejection::NoCertificate)),
        // The same name, with another key.
        ("wrong CA", Some(stranger.client()), Some(Rejection::UnknownCa)),
        ("unknown CA", Some(Authority::new("elsewhere").client()), Some(Rejection::UnknownCa)),
        (
            "expired",
            Some(issue(|params| params.not_after = date_time_ymd(2020, 1, 1))),
            Some(Rejection::Expired),
        ),
        (
            "not yet valid",
            Some(issue(|params| params.not_before = date_time_ymd(4000, 1, 1))),
            Some(Rejection::NotYetValid),
        ),
        (
            "for servers",
            Some(issue(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            })),
            Some(Rejection::BadCertificate),
        ),
        (
            "an authority",
            Some(issue(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))),
            Some(Rejection::BadCertificate),
        ),
        (
            "another name",
            Some(setup.authority.issue(&client_params(&["grafana.example"]))),
            Some(Rejection::SanNotAllowed),
        ),
        (
            "a wildcard",
            Some(setup.authority.issue(&client_params(&["*.example"]))),
            Some(Rejection::SanNotAllowed),
        ),
        (
            "in capitals",
            Some(setup.authority.issue(&client_params(&["Prometheus.Example"]))),
            Some(Rejection::SanNotAllowed),
        ),
        (
            "only a common name",
            Some(setup.authority.issue(&params("prometheus.example", &[]))),
            Some(Rejection::SanNotAllowed),
        ),
    ];
    for (what, holder, expected) in &cases {
        let rejections = setup.rejections(&live, holder.as_ref());
        assert_eq!(rejections, [*expected; 2], "{what}");
    }
}

#[test]
fn the_alert_names_the_reason() {
    let setup = Setup::new();
    let live = setup.live(&format!("{VERIFY}  client_allowed_sans: [other]\n"));
    let mut expired = client_params(&["other"]);
    expired.not_after = date_time_ymd(2020, 1, 1);
    let expired = setup.authority.issue(&expired);
    let stranger = Authority::new("elsewhere").client();
    let unlisted = setup.authority.client();
    for (holder, alert) in [
        (None, AlertDescription::CertificateRequired),
        (Some(&stranger), AlertDescription::UnknownCA),
        (Some(&expired), AlertDescription::CertificateExpired),
        (Some(&unlisted), AlertDescription::BadCertificate),
    ] {
        let client = client(&setup.authority, holder, &[&TLS13]);
        let made = handshake(live.current().tls.as_ref().unwrap(), &client);
        assert_eq!(made.alert, Some(alert));
    }
}

#[test]
fn every_type_of_san_can_be_allowed() {
    let setup = Setup::new();
    let mut several = client_params(&["a.example", "10.1.2.3", "2001:db8::1"]);
    several.subject_alt_names.extend([
        SanType::URI("spiffe://example/prometheus".try_into().unwrap()),
        SanType::Rfc822Name("ops@example".try_into().unwrap()),
    ]);
    let holder = setup.authority.issue(&several);
    for (listed, rejection) in [
        ("a.example", None),
        ("10.1.2.3", None),
        ("\"2001:db8::1\"", None),
        ("\"2001:0db8:0::0001\"", None),
        ("\"::ffff:10.1.2.3\"", None),
        ("\"spiffe://example/prometheus\"", None),
        ("ops@example", None),
        ("b.example, ops@example", None),
        ("10.1.2.4", Some(Rejection::SanNotAllowed)),
        ("a.example.", Some(Rejection::SanNotAllowed)),
        ("a", Some(Rejection::SanNotAllowed)),
        ("prometheus", Some(Rejection::SanNotAllowed)),
    ] {
        let live = setup.live(&format!("{VERIFY}  client_allowed_sans: [{listed}]\n"));
        assert_eq!(setup.rejections(&live, Some(&holder)), [rejection; 2], "{listed}");
    }
    let live = setup.live(&format!("{VERIFY}  client_allowed_sans: [a.example]\n"));
    let client = client(&setup.authority, Some(&holder), &[&TLS13]);
    let settings = live.current();
    let made = handshake(settings.tls.as_ref().unwrap(), &client);
    let caller = settings.admits(&made.server).unwrap();
    assert_eq!(caller.name.as_deref(), Some("a.example"));
    assert_eq!(caller.verified_name(), Some("a.example"));
}

#[test]
fn a_name_is_verified_only_if_the_policy_verifies_certificates() {
    let setup = Setup::new();
    let live = setup.live("  client_auth_type: RequireAnyClientCert\n");
    let holder = Authority::new("elsewhere").client();
    let client = client(&setup.authority, Some(&holder), &[&TLS13]);
    let settings = live.current();
    let made = handshake(settings.tls.as_ref().unwrap(), &client);
    let caller = settings.admits(&made.server).unwrap();
    assert!(caller.name.is_some());
    assert_eq!(caller.verified_name(), None);
}

#[test]
fn each_policy_requires_what_it_names() {
    let setup = Setup::new();
    let ours = setup.authority.client();
    let theirs = Authority::new("elsewhere").client();
    let old = Some(Rejection::NoCertificate);
    let unknown = Some(Rejection::UnknownCa);
    let ca = "  client_ca_file: ca.pem\n";
    for (policy, ca, none, good, stranger) in [
        ("NoClientCert", "", None, None, None),
        ("RequestClientCert", "", None, None, None),
        ("RequireAnyClientCert", "", old, None, None),
        ("RequireClientCert", ca, old, None, None),
        ("VerifyClientCertIfGiven", "", None, unknown, unknown),
        ("VerifyClientCertIfGiven", ca, None, None, unknown),
        ("RequireAndVerifyClientCert", ca, old, None, unknown),
    ] {
        let live = setup.live(&format!("  client_auth_type: {policy}\n{ca}"));
        assert_eq!(setup.rejections(&live, None), [none; 2], "{policy}");
        assert_eq!(setup.rejections(&live, Some(&ours)), [good; 2], "{policy}");
        assert_eq!(setup.rejections(&live, Some(&theirs)), [stranger; 2], "{policy}");
    }
    // A client that presents a certificate must have an allowed name; one without is accepted.
    let live = setup.live(&format!(
        "  client_auth_type: VerifyClientCertIfGiven\n{ca}  client_allowed_sans: [other]\n"
    ));
    assert_eq!(setup.rejections(&live, None), [None; 2]);
    assert_eq!(setup.rejections(&live, Some(&ours)), [Some(Rejection::SanNotAllowed); 2]);
}

#[test]
fn an_incomplete_chain_is_rejected() {
    let setup = Setup::new();
    let live = setup.live(VERIFY);
    let mut link = params("link", &[]);
    link.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let link =
        CertifiedIssuer::signed_by(link, KeyPair::generate().unwrap(), &setup.authority.0).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = client_params(&["prometheus.example"]).signed_by(&key, &link).unwrap();
    let mut holder = Holder { certificate: leaf.pem(), chain: vec![leaf.der().clone()], key };
    assert_eq!(setup.rejections(&live, Some(&holder)), [Some(Rejection::UnknownCa); 2]);
    holder.chain.push(link.der().clone());
    assert_eq!(setup.rejections(&live, Some(&holder)), [None; 2]);
}

#[test]
fn certificates_of_an_expired_authority_are_rejected() {
    let setup = Setup::new();
    let old = Authority::with("old", |params| params.not_after = date_time_ymd(2020, 1, 1));
    setup.directory.write("ca.pem", &old.0.pem());
    let live = setup.live(VERIFY);
    assert_eq!(setup.rejections(&live, Some(&old.client())), [Some(Rejection::UnknownCa); 2]);
    let both = format!("{}{}", old.0.pem(), setup.authority.0.pem());
    setup.directory.write("ca.pem", &both);
    let live = setup.live(VERIFY);
    assert_eq!(setup.rejections(&live, Some(&old.client())), [Some(Rejection::UnknownCa); 2]);
    assert_eq!(setup.rejections(&live, Some(&setup.authority.client())), [None; 2]);
    assert!(live.current().certificates.iter().any(|certificate| {
        certificate.role == "client_ca" && certificate.not_after == 1_577_836_800
    }));
}

#[test]
fn a_certificate_in_client_ca_is_accepted_itself() {
    let setup = Setup::new();
    let of = |change: fn(&mut CertificateParams)| {
        let mut params = client_params(&["prometheus.example"]);
        change(&mut params);
        Holder::self_signed(&params)
    };
    let cases: [(Holder, Option<Rejection>); 6] = [
        (of(|_| ()), None),
        (of(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)), None),
        (of(|params| params.extended_key_usages.clear()), None),
        (of(|params| params.not_after = date_time_ymd(2020, 1, 1)), Some(Rejection::Expired)),
        (of(|params| params.not_before = date_time_ymd(4000, 1, 1)), Some(Rejection::NotYetValid)),
        (
            of(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }),
            Some(Rejection::BadCertificate),
        ),
    ];
    for (nth, (holder, rejection)) in cases.iter().enumerate() {
        setup.directory.write("ca.pem", &holder.certificate);
        let live = setup.live(VERIFY);
        assert_eq!(setup.rejections(&live, Some(holder)), [*rejection; 2], "{nth}");
        // A copy of the certificate without its key.
        let thief = Holder {
            certificate: String::new(),
            chain: holder.chain.clone(),
            key: KeyPair::generate().unwrap(),
        };
        let client = rustls_client_with_foreign_key(&setup.authority, &thief);
        let made = handshake(live.current().tls.as_ref().unwrap(), &client);
        assert!(made.outcome.is_err(), "{nth}");
        // Another certificate of the same name.
        let twin = of(|_| ());
        assert!(setup.rejections(&live, Some(&twin)).iter().all(Option::is_some), "{nth}");
    }
}

/// rustls refuses to build a client whose key is not that of its certificate.
fn rustls_client_with_foreign_key(
    authority: &Authority,
    holder: &Holder,
) -> std::sync::Arc<rustls::ClientConfig> {
    use rustls::pki_types::PrivateKeyDer;
    use rustls::sign::{CertifiedKey, SingleCertAndKey};

    let key = PrivateKeyDer::try_from(holder.key.serialize_der()).unwrap();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let certified = CertifiedKey::new(holder.chain.clone(), key);
    let mut config = (*client(authority, None, &[&TLS13])).clone();
    config.client_auth_cert_resolver = std::sync::Arc::new(SingleCertAndKey::from(certified));
    std::sync::Arc::new(config)
}

#[test]
fn a_certificate_for_any_usage_is_accepted() {
    let setup = Setup::new();
    let live = setup.live(VERIFY);
    for (usages, rejection) in [
        (vec![ExtendedKeyUsagePurpose::Any], None),
        (vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any], None),
        (vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth], None),
        (vec![ExtendedKeyUsagePurpose::CodeSigning], Some(Rejection::BadCertificate)),
    ] {
        let mut params = client_params(&["prometheus.example"]);
        params.extended_key_usages = usages.clone();
        let holder = setup.authority.issue(&params);
        assert_eq!(setup.rejections(&live, Some(&holder)), [rejection; 2], "{usages:?}");
    }
}
