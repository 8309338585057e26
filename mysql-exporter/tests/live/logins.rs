//! Logins: passwords, allowed targets and privileges.

use std::fs;
use std::path::Path;

use exporter_core::testing::{Exporter, until};

use crate::server::{PASSWORD, Server};
use crate::{BINARY, check, value};

pub(crate) fn only_allowed_targets_are_probed(server: &Server, dir: &Path) {
    let cnf = server.options(
        dir,
        &format!(
            "[client]\nuser=exporter\npassword={PASSWORD}\nget-server-public-key\n\
        [client.tls]\nssl-ca=/nowhere\n"
        ),
    );
    let flags = [
        cnf.as_str(),
        "--probe.allow-target=127.0.0.1/32:*",
        "--probe.allow-target=unix://*",
        "--mysqld.address=127.0.0.1:1",
    ];
    let exporter = Exporter::start(BINARY, &flags, dir);
    let (port, socket) = (server.port, server.socket.display());
    for (path, status, found) in [
        (format!("/probe?target=127.0.0.1:{port}"), 200, "\nmysql_up 1\n"),
        (format!("/probe?target=unix://{socket}"), 200, "\nmysql_up 1\n"),
        ("/probe?target=127.0.0.1:1".into(), 200, "\nmysql_up 0\n"),
        ("/probe".into(), 400, "A probe needs a target"),
        (format!("/probe?target=localhost:{port}"), 400, "is not a configured server"),
        ("/probe?target=127.0.0.1".into(), 400, "expected host:port"),
        (format!("/probe?target=127.0.0.1:{port}&auth_module=x"), 400, "no auth_module \"x\""),
        (
            format!("/probe?target=unix://{socket}&auth_module=client.tls"),
            400,
            "a Unix socket has no TLS",
        ),
        (format!("/probe?target=127.0.0.1:{port}&collect[]=x"), 400, "no collector named \"x\""),
        (format!("/probe?target=127.0.0.1:{port}&collect[]=heartbeat"), 400, "switched off"),
        ("/metrics".into(), 200, "\nmysql_up 0\n"),
        (format!("/metrics?target=127.0.0.1:{port}"), 200, "\nmysql_up 1\n"),
        ("/metrics?auth_module=x".into(), 400, "no auth_module"),
    ] {
        let response = exporter.get(&path);
        assert_eq!(response.status, status, "{path}: {}", response.body);
        assert!(response.body.contains(found), "{path}: {}", response.body);
    }
    let only = format!("/probe?target=127.0.0.1:{port}&collect[]=info_schema.innodb_cmp");
    let page = exporter.get(&only).body;
    assert!(page.contains("mysql_info_schema_innodb_cmp_") && !page.contains("process_"), "{page}");
    assert!(!page.contains("mysql_global_status_"), "{page}");
}

pub(crate) fn password_files_are_read_at_login(server: &Server, dir: &Path) {
    server.user("rotating", "127.0.0.1", "first");
    let file = dir.join("password");
    fs::write(&file, "first\n").unwrap();
    let cnf = server.options(
        dir,
        &format!(
            "[client]\nuser=rotating\nhost=127.0.0.1\nport=PORT\nget-server-public-key=1\n\
             password_file={}",
            file.display()
        ),
    );
    let exporter = Exporter::start(BINARY, &[&cnf, "--web.enable-lifecycle"], dir);
    assert_eq!(value(&exporter.get("/metrics").body, "mysql_up"), Some(1.0), "{}", exporter.log());
    server.sql("ALTER USER rotating@'127.0.0.1' IDENTIFIED BY 'second'");
    fs::write(&file, "second").unwrap();
    exporter.signal("HUP");
    until(|| exporter.log().contains("configuration reloaded"), || exporter.log());
    assert_eq!(value(&exporter.get("/metrics").body, "mysql_up"), Some(1.0), "{}", exporter.log());
    server.options(dir, "[client]\nuser=nobody\npassword=hunter2\nhost=127.0.0.1\nport=PORT");
    exporter.signal("HUP");
    let is_down = || value(&exporter.get("/metrics").body, "mysql_up") == Some(0.0);
    until(is_down, || exporter.log());
    assert!(exporter.log().contains("Access denied"), "{}", exporter.log());
    assert!(!exporter.log().contains("hunter2"), "a password is in the log");
    server.sql("DROP USER rotating@'127.0.0.1'");
}

/// The users are new, so that the server has no cached hash of the password, and requests the password
/// itself.
pub(crate) fn the_password_is_sent_only_if_nobody_else_can_read_it(server: &Server, dir: &Path) {
    if !server.is_mysql() {
        return;
    }
    let key = dir.join("public_key.pem");
    let shown = server.sql("SHOW STATUS LIKE 'Caching_sha2_password_rsa_public_key'");
    let pem = shown.split_once('\t').unwrap().1.replace("\\n", "\n");
    fs::write(&key, pem).unwrap();
    let other = dir.join("other.pem");
    fs::write(&other, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").unwrap();
    let (key, other) = (key.display(), other.display());
    let tcp = "host=127.0.0.1\nport=PORT";
    for (keys, is_up) in [
        (tcp.to_owned(), false),
        (format!("{tcp}\nget-server-public-key=1"), true),
        (format!("{tcp}\nserver-public-key-path={key}"), true),
        (format!("{tcp}\nserver-public-key-path={other}"), false),
        (format!("{tcp}\nssl-mode=REQUIRED"), false),
        (format!("{tcp}\nssl-mode=REQUIRED\nget-server-public-key=1"), true),
        (format!("{tcp}\nssl-mode=VERIFY_CA\nssl-ca=DATA/ca.pem"), true),
        (format!("{tcp}\nssl-mode=VERIFY_IDENTITY\nssl-ca=DATA/ca.pem"), false),
        ("socket=SOCKET".into(), true),
    ] {
        server.sql("CREATE USER new@'%' IDENTIFIED BY 'sesame'");
        let text = format!("[client]\nuser=new\npassword=sesame\n{keys}\n");
        let cnf = server.options(dir, &text);
        let exporter = Exporter::start(BINARY, &[&cnf], dir);
        let page = exporter.get("/metrics?collect[]=slave_status").body;
        let found = value(&page, "mysql_up");
        assert_eq!(found, Some(f64::from(u8::from(is_up))), "{text}\n{}", exporter.log());
        server.sql("DROP USER new@'%'");
    }
}

pub(crate) fn missing_grants_are_reported(server: &Server, dir: &Path) {
    server.user("poor", "127.0.0.1", "");
    let cnf = server.options(dir, "[client]\nuser=poor\nhost=127.0.0.1\nport=PORT");
    let output = check(&[&cnf, "--collect.info_schema.tables"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{text}");
    let monitor = if server.is_mysql() { "REPLICATION CLIENT" } else { "SLAVE MONITOR" };
    for grant in [
        "GRANT PROCESS ON *.* TO 'poor'@'127.0.0.1';".to_owned(),
        "GRANT SELECT ON *.* TO 'poor'@'127.0.0.1';".to_owned(),
        format!("GRANT {monitor} ON *.* TO 'poor'@'127.0.0.1';"),
    ] {
        assert!(text.contains(&grant), "{grant} in\n{text}");
        server.sql(&grant);
    }
    let output = check(&[&cnf, "--collect.info_schema.tables"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    server.sql("DROP USER poor@'127.0.0.1'");
}
