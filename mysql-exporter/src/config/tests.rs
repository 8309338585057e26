use super::*;

fn parse(text: &str, defaults: &Defaults) -> Result<Config, String> {
    Config::parse(text.as_bytes(), Path::new("my.cnf"), defaults).map_err(|error| error.to_string())
}

fn defaults() -> Defaults {
    let address = "localhost:3306".parse().unwrap();
    Defaults { address, user: None, password: None, skip_verification: false }
}

#[test]
fn each_section_with_a_user_is_a_login() {
    let text = "[client]\nuser=u\npassword=p\nhost=db\n[client.other]\nport=3307\n\
                [client.socket]\nsocket=/s\n[client.back]\nhost=::1\n[mysqld]\nport=1\n\
                [alone]\nuser=a\npassword_file=/f\n";
    let config = parse(text, &defaults()).unwrap();
    let modules: Vec<_> = config.modules().collect();
    assert_eq!(modules, ["alone", "client", "client.back", "client.other", "client.socket"]);
    for (module, address) in [
        ("client", "db:3306"),
        ("client.other", "db:3307"),
        ("client.socket", "unix:///s"),
        ("client.back", "[::1]:3306"),
        ("alone", "localhost:3306"),
    ] {
        assert_eq!(config.login(module).unwrap().address.to_string(), address, "{module}");
    }
    assert_eq!(config.login("client.other").unwrap().user, "u");
    assert_eq!(config.login("alone").unwrap().password, Password::File("/f".into()));
}

#[test]
fn the_file_overrides_flags_and_environment() {
    let mut defaults = defaults();
    assert!(parse("", &defaults).unwrap_err().starts_with("no user: my.cnf"));
    defaults.user = Some("flag".into());
    defaults.password = Some(Secret::new("env"));
    let config = parse("[client.a]\npassword=own\n[b]\nuser=b", &defaults).unwrap();
    for (module, user, password) in [
        ("client", "flag", Password::Text(Secret::new("env"))),
        ("client.a", "flag", Password::Text(Secret::new("own"))),
        ("b", "b", Password::None),
    ] {
        let login = config.login(module).unwrap();
        assert_eq!((login.user.as_str(), &login.password), (user, &password), "{module}");
    }
    let config = parse("[client]\nuser=file", &defaults).unwrap();
    assert_eq!(config.login(DEFAULT_SECTION).unwrap().user, "file");
}

#[cfg(feature = "rds-iam")]
#[test]
fn a_token_replaces_the_password() {
    let text = "[client]\nuser=u\n[client.rds]\nhost=db.x.us-east-1.rds.amazonaws.com\n\
                rds-iam=us-east-1\nssl-ca=/ca\n";
    let config = parse(text, &defaults()).unwrap();
    let login = config.login("client.rds").unwrap();
    assert_eq!(login.password, Password::RdsIam("us-east-1".into()));
    assert!(login.allow_cleartext && login.tls.is_verified());
    assert_eq!(config.login(DEFAULT_SECTION).unwrap().password, Password::None);
}

#[test]
fn errors_name_section_and_key() {
    for (keys, problem) in [
        ("socket=/s\nssl-ca=/ca", "socket: a Unix socket has no TLS"),
        ("enable-cleartext-plugin=perhaps", "enable-cleartext-plugin: expected"),
        ("port=x", "port: expected a number"),
        ("host=a b", "host: expected a host name"),
        ("get-server-public-key=perhaps", "get-server-public-key: expected"),
        ("ssl-mode=VERIFY_CA", "ssl-mode: VERIFY_CA needs ssl-ca"),
        ("rds-iam=1", "rds-iam: expected an AWS region"),
        ("rds-iam=us-east-1", "rds-iam: a token is only sent over TLS"),
        ("rds-iam=us-east-1\nssl-mode=REQUIRED", "rds-iam: a token is only sent over TLS"),
        ("rds-iam=us-east-1\nssl-ca=/ca\npassword=p", "rds-iam: a token replaces"),
        #[cfg(not(feature = "rds-iam"))]
        ("rds-iam=us-east-1\nssl-ca=/ca", "rds-iam: this program was built without"),
    ] {
        let error = parse(&format!("[client]\nuser=u\n{keys}"), &defaults()).unwrap_err();
        assert!(error.starts_with(&format!("my.cnf: [client] {problem}")), "{keys}: {error}");
    }
    for valid in [
        "socket=/s\ntls=preferred\nenable-cleartext-plugin",
        "socket=/s\ntls=skip-verify",
        "socket=/s\nssl-mode=REQUIRED",
        "socket=\nssl-ca=\nenable-cleartext-plugin=1",
    ] {
        let config = parse(&format!("[client]\nuser=u\n{valid}"), &defaults()).unwrap();
        assert!(config.login(DEFAULT_SECTION).unwrap().tls == Tls::Off, "{valid}");
    }
}

#[test]
fn a_reload_does_not_weaken_tls() {
    let verified = "ssl-ca=/ca";
    for (before, after, lost_protection) in [
        (verified, "", Some("the connection would not be encrypted")),
        (verified, "tls=preferred", Some("a server without TLS would be accepted")),
        (verified, "ssl-mode=REQUIRED", Some("the server's certificate would not be verified")),
        (
            verified,
            "ssl-ca=/ca\nssl-mode=VERIFY_CA",
            Some("the name in the server's certificate would not be checked"),
        ),
        ("ssl-mode=REQUIRED", "", Some("the connection would not be encrypted")),
        ("", verified, None),
        (verified, "ssl-ca=/other\ntls-server-name=db", None),
        (verified, "socket=/s", None),
        ("socket=/s", "", None),
    ] {
        let config = |keys| parse(&format!("[client]\nuser=u\n{keys}"), &defaults()).unwrap();
        let error = config(before).check_replacement(&config(after)).err();
        let found = error.map(|error| error.to_string());
        let expected = lost_protection
            .map(|lost| format!("[client] {lost}: a reload does not weaken TLS, restart for that"));
        assert_eq!(found, expected, "{before} -> {after}");
    }
    let before = parse("[client]\nuser=u\n[client.a]\nssl-ca=/ca", &defaults()).unwrap();
    let after = parse("[client]\nuser=u\n", &defaults()).unwrap();
    before.check_replacement(&after).unwrap();
}

#[test]
fn passwords_are_not_shown() {
    let config = parse("[client]\nuser=u\npassword=sesame", &defaults()).unwrap();
    assert!(!format!("{config:?}").contains("sesame"));
}
