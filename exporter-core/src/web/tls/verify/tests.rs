use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType, SerialNumber, date_time_ymd,
};
use rustls::AlertDescription;
use rustls::HandshakeKind;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};

use crate::web::config::ConfigError;
use crate::web::pki::{
    Authority, Directory, Handshake, Holder, client, client_params, handshake, params,
};
use crate::web::reload::ConfigStore;
use crate::web::tls::refusal::Refusal;

const BOTH: [&rustls::SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

struct Fleet {
    directory: Directory,
    authority: Authority,
}

impl Fleet {
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

    /// How handshakes in both versions end.
    fn refusals(&self, live: &ConfigStore, holder: Option<&Holder>) -> [Option<Refusal>; 2] {
        BOTH.map(|version| {
            let settings = live.current();
            let client = client(&self.authority, holder, &[version]);
            let made = handshake(settings.tls.as_ref().unwrap(), &client);
            let refusal = refusal(&made);
            assert!(refusal.is_some() || settings.admits(&made.server).is_ok());
            assert_eq!(refusal.is_some(), made.alert.is_some());
            refusal
        })
    }
}

fn refusal(made: &Handshake) -> Option<Refusal> {
    let error = made.outcome.as_ref().err()?;
    let error = std::io::Error::new(std::io::ErrorKind::InvalidData, error.clone());
    Some(Refusal::of(&error))
}

const VERIFY: &str = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";

#[test]
fn each_bad_certificate_is_refused_for_its_reason() {
    let fleet = Fleet::new();
    let live = fleet.live(&format!("{VERIFY}  client_allowed_sans: [prometheus.example]\n"));
    let issue = |change: fn(&mut CertificateParams)| {
        let mut params = client_params(&["prometheus.example"]);
        change(&mut params);
        fleet.authority.issue(&params)
    };
    let stranger = Authority::new("fleet");
    let cases: [(&str, Option<Holder>, Option<Refusal>); 12] = [
        ("good", Some(fleet.authority.client()), None),
        ("none", None, Some(Refusal::NoCertificate)),
        // Of the same name, with another key.
        ("wrong CA", Some(stranger.client()), Some(Refusal::UnknownCa)),
        ("unknown CA", Some(Authority::new("elsewhere").client()), Some(Refusal::UnknownCa)),
        (
            "expired",
            Some(issue(|params| params.not_after = date_time_ymd(2020, 1, 1))),
            Some(Refusal::Expired),
        ),
        (
            "not yet valid",
            Some(issue(|params| params.not_before = date_time_ymd(4000, 1, 1))),
            Some(Refusal::NotYetValid),
        ),
        (
            "for servers",
            Some(issue(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            })),
            Some(Refusal::BadCertificate),
        ),
        (
            "an authority",
            Some(issue(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))),
            Some(Refusal::BadCertificate),
        ),
        (
            "another name",
            Some(fleet.authority.issue(&client_params(&["grafana.example"]))),
            Some(Refusal::SanNotAllowed),
        ),
        (
            "a wildcard",
            Some(fleet.authority.issue(&client_params(&["*.example"]))),
            Some(Refusal::SanNotAllowed),
        ),
        (
            "in capitals",
            Some(fleet.authority.issue(&client_params(&["Prometheus.Example"]))),
            Some(Refusal::SanNotAllowed),
        ),
        (
            "only a common name",
            Some(fleet.authority.issue(&params("prometheus.example", &[]))),
            Some(Refusal::SanNotAllowed),
        ),
    ];
    for (what, holder, expected) in &cases {
        let refusals = fleet.refusals(&live, holder.as_ref());
        assert_eq!(refusals, [*expected; 2], "{what}");
    }
}

#[test]
fn the_client_is_told_why() {
    let fleet = Fleet::new();
    let live = fleet.live(&format!("{VERIFY}  client_allowed_sans: [other]\n"));
    let mut expired = client_params(&["other"]);
    expired.not_after = date_time_ymd(2020, 1, 1);
    let expired = fleet.authority.issue(&expired);
    let stranger = Authority::new("elsewhere").client();
    let unlisted = fleet.authority.client();
    for (holder, alert) in [
        (None, AlertDescription::CertificateRequired),
        (Some(&stranger), AlertDescription::UnknownCA),
        (Some(&expired), AlertDescription::CertificateExpired),
        (Some(&unlisted), AlertDescription::BadCertificate),
    ] {
        let client = client(&fleet.authority, holder, &[&TLS13]);
        let made = handshake(live.current().tls.as_ref().unwrap(), &client);
        assert_eq!(made.alert, Some(alert));
    }
}

#[test]
fn every_kind_of_name_can_be_listed() {
    let fleet = Fleet::new();
    let mut several = client_params(&["a.example", "10.1.2.3", "2001:db8::1"]);
    several.subject_alt_names.extend([
        SanType::URI("spiffe://example/prometheus".try_into().unwrap()),
        SanType::Rfc822Name("ops@example".try_into().unwrap()),
    ]);
    let holder = fleet.authority.issue(&several);
    for (listed, refusal) in [
        ("a.example", None),
        ("10.1.2.3", None),
        ("\"2001:db8::1\"", None),
        ("\"2001:0db8:0::0001\"", None),
        ("\"::ffff:10.1.2.3\"", None),
        ("\"spiffe://example/prometheus\"", None),
        ("ops@example", None),
        ("b.example, ops@example", None),
        ("10.1.2.4", Some(Refusal::SanNotAllowed)),
        ("a.example.", Some(Refusal::SanNotAllowed)),
        ("a", Some(Refusal::SanNotAllowed)),
        ("prometheus", Some(Refusal::SanNotAllowed)),
    ] {
        let live = fleet.live(&format!("{VERIFY}  client_allowed_sans: [{listed}]\n"));
        assert_eq!(fleet.refusals(&live, Some(&holder)), [refusal; 2], "{listed}");
    }
    let live = fleet.live(&format!("{VERIFY}  client_allowed_sans: [a.example]\n"));
    let client = client(&fleet.authority, Some(&holder), &[&TLS13]);
    let settings = live.current();
    let made = handshake(settings.tls.as_ref().unwrap(), &client);
    assert_eq!(settings.admits(&made.server).unwrap().name.as_deref(), Some("a.example"));
}

#[test]
fn each_policy_asks_what_it_says() {
    let fleet = Fleet::new();
    let ours = fleet.authority.client();
    let theirs = Authority::new("elsewhere").client();
    let old = Some(Refusal::NoCertificate);
    let unknown = Some(Refusal::UnknownCa);
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
        let live = fleet.live(&format!("  client_auth_type: {policy}\n{ca}"));
        assert_eq!(fleet.refusals(&live, None), [none; 2], "{policy}");
        assert_eq!(fleet.refusals(&live, Some(&ours)), [good; 2], "{policy}");
        assert_eq!(fleet.refusals(&live, Some(&theirs)), [stranger; 2], "{policy}");
    }
    // Whoever shows a certificate has to be listed; who shows none was not asked to.
    let live = fleet.live(&format!(
        "  client_auth_type: VerifyClientCertIfGiven\n{ca}  client_allowed_sans: [other]\n"
    ));
    assert_eq!(fleet.refusals(&live, None), [None; 2]);
    assert_eq!(fleet.refusals(&live, Some(&ours)), [Some(Refusal::SanNotAllowed); 2]);
}

#[test]
fn a_chain_needs_its_links() {
    let fleet = Fleet::new();
    let live = fleet.live(VERIFY);
    let mut link = params("link", &[]);
    link.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let link =
        CertifiedIssuer::signed_by(link, KeyPair::generate().unwrap(), &fleet.authority.0).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = client_params(&["prometheus.example"]).signed_by(&key, &link).unwrap();
    let mut holder = Holder { certificate: leaf.pem(), chain: vec![leaf.der().clone()], key };
    assert_eq!(fleet.refusals(&live, Some(&holder)), [Some(Refusal::UnknownCa); 2]);
    holder.chain.push(link.der().clone());
    assert_eq!(fleet.refusals(&live, Some(&holder)), [None; 2]);
}

#[test]
fn an_authority_past_its_end_vouches_for_nobody() {
    let fleet = Fleet::new();
    let old = Authority::with("old", |params| params.not_after = date_time_ymd(2020, 1, 1));
    fleet.directory.write("ca.pem", &old.0.pem());
    let live = fleet.live(VERIFY);
    assert_eq!(fleet.refusals(&live, Some(&old.client())), [Some(Refusal::UnknownCa); 2]);
    let both = format!("{}{}", old.0.pem(), fleet.authority.0.pem());
    fleet.directory.write("ca.pem", &both);
    let live = fleet.live(VERIFY);
    assert_eq!(fleet.refusals(&live, Some(&old.client())), [Some(Refusal::UnknownCa); 2]);
    assert_eq!(fleet.refusals(&live, Some(&fleet.authority.client())), [None; 2]);
    assert!(live.current().certificates.iter().any(|certificate| {
        certificate.role == "client_ca" && certificate.not_after == 1_577_836_800
    }));
}

#[test]
fn a_configured_certificate_may_be_shown_as_it_is() {
    let fleet = Fleet::new();
    let of = |change: fn(&mut CertificateParams)| {
        let mut params = client_params(&["prometheus.example"]);
        change(&mut params);
        Holder::self_signed(&params)
    };
    let cases: [(Holder, Option<Refusal>); 6] = [
        (of(|_| ()), None),
        (of(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)), None),
        (of(|params| params.extended_key_usages.clear()), None),
        (of(|params| params.not_after = date_time_ymd(2020, 1, 1)), Some(Refusal::Expired)),
        (of(|params| params.not_before = date_time_ymd(4000, 1, 1)), Some(Refusal::NotYetValid)),
        (
            of(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }),
            Some(Refusal::BadCertificate),
        ),
    ];
    for (nth, (holder, refusal)) in cases.iter().enumerate() {
        fleet.directory.write("ca.pem", &holder.certificate);
        let live = fleet.live(VERIFY);
        assert_eq!(fleet.refusals(&live, Some(holder)), [*refusal; 2], "{nth}");
        // Who has the certificate has not its key.
        let thief = Holder {
            certificate: String::new(),
            chain: holder.chain.clone(),
            key: KeyPair::generate().unwrap(),
        };
        let client = rustls_client_with_foreign_key(&fleet.authority, &thief);
        let made = handshake(live.current().tls.as_ref().unwrap(), &client);
        assert!(made.outcome.is_err(), "{nth}");
        // Another of the same name is not the same.
        let twin = of(|_| ());
        assert!(fleet.refusals(&live, Some(&twin)).iter().all(Option::is_some), "{nth}");
    }
}

/// rustls would not make a client of a key that is not its certificate's.
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
fn what_is_revoked_stays_outside() {
    let fleet = Fleet::new();
    let issue = |serial: u64| {
        let mut params = client_params(&["prometheus.example"]);
        params.serial_number = Some(SerialNumber::from(serial));
        fleet.authority.issue(&params)
    };
    let (one, two) = (issue(1001), issue(1002));
    let keys = format!("{VERIFY}  client_crl_file: crl.pem\n");
    let unknown = Some(Refusal::RevocationUnknown);
    for (list, first, second) in [
        (fleet.authority.revoke(&[1001], 4000), Some(Refusal::Revoked), None),
        (fleet.authority.revoke(&[], 4000), None, None),
        // A list out of date.
        (fleet.authority.revoke(&[1001], 2021), Some(Refusal::RevocationUnknown), unknown),
    ] {
        fleet.directory.write("crl.pem", &list);
        let live = fleet.live(&keys);
        let [refused, again] = fleet.refusals(&live, Some(&one));
        assert_eq!(refused, again);
        // An old list that names it may count as either.
        assert!(refused == first || refused == Some(Refusal::Revoked), "{refused:?}");
        assert_eq!(fleet.refusals(&live, Some(&two)), [second; 2]);
        assert!(live.current().certificates.iter().any(|dated| dated.role == "client_crl"));
    }
    // Also one that is configured itself.
    let mut params = client_params(&["prometheus.example"]);
    params.serial_number = Some(SerialNumber::from(1001_u64));
    let pinned = fleet.authority.issue(&params);
    let both = format!("{}{}", fleet.authority.0.pem(), pinned.certificate);
    fleet.directory.write("ca.pem", &both);
    fleet.directory.write("crl.pem", &fleet.authority.revoke(&[1001], 4000));
    let live = fleet.live(&keys);
    assert_eq!(fleet.refusals(&live, Some(&pinned)), [Some(Refusal::Revoked); 2]);
}

#[test]
fn a_list_of_another_authority_is_refused_when_it_is_read() {
    let fleet = Fleet::new();
    let keys = format!("{VERIFY}  client_crl_file: crl.pem\n");
    let ours = fleet.authority.revoke(&[1001], 4000);
    let elsewhere = Authority::new("elsewhere");
    let damaged = {
        let list = CertificateRevocationListDer::from_pem_slice(ours.as_bytes()).unwrap();
        let mut bytes = list.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    for (list, problem) in [
        (elsewhere.revoke(&[1001], 4000).into_bytes(), "every client would be refused"),
        // Of the same name, with another key.
        (Authority::new("fleet").revoke(&[], 4000).into_bytes(), "signature"),
        (damaged.clone(), "signature"),
        (
            [ours.as_bytes(), Authority::new("fleet").revoke(&[], 4000).as_bytes()].concat(),
            "list 2",
        ),
    ] {
        std::fs::write(fleet.directory.path().join("crl.pem"), &list).unwrap();
        let error = fleet.load(&keys).unwrap_err().to_string();
        assert!(error.contains("client_crl_file") && error.contains(problem), "{error}");
    }
    // An intermediate authority need not be configured; a second authority needs a list.
    let both = format!("{ours}{}", elsewhere.revoke(&[], 4000));
    fleet.directory.write("crl.pem", &both);
    assert_eq!(warnings(&fleet.live(&keys)), ["elsewhere"]);
    fleet.directory.write("crl.pem", &ours);
    let two = format!("{}{}", fleet.authority.0.pem(), elsewhere.0.pem());
    fleet.directory.write("ca.pem", &two);
    assert_eq!(warnings(&fleet.live(&keys)), ["elsewhere"]);
    fleet.directory.write("crl.pem", &both);
    assert!(warnings(&fleet.live(&keys)).is_empty());
    assert_eq!(fleet.refusals(&fleet.live(&keys), Some(&elsewhere.client())), [None; 2]);
}

/// Of which authorities there are warnings about revocation lists.
fn warnings(live: &ConfigStore) -> Vec<&'static str> {
    let report = live.report();
    let warnings = report.iter().filter(|line| !line.is_fine && line.what == "client_crl");
    let name = |finding: &str| if finding.contains("elsewhere") { "elsewhere" } else { "another" };
    warnings.map(|line| name(&line.finding)).collect()
}

#[test]
fn a_certificate_for_any_use_is_one_for_clients() {
    let fleet = Fleet::new();
    let live = fleet.live(VERIFY);
    for (usages, refusal) in [
        (vec![ExtendedKeyUsagePurpose::Any], None),
        (vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any], None),
        (vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth], None),
        (vec![ExtendedKeyUsagePurpose::CodeSigning], Some(Refusal::BadCertificate)),
    ] {
        let mut params = client_params(&["prometheus.example"]);
        params.extended_key_usages = usages.clone();
        let holder = fleet.authority.issue(&params);
        assert_eq!(fleet.refusals(&live, Some(&holder)), [refusal; 2], "{usages:?}");
    }
}

#[test]
fn a_resumed_session_is_checked_again() {
    let fleet = Fleet::new();
    let holder = fleet.authority.client();
    for version in BOTH {
        let live = fleet.live(&format!("{VERIFY}  client_allowed_sans: [prometheus.example]\n"));
        let client = client(&fleet.authority, Some(&holder), &[version]);
        let before = live.current();
        let config = before.tls.as_ref().unwrap();
        assert!(handshake(config, &client).outcome.is_ok());
        let resumed = handshake(config, &client);
        assert_eq!(resumed.server.handshake_kind(), Some(HandshakeKind::Resumed));
        assert_eq!(
            before.admits(&resumed.server).unwrap().name.as_deref(),
            Some("prometheus.example")
        );

        fleet.live(&format!("{VERIFY}  client_allowed_sans: [somebody.else]\n"));
        live.reload().unwrap();
        let after = live.current();
        // One that was under way during the reload.
        assert_eq!(after.admits(&resumed.server), Err(Refusal::SanNotAllowed));
        // And the ticket is worth nothing any more.
        let made = handshake(after.tls.as_ref().unwrap(), &client);
        assert_eq!(refusal(&made), Some(Refusal::SanNotAllowed));
    }
}

#[test]
fn versions_and_parameters_in_common_are_needed() {
    let fleet = Fleet::new();
    for (keys, version, expected) in [
        ("  min_version: TLS13\n", &TLS12, Some(Refusal::ProtocolVersion)),
        ("  max_version: TLS12\n", &TLS13, Some(Refusal::ProtocolVersion)),
        ("  min_version: TLS10\n", &TLS12, None),
        ("  curve_preferences: [X25519MLKEM768]\n", &TLS13, None),
        ("  curve_preferences: [X25519MLKEM768]\n", &TLS12, Some(Refusal::NoSharedParameters)),
        (
            // The server's certificate is ECDSA.
            "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n",
            &TLS12,
            Some(Refusal::NoSharedParameters),
        ),
        ("  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n", &TLS13, None),
    ] {
        let live = fleet.live(keys);
        let client = client(&fleet.authority, None, &[version]);
        let made = handshake(live.current().tls.as_ref().unwrap(), &client);
        assert_eq!(refusal(&made), expected, "{keys}");
    }
}

#[test]
fn the_server_offers_what_is_configured() {
    let fleet = Fleet::new();
    let mut config = (*client(&fleet.authority, None, &[&TLS13])).clone();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = std::sync::Arc::new(config);
    for (keys, protocol) in
        [("", &b"h2"[..]), ("http_server_config:\n  http2: false\n", &b"http/1.1"[..])]
    {
        let live = fleet.live(keys);
        let made = handshake(live.current().tls.as_ref().unwrap(), &client);
        assert_eq!(made.client.alpn_protocol(), Some(protocol));
        let group = made.server.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
    }
}
