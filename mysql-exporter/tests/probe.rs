//! The targets that `/probe` allows, and the maximum number of targets.

#![expect(clippy::disallowed_methods, reason = "writes the exporter's configuration")]
#![expect(clippy::unwrap_used, reason = "tests fail by a panic")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use exporter_core::testing::Exporter;

const BINARY: &str = env!("CARGO_BIN_EXE_mysql-exporter");

/// Starts an exporter whose configured server is down. Returns it, and the port of the server.
fn start(dir: &Path, flags: &[&str]) -> (Exporter, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let path = dir.join("my.cnf");
    fs::write(&path, format!("[client]\nuser=u\nhost=127.0.0.1\nport={port}\n")).unwrap();
    let option_file = format!("--config.my-cnf={}", path.display());
    let flags: Vec<_> = flags.iter().copied().chain([option_file.as_str()]).collect();
    (Exporter::start(BINARY, &flags, dir), port)
}

#[test]
fn only_allowed_targets_are_probed() {
    let patterns = [
        "--probe.allow-target=10.0.0.0/16:*",
        "--probe.allow-target=[fd00::/8]:3306",
        "--probe.allow-target=*.db.example:3306",
        "--probe.allow-target=unix:///run/*",
    ];
    for (flags, target, status) in [
        (&[][..], "10.0.0.1:3306", 400),
        (&[], "unix:///run/mysqld.sock", 400),
        (&["--probe.allow-target=*"], "db.invalid:3306", 200),
        (&patterns, "10.0.evil.example:3306", 400),
        (&patterns, "10.1.0.1:3306", 400),
        (&patterns, "10.0.1:3306", 400),
        (&patterns, "[fe80::1]:3306", 400),
        (&patterns, "[fd00::1]:3307", 400),
        (&patterns, "[::ffff:10.1.0.1]:3306", 400),
        (&patterns, "a.db.example.evil.invalid:3306", 400),
        (&patterns, "unix:///run/../tmp/x", 400),
        (&patterns, "unix:///run//../tmp/x", 400),
        (&patterns, "unix:///run/a/../../tmp/x", 400),
        (&patterns, "unix:///run/./no-such-socket", 200),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (exporter, _) = start(dir.path(), flags);
        let response = exporter.get(&format!("/probe?target={target}"));
        assert_eq!(response.status, status, "{flags:?} {target}: {}", response.body);
        let response = exporter.get(&format!("/metrics?target={target}"));
        assert_eq!(response.status, status, "{flags:?} {target}: {}", response.body);
    }
}

#[test]
fn the_configured_server_can_always_be_probed() {
    let dir = tempfile::tempdir().unwrap();
    let (exporter, port) = start(dir.path(), &[]);
    let response = exporter.get(&format!("/probe?target=127.0.0.1:{port}"));
    assert_eq!(response.status, 200, "{}", response.body);
    let response = exporter.get(&format!("/probe?target=127.0.0.1:{}", port ^ 1));
    assert_eq!(response.status, 400, "{}", response.body);
    assert!(response.body.contains("--probe.allow-target"), "{}", response.body);
}

#[test]
fn more_than_the_maximum_number_of_targets_can_be_probed() {
    let dir = tempfile::tempdir().unwrap();
    let (exporter, _) = start(dir.path(), &["--probe.allow-target=127.0.0.0/8:*"]);
    for index in 0..1100 {
        let target = format!("127.1.{}.{}:1", index / 250, index % 250);
        let response = exporter.get(&format!("/probe?target={target}&collect[]=slave_status"));
        assert_eq!(response.status, 200, "{target}: {}", response.body);
    }
    let response = exporter.get("/metrics?collect[]=slave_status");
    assert_eq!(response.status, 200, "{}", response.body);
}

#[test]
fn an_invalid_pattern_is_an_error_at_start() {
    for (pattern, hint) in [
        ("10.0.*:*", "10.0.0.0/16"),
        ("10.0.0.0/33:3306", "prefix"),
        ("db.example", "port"),
        ("unix://run/x", "absolute"),
        ("*:99999", "port"),
    ] {
        let flag = format!("--probe.allow-target={pattern}");
        let output = std::process::Command::new(BINARY)
            .args(["--mysqld.username=u", &flag, "--check"])
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert_eq!(output.status.code(), Some(2), "{pattern}: {text}");
        assert!(text.contains("probe.allow-target") && text.contains(hint), "{pattern}: {text}");
    }
}

#[test]
fn an_unknown_auth_module_does_not_name_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("my.cnf");
    fs::write(&path, "[client]\nuser=u\n[client.payroll]\nuser=v\n").unwrap();
    let flag = format!("--config.my-cnf={}", path.display());
    let exporter = Exporter::start(BINARY, &[&flag], dir.path());
    let response = exporter.get("/metrics?auth_module=x");
    assert_eq!(response.status, 400);
    assert!(!response.body.contains("payroll"), "{}", response.body);
}
