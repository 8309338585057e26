use super::*;

#[test]
fn an_empty_file_is_the_default() {
    for text in ["", "\n\n", "# nothing yet\n", "---\n", "\u{feff}", "{}", "tls_server_config:\n"] {
        let web = parse(text.as_bytes()).unwrap();
        assert!(web.tls_server_config.is_none() && web.rate_limit.is_none(), "{text:?}");
    }
}

#[test]
fn values_are_read_as_by_go() {
    let web = parse(
        b"\xef\xbb\xbf# with a byte order mark\n\
          tls_server_config:\n  cert_file: 1\n  key_file:\n  prefer_server_cipher_suites: no\n\
          http_server_config:\n  http2: yes\n  headers:\n    X-XSS-Protection: 1\n\
          basic_auth_users:\n  7: abc\n\
          rate_limit:\n  interval: 1000\n  burst: -1\n",
    )
    .unwrap();
    let tls = web.tls_server_config.unwrap();
    assert_eq!((tls.cert_file.text(), tls.cert_file.line()), (Some("1"), Some(3)));
    assert!(tls.key_file.is_written() && tls.key_file.value().is_none());
    assert!(!tls.cert.is_written());
    assert_eq!(tls.prefer_server_cipher_suites.value(), Some(&false));
    let http = web.http_server_config.unwrap();
    assert_eq!(http.http2.value(), Some(&true));
    assert_eq!(http.headers.unwrap()["X-XSS-Protection"].value, "1");
    assert_eq!(web.basic_auth_users.unwrap()["7"].value.expose(), "abc");
    let rate = web.rate_limit.unwrap();
    assert_eq!((rate.interval.text(), rate.burst.value()), (Some("1000"), Some(&-1)));
}

#[test]
fn errors_are_one_line_with_the_line_number() {
    for (text, line, problem) in [
        (
            "tls_server_config:\n  cert_filse: x\n",
            2,
            "unknown key \"cert_filse\"; did you mean \"cert_file\"?",
        ),
        ("http_server_config: {}\ntls: {}\n", 2, "unknown key \"tls\""),
        ("rate_limit:\n  burst: 1\n  burst: 2\n", 3, "\"burst\" is given twice"),
        ("rate_limit: {}\nrate_limit: {}\n", 2, "\"rate_limit\" is given twice"),
        ("basic_auth_users:\n  a: x\n  a: y\n", 3, "\"a\" is given twice"),
        ("rate_limit:\n  burst: many\n", 2, "YAML"),
        ("http_server_config:\n  http2: maybe\n", 2, "YAML"),
        ("tls_server_config: [cert]\n", 1, "YAML"),
        ("tls_server_config:\n\tcert: x\n", 2, "YAML"),
        ("just words\nand more\n", 1, "YAML"),
        ("a: [\n", 2, "YAML"),
        ("rate_limit: {}\n---\nrate_limit: {}\n", 2, "YAML"),
    ] {
        let fault = parse(text.as_bytes()).unwrap_err();
        assert!(fault.problem.contains(problem), "{text:?}: {fault:?}");
        assert!(!fault.problem.contains('\n'), "{text:?}: {fault:?}");
        assert!(fault.line.is_some_and(|found| found.abs_diff(line) <= 1), "{text:?}: {fault:?}");
    }
    assert_eq!(parse(b"a: 1\nb: \xff\n").unwrap_err().line, Some(2));
}

#[test]
fn an_error_mentions_wrong_indentation() {
    for (text, is_named) in [
        ("tls_server_config:\ncert_file: a\n", true),
        ("tls_server_config:\n  cert_file: a\n    key_file: b\n", true),
        ("tls_server_config:\n  cert_file: a\n key_file: b\n", true),
        ("tls_server_config:\n\tcert_file: a\n", true),
        ("basic_auth_users:\nalice: x\n", true),
        ("tls_server_config:\n  bogus: a\n", false),
        ("tls_server_config:\n  client_allowed_sans:\n  - a\n  bogus: 1\n", false),
        ("# comment\n\nbogus: 1\n", false),
        ("a: [\n", false),
    ] {
        let fault = parse(text.as_bytes()).unwrap_err();
        assert_eq!(
            fault.problem.contains("check the indentation"),
            is_named,
            "{text:?}: {fault:?}"
        );
    }
}

#[test]
fn no_error_shows_a_secret() {
    for text in [
        "tls_server_config:\n  key: [hush]\n",
        "tls_server_config:\n  key: {hush: hush}\n",
        "basic_auth_users: hush\n",
        "basic_auth_users:\n  - hush\n",
        "basic_auth_users:\n  a: [hush]\n",
        "tls_server_config: hush\n",
        "rate_limit:\n  burst: hush\n",
        "http_server_config:\n  http2: hush\n",
        "basic_auth_users:\n  a: \"hush\n",
        "basic_auth_users:\n  a: *hush\n",
        "basic_auth_users:\n  a: !hush b\n",
        "hush\n",
        "- hush\n",
    ] {
        match parse(text.as_bytes()) {
            Ok(web) => assert!(!format!("{web:?}").contains("hush"), "{text:?}"),
            Err(fault) => assert!(!format!("{fault:?}").contains("hush"), "{text:?}: {fault:?}"),
        }
    }
    let web = parse(b"basic_auth_users:\n  a: hush\ntls_server_config:\n  key: hush\n").unwrap();
    assert!(!format!("{web:?}").contains("hush"), "{web:?}");
}
