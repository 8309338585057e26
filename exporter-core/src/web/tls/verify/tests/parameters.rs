//! Versions, parameters and resumption.

use rustls::HandshakeKind;

use super::*;

#[test]
fn a_resumed_session_is_checked_again() {
    let setup = Setup::new();
    let holder = setup.authority.client();
    for version in BOTH {
        let live = setup.live(&format!("{VERIFY}  client_allowed_sans: [prometheus.example]\n"));
        let client = client(&setup.authority, Some(&holder), &[version]);
        let before = live.current();
        let config = before.tls.as_ref().unwrap();
        assert!(handshake(config, &client).outcome.is_ok());
        let resumed = handshake(config, &client);
        assert_eq!(resumed.server.handshake_kind(), Some(HandshakeKind::Resumed));
        assert_eq!(
            before.admits(&resumed.server).unwrap().name.as_deref(),
            Some("prometheus.example")
        );

        setup.live(&format!("{VERIFY}  client_allowed_sans: [somebody.else]\n"));
        live.reload().unwrap();
        let after = live.current();
        // A handshake that was in progress during the reload.
        assert_eq!(after.admits(&resumed.server), Err(Rejection::SanNotAllowed));
        // The ticket is no longer accepted.
        let made = handshake(after.tls.as_ref().unwrap(), &client);
        assert_eq!(rejection(&made), Some(Rejection::SanNotAllowed));
    }
}

#[test]
fn handshakes_need_a_common_version_and_parameters() {
    let setup = Setup::new();
    for (keys, version, expected) in [
        ("  min_version: TLS13\n", &TLS12, Some(Rejection::ProtocolVersion)),
        ("  max_version: TLS12\n", &TLS13, Some(Rejection::ProtocolVersion)),
        ("  min_version: TLS10\n", &TLS12, None),
        ("  curve_preferences: [X25519MLKEM768]\n", &TLS13, None),
        ("  curve_preferences: [X25519MLKEM768]\n", &TLS12, Some(Rejection::NoSharedParameters)),
        (
            // The server's certificate is ECDSA.
            "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n",
            &TLS12,
            Some(Rejection::NoSharedParameters),
        ),
        ("  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n", &TLS13, None),
    ] {
        let live = setup.live(keys);
        let client = client(&setup.authority, None, &[version]);
        let made = handshake(live.current().tls.as_ref().unwrap(), &client);
        assert_eq!(rejection(&made), expected, "{keys}");
    }
}

#[test]
fn the_server_negotiates_what_is_configured() {
    let setup = Setup::new();
    let mut config = (*client(&setup.authority, None, &[&TLS13])).clone();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = std::sync::Arc::new(config);
    for (keys, protocol) in
        [("", &b"h2"[..]), ("http_server_config:\n  http2: false\n", &b"http/1.1"[..])]
    {
        let live = setup.live(keys);
        let made = handshake(live.current().tls.as_ref().unwrap(), &client);
        assert_eq!(made.client.alpn_protocol(), Some(protocol));
        let group = made.server.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
    }
}
