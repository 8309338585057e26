mod invalid;

use std::time::{Duration, SystemTime};

use super::interval;
use crate::web::pki::{Authority, Directory, Holder, params};
use crate::web::reload::ConfigStore;

/// A `tls_server_config` with a valid certificate and key, and further lines.
fn tls(keys: &str) -> String {
    format!("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n{keys}")
}

fn directory() -> Directory {
    let (directory, authority) = (Directory::new(), Authority::new("ca"));
    let server = authority.server();
    directory.fill(&server, &authority);
    directory.write("other.key", &authority.server().key.serialize_pem());
    directory.write("empty.pem", "");
    directory.write("junk.pem", "junk");
    directory.write("crl.pem", &authority.revoke(&[], 4000));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n\
                     -----END ENCRYPTED PRIVATE KEY-----\n";
    directory.write("encrypted.key", encrypted);
    let damaged = server.certificate.replacen("MII", "!!!", 1);
    directory.write("damaged.pem", &damaged);
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    directory.write("hollow.pem", hollow);
    directory.write("chain.pem", &format!("{}{}", server.certificate, authority.0.pem()));
    directory
}

#[test]
fn valid_files_load_with_their_warnings() {
    let directory = directory();
    let hash = bcrypt::hash_with_salt("x", 4, [1; 16]).unwrap().to_string();
    let read = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
    let inline = |name: &str| {
        let text = String::from_utf8(read(name)).unwrap();
        text.lines().flat_map(|line| ["    ", line, "\n"]).map(str::to_owned).collect::<String>()
    };
    for (text, has_tls, warning) in [
        (String::new(), false, ""),
        (
            "tls_server_config: {}\nhttp_server_config:\nrate_limit:\nbasic_auth_users: {}\n"
                .into(),
            false,
            "",
        ),
        (tls(""), true, ""),
        ("tls_server_config:\n  cert_file: chain.pem\n  key_file: server.key\n".into(), true, ""),
        (
            format!(
                "tls_server_config:\n  cert: |\n{}  key: |\n{}",
                inline("server.crt"),
                inline("server.key")
            ),
            true,
            "",
        ),
        (
            tls(
                "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  client_crl_file: crl.pem\n",
            ),
            true,
            "",
        ),
        (tls("  client_auth_type: RequestClientCert\n"), true, "verifies nothing"),
        (tls("  client_auth_type: RequireClientCert\n"), true, "verifies nothing"),
        (tls("  client_auth_type: VerifyClientCertIfGiven\n"), true, "refuses every certificate"),
        (tls("  min_version: TLS10\n"), true, "TLS 1.2 is the oldest"),
        (
            tls(
                "  min_version: TLS13\n  max_version: TLS13\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n",
            ),
            true,
            "",
        ),
        (tls("  cipher_suites: []\n  curve_preferences: []\n"), true, ""),
        (
            tls("  curve_preferences: [CurveP521, X25519MLKEM768, CurveP256]\n"),
            true,
            "CurveP521 is not supported",
        ),
        (tls("  prefer_server_cipher_suites: false\n"), true, ""),
        (format!("basic_auth_users:\n  a: {hash}\n"), false, "in the clear"),
        ("rate_limit:\n  interval: 1s\n  burst: 5\n".into(), false, ""),
        ("rate_limit:\n  interval: 1s\n".into(), false, "refuses every request"),
        ("rate_limit:\n  burst: 5\n".into(), false, "no limit"),
        ("rate_limit:\n  interval: -1s\n  burst: 0\n".into(), false, ""),
    ] {
        let path = directory.write("good.yml", &text);
        let live = ConfigStore::load(Some(path)).unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert_eq!(live.current().tls.is_some(), has_tls, "{text}");
        let warnings: Vec<_> = live.report().into_iter().filter(|line| !line.is_fine).collect();
        assert_eq!(warnings.is_empty(), warning.is_empty(), "{text}\n{warnings:?}");
        assert!(warnings.iter().all(|line| line.finding.contains(warning)), "{text}\n{warnings:?}");
    }
}

#[test]
fn certificates_that_expire_soon_are_reported() {
    let (directory, authority) = (Directory::new(), Authority::new("ca"));
    let path = directory.write("web.yml", &tls(""));
    let found = |end: SystemTime| {
        let mut params = params("server", &["localhost"]);
        params.not_after = end.into();
        directory.fill(&authority.issue(&params), &authority);
        let live = ConfigStore::load(Some(path.clone())).unwrap();
        let warnings = live.report().into_iter().filter(|line| !line.is_fine).count();
        (warnings, live.failures().len())
    };
    let (now, day) = (SystemTime::now(), Duration::from_secs(24 * 60 * 60));
    assert_eq!(found(now + 15 * day), (0, 0));
    assert_eq!(found(now + 13 * day), (1, 0));
    assert_eq!(found(now - day), (0, 1));
}

/// The lines of a file as a YAML block under a key.
fn block(directory: &Directory, name: &str) -> String {
    let text = std::fs::read(directory.path().join(name)).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}

#[test]
fn a_world_readable_key_is_reported() {
    let directory = directory();
    let inline = block(&directory, "server.key");
    let inline = format!("tls_server_config:\n  cert_file: server.crt\n  key: |\n{inline}");
    for (text, file, key) in [(tls(""), "server.key", "key_file"), (inline, "web.yml", "key")] {
        let path = directory.write("web.yml", &text);
        let warnings = |mode| {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(directory.path().join(file), mode).unwrap();
            let lines = ConfigStore::load(Some(path.clone())).unwrap().report();
            lines.into_iter().filter(|line| !line.is_fine).map(|line| line.what).collect::<Vec<_>>()
        };
        assert_eq!(warnings(0o600), [""; 0]);
        assert_eq!(warnings(0o644), [key]);
        assert_eq!(warnings(0o640), [""; 0]);
    }
}

#[test]
fn a_misplaced_secret_is_not_shown() {
    const HASH: &str = "$2y$10$Q9wB1d8oUjVrDqcvJH0c1uQbL9vRZ0uSx3Zl1P4m2QJbC9bBq0kMe";

    let directory = directory();
    let key = block(&directory, "server.key");
    let mut secrets: Vec<_> =
        key.lines().map(str::trim).filter(|line| !line.starts_with('-')).collect();
    let first = secrets[0];
    let one_line = key.lines().map(str::trim).collect::<String>();
    let without_frame = secrets.concat();
    secrets.push(HASH);
    for text in [
        format!("tls_server_config:\n  cert_file: server.crt\n  key_file: |\n{key}"),
        format!("tls_server_config:\n  cert_file: server.crt\n  key_file: >\n{key}"),
        format!("tls_server_config:\n  cert_file: server.crt\n  key_file: {first}\n"),
        format!("tls_server_config:\n  cert_file: server.crt\n  key_file: {one_line}\n"),
        format!("tls_server_config:\n  cert_file: server.crt\n  key_file: {without_frame}\n"),
        format!("tls_server_config:\n  cert_file: |\n{key}  key_file: server.key\n"),
        tls(&format!("  client_ca_file: |\n{key}")),
        tls(&format!("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: |\n{key}")),
        tls(&format!("  client_auth_type: {first}\n")),
        tls(&format!("  min_version: {first}\n")),
        tls(&format!("  cipher_suites: [{first}]\n")),
        tls(&format!("  {first}: x\n")),
        tls(&key),
        key.clone(),
        format!("{first}\n"),
        format!("basic_auth_users:\n  \"{HASH}\": alice\n"),
        format!("basic_auth_users:\n  {HASH}\n"),
        format!("basic_auth_users:\n  alice: x{HASH}\n"),
        format!("{HASH}: alice\n"),
        format!("rate_limit:\n  interval: {first}\n"),
        format!("rate_limit:\n  burst: {first}\n"),
        format!("http_server_config:\n  headers:\n    X-Frame-Options: {first}\n"),
        format!("http_server_config:\n  headers:\n    {first}: deny\n"),
        format!("http_server_config: {first}\n"),
        format!("a: *{first}\n"),
        format!("a: !{first} x\n"),
    ] {
        let path = directory.write("bad.yml", &text);
        let error = ConfigStore::load(Some(path)).unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            for secret in &secrets {
                assert!(!shown.contains(secret), "{text}\n{shown}");
            }
        }
    }
}

#[test]
fn values_take_effect() {
    let directory = directory();
    let path = directory.write(
        "web.yml",
        "http_server_config:\n  http2: no\n  headers:\n    X-Frame-Options: deny\n    \
         X-XSS-Protection: 1\nrate_limit:\n  interval: 1000000000\n  burst: 2\n",
    );
    let settings = ConfigStore::load(Some(path)).unwrap().current();
    let headers: Vec<_> = settings
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    assert_eq!(headers, [("x-frame-options", "deny"), ("x-xss-protection", "1")]);
    let limit = settings.rate_limit.as_ref().unwrap();
    assert_eq!([limit.allow(), limit.allow(), limit.allow()], [true, true, false]);
    let nothing = ConfigStore::load(None).unwrap().current();
    assert!(nothing.tls.is_none() && nothing.users.is_none());
}

#[test]
fn intervals_are_durations_of_go() {
    let second = Duration::from_secs(1);
    for (text, read) in [
        ("0", Some(Duration::ZERO)),
        ("1s", Some(second)),
        ("+1s", Some(second)),
        ("1000000000", Some(second)),
        ("1m1s", Some(61 * second)),
        ("100ms", Some(second / 10)),
        ("-1s", Some(Duration::ZERO)),
        ("-5", Some(Duration::ZERO)),
        ("", None),
        ("-", None),
        ("--1s", None),
        ("1d", None),
        ("1.5", None),
        ("99999999999999999999", None),
    ] {
        assert_eq!(interval(text).ok(), read, "{text:?}");
    }
}

#[test]
fn an_expired_certificate_is_served_with_a_warning() {
    let (directory, authority) = (Directory::new(), Authority::new("ca"));
    let mut expired = params("server", &["localhost"]);
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let mut unnamed = Holder::self_signed(&params("server", &[]));
    for (server, warning) in [
        (authority.issue(&expired), "expired at 2020-01-01T00:00:00Z"),
        (std::mem::replace(&mut unnamed, authority.server()), "no subject alternative name"),
    ] {
        directory.fill(&server, &authority);
        let live = ConfigStore::load(Some(directory.write("web.yml", &tls("")))).unwrap();
        assert_eq!(live.current().certificates[0].role, "server");
        let report = [live.report(), live.failures()].concat();
        let loud = report.iter().find(|line| !line.is_fine).unwrap();
        assert!(loud.finding.contains(warning), "{loud:?}");
    }
}
