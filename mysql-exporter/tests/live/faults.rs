//! Faults of the server: crashes, limits, passwords, privileges.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread;

use exporter_core::testing::{Exporter, until};

use crate::connections::failed_collectors;
use crate::server::Server;
use crate::{BINARY, MYSQL_ONLY, OPTIONAL_COLLECTORS, check, scrape_with_timeout, start, value};

/// Starts an exporter that logs in over TCP as a user without a password.
fn start_as(server: &Server, dir: &Path, user: &str, flags: &[&str]) -> Exporter {
    let text = format!("[client]\nuser={user}\nhost=127.0.0.1\nport=PORT\nget-server-public-key=1");
    let cnf = server.options(dir, &text);
    let flags: Vec<_> = flags.iter().copied().chain([cnf.as_str()]).collect();
    Exporter::start(BINARY, &flags, dir)
}

fn is_up(exporter: &Exporter) -> bool {
    value(&exporter.get("/metrics").body, "mysql_up") == Some(1.0)
}

/// The number of connections of a user.
fn connections(server: &Server, user: &str) -> u64 {
    let sql = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '{user}'");
    server.sql(&sql).trim().parse().unwrap()
}

pub(crate) fn the_exporter_survives_a_server_crash_during_a_scrape(server: &Server, dir: &Path) {
    server.sql(
        "CREATE DATABASE slow; CREATE VIEW slow.beat AS SELECT SLEEP(600) AS ts, 1 AS server_id",
    );
    let flags = [
        "--collect.heartbeat",
        "--collect.heartbeat.database=slow",
        "--collect.heartbeat.table=beat",
    ];
    let exporter = start(server, dir, &flags);
    let port = exporter.port;
    let scrape = thread::spawn(move || scrape_with_timeout(port, "/metrics", "30"));
    let running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'exporter' AND \
                   INFO LIKE '%slow%'";
    until(|| server.sql(running).trim() == "1", || exporter.log());
    server.crash();
    let page = scrape.join().unwrap();
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(
        failed_collectors(&page.body).iter().any(|line| line.contains("heartbeat")),
        "{}",
        page.body
    );
    let page = exporter.get("/metrics");
    assert_eq!((page.status, value(&page.body, "mysql_up")), (200, Some(0.0)), "{}", page.body);
    server.start();
    server.sql("DROP DATABASE slow");
    until(|| is_up(&exporter), || exporter.log());
}

pub(crate) fn a_full_server_is_down_until_it_accepts_connections(server: &Server, dir: &Path) {
    server.user("filler", "localhost", "");
    let max_connections = server.sql("SELECT @@GLOBAL.max_connections");
    let before = start(server, dir, &[]);
    assert!(is_up(&before), "{}", before.log());
    server.sql("SET GLOBAL max_connections = 10");
    let mut clients: Vec<Child> =
        (0..15).map(|_| server.client("filler", "SELECT SLEEP(600)")).collect();
    until(
        || clients.iter_mut().any(|client| client.try_wait().unwrap().is_some()),
        || "the server accepts all clients".into(),
    );
    assert!(is_up(&before), "it keeps its connection: {}", before.log());
    // The connection that set the limit may have ended since a client was rejected.
    let other = tempfile::tempdir().unwrap();
    let mut accepted = Vec::new();
    let after = loop {
        let after = start(server, other.path(), &[]);
        if !is_up(&after) {
            break after;
        }
        accepted.push(after);
        assert!(accepted.len() < 10, "the server accepts all exporters");
    };
    assert!(after.log().contains("Too many connections"), "{}", after.log());
    let raise_limit = format!("SET GLOBAL max_connections = {}", max_connections.trim());
    // A rejected connection may take the slot that is reserved for root.
    until(|| server.try_sql(&raise_limit).is_ok(), || raise_limit.clone());
    until(|| is_up(&after), || after.log());
    for mut client in clients {
        let _ = client.kill();
        let _ = client.wait();
    }
    let ids = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'filler'";
    for id in server.sql(ids).split_whitespace() {
        // It may have ended already.
        let _ = server.try_sql(&format!("KILL {id}"));
    }
    server.sql("DROP USER filler@localhost");
}

pub(crate) fn wrong_passwords_do_not_block_the_host(server: &Server, dir: &Path) {
    let max_errors = server.sql("SELECT @@GLOBAL.max_connect_errors");
    server.sql("SET GLOBAL max_connect_errors = 3");
    server.user("refused", "127.0.0.1", "right");
    let exporter = start_as(server, dir, "refused", &[]);
    for _ in 0..10 {
        assert!(!is_up(&exporter));
    }
    let log = exporter.log();
    assert!(log.contains("Access denied for user 'refused'"), "{log}");
    assert_eq!(log.matches("collector failed").count(), 1, "{log}");
    let other = tempfile::tempdir().unwrap();
    let good = start(server, other.path(), &[]);
    assert!(is_up(&good), "{}", good.log());
    server.sql(&format!("SET GLOBAL max_connect_errors = {}", max_errors.trim()));
    server.sql("ALTER USER refused@127.0.0.1 IDENTIFIED BY ''");
    until(|| is_up(&exporter), || exporter.log());
    assert!(exporter.log().contains("collector recovered"), "{}", exporter.log());
    server.sql("DROP USER refused@127.0.0.1");
}

pub(crate) fn an_expired_password_is_reported(server: &Server, dir: &Path) {
    server.user("expired", "127.0.0.1", "");
    let variable = "disconnect_on_expired_password";
    if !server.is_mysql() {
        server.sql(&format!("SET GLOBAL {variable} = ON"));
    }
    server.sql("ALTER USER expired@127.0.0.1 PASSWORD EXPIRE");
    let exporter = start_as(server, dir, "expired", &[]);
    assert!(!is_up(&exporter), "{}", exporter.log());
    assert!(exporter.log().contains("expired"), "{}", exporter.log());
    server.sql("DROP USER expired@127.0.0.1");
    if !server.is_mysql() {
        server.sql(&format!("SET GLOBAL {variable} = OFF"));
    }
}

/// A privilege, and collectors that fail without it.
struct MissingPrivilege {
    privilege: &'static str,
    failing: &'static [&'static str],
}

const MYSQL_PRIVILEGES: [MissingPrivilege; 3] = [
    MissingPrivilege {
        privilege: "PROCESS",
        failing: &[
            "engine_innodb_status",
            "info_schema.innodb_cmp",
            "info_schema.innodb_cmpmem",
            "info_schema.innodb_metrics",
            "info_schema.innodb_tablespaces",
        ],
    },
    MissingPrivilege { privilege: "REPLICATION CLIENT", failing: &["binlog_size", "slave_status"] },
    MissingPrivilege {
        privilege: "SELECT",
        failing: &["heartbeat", "mysql.user", "perf_schema.eventswaits"],
    },
];
const MARIADB_PRIVILEGES: [MissingPrivilege; 4] = [
    MissingPrivilege {
        privilege: "PROCESS",
        failing: &[
            "engine_innodb_status",
            "info_schema.innodb_cmp",
            "info_schema.innodb_cmpmem",
            "info_schema.innodb_metrics",
            "info_schema.innodb_tablespaces",
        ],
    },
    MissingPrivilege { privilege: "BINLOG MONITOR", failing: &["binlog_size"] },
    MissingPrivilege { privilege: "SLAVE MONITOR", failing: &["slave_status"] },
    MissingPrivilege {
        privilege: "SELECT",
        failing: &["heartbeat", "mysql.user", "perf_schema.eventswaits"],
    },
];

/// Only the collectors that need the privilege fail, and both the log and `--check` report it.
pub(crate) fn a_missing_privilege_fails_only_its_collectors(server: &Server, dir: &Path) {
    let cases = if server.is_mysql() { &MYSQL_PRIVILEGES[..] } else { &MARIADB_PRIVILEGES };
    let switches: Vec<_> =
        OPTIONAL_COLLECTORS.iter().map(|name| format!("--collect.{name}")).collect();
    let flags: Vec<_> = switches.iter().map(String::as_str).collect();
    for MissingPrivilege { privilege, failing } in cases {
        server.user("lacking", "127.0.0.1", "");
        for other in cases.iter().filter(|other| other.privilege != *privilege) {
            server.sql(&format!("GRANT {} ON *.* TO lacking@127.0.0.1", other.privilege));
        }
        let exporter = start_as(server, dir, "lacking", &flags);
        let page = exporter.get("/metrics").body;
        assert_eq!(value(&page, "mysql_up"), Some(1.0), "{privilege}: {}", exporter.log());
        let found = failed_collectors(&page);
        let log = exporter.log();
        for name in *failing {
            let label = format!("{{collector=\"collect.{name}\"}}");
            assert!(found.iter().any(|line| line.contains(&label)), "{privilege}: {name}\n{log}");
            let logged =
                |line: &str| line.contains("denied") && line.contains(&format!("={name} "));
            assert!(log.lines().any(logged), "{privilege}: {name} is not in\n{log}");
        }
        let cnf = format!("--config.my-cnf={}", dir.join("my.cnf").display());
        let output = check(&[&flags[..], &[&cnf]].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(2), "{privilege}: {text}");
        assert!(text.contains(&format!("GRANT {privilege} ON ")), "{privilege}: {text}");
        // `--check` reports each collector that fails.
        let lacking: Vec<_> = text.lines().filter(|line| line.contains("lacks a grant")).collect();
        for line in found.iter().filter(|_| *privilege != "SELECT") {
            let name = line.split(['"', '.']).skip(2).collect::<Vec<_>>();
            let name = name.split_last().map(|(_, name)| name.join(".")).unwrap_or_default();
            let is_reported =
                lacking.iter().any(|line| line.contains(&format!("collector {name} ")));
            assert!(
                is_reported || MYSQL_ONLY.contains(&&*name),
                "{privilege}: {name}\n{text}\n{log}"
            );
        }
        server.sql("DROP USER lacking@127.0.0.1");
    }
}

pub(crate) fn scrapes_leak_no_connections(server: &Server, dir: &Path) {
    let exporter = start(server, dir, &["--exporter.connection-lifetime=1"]);
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", exporter.pid())).unwrap().count();
    for _ in 0..10 {
        assert!(is_up(&exporter), "{}", exporter.log());
    }
    let before = descriptors();
    for _ in 0..500 {
        assert!(is_up(&exporter), "{}", exporter.log());
    }
    until(|| connections(server, "exporter") <= 2, || exporter.log());
    until(|| descriptors() <= before + 2, || format!("{} of {before}", descriptors()));
}

/// No statement of a collector fails on the server.
pub(crate) fn no_statement_fails(server: &Server, dir: &Path) {
    let errors = || -> u64 {
        let sql = "SELECT COALESCE(SUM(SUM_ERRORS), 0) + COALESCE(SUM(IF(EVENT_NAME = \
                   'statement/sql/error', COUNT_STAR, 0)), 0) FROM \
                   performance_schema.events_statements_summary_by_user_by_event_name WHERE USER = \
                   'exporter'";
        server.sql(sql).trim().parse().unwrap()
    };
    let others = ["galera", "replica", "semi_sync"];
    let switches: Vec<_> =
        OPTIONAL_COLLECTORS.iter().chain(&others).map(|name| format!("--collect.{name}")).collect();
    let flags: Vec<_> = switches.iter().map(String::as_str).collect();
    let before = errors();
    let exporter = start(server, dir, &flags);
    for _ in 0..2 {
        assert!(is_up(&exporter), "{}", exporter.log());
    }
    assert_eq!(errors(), before, "{}", exporter.log());
}

/// The connection of an abandoned statement counts as the exporter's until the server has closed it.
pub(crate) fn an_abandoned_statement_is_not_in_the_processlist(server: &Server, dir: &Path) {
    server.sql(
        "CREATE DATABASE slow; CREATE VIEW slow.beat AS SELECT SLEEP(600) AS ts, 1 AS server_id",
    );
    let flags = [
        "--collect.heartbeat",
        "--collect.heartbeat.database=slow",
        "--collect.heartbeat.table=beat",
        "--collect.info_schema.processlist",
    ];
    let exporter = start(server, dir, &flags);
    let own = "mysql_info_schema_processlist_processes_by_user{mysql_user=\"exporter\"}";
    for _ in 0..5 {
        scrape_with_timeout(exporter.port, "/metrics?collect[]=heartbeat", "1");
        let page =
            scrape_with_timeout(exporter.port, "/metrics?collect[]=info_schema.processlist", "20")
                .body;
        assert_eq!(value(&page, "mysql_up"), Some(1.0), "{}", exporter.log());
        assert_eq!(value(&page, own), None, "{page}");
        assert!(connections(server, "exporter") <= 3, "abandoned statements pile up");
    }
    server.sql("DROP DATABASE slow");
}

/// A reload with weaker TLS or an invalid file changes nothing, and is reported.
pub(crate) fn an_invalid_reload_is_reported(server: &Server, dir: &Path) {
    if !server.is_mysql() {
        // MariaDB has no certificate here.
        return;
    }
    let login = "[client]\nuser=exporter\nhost=127.0.0.1\nport=PORT\n";
    let password = format!("password={}\n", crate::server::PASSWORD);
    let tls = "ssl-mode=VERIFY_CA\nssl-ca=DATA/ca.pem\n";
    let valid = [login, &password, tls].concat();
    let cnf = server.options(dir, &valid);
    let exporter = Exporter::start(BINARY, &[&cnf], dir);
    let successful = || {
        let page = exporter.get("/metrics").body;
        assert_eq!(value(&page, "mysql_up"), Some(1.0), "{}", exporter.log());
        value(&page, "exporter_config_last_reload_successful")
    };
    assert_eq!(successful(), Some(1.0));
    for (text, problem) in [
        ([login, &password].concat(), "the connection would not be encrypted"),
        ([login, &password, "ssl-mode=PERHAPS\n"].concat(), "ssl-mode"),
    ] {
        server.options(dir, &text);
        exporter.signal("HUP");
        until(|| successful() == Some(0.0), || exporter.log());
        assert!(exporter.log().contains(problem), "{problem}: {}", exporter.log());
        server.options(dir, &valid);
        exporter.signal("HUP");
        until(|| successful() == Some(1.0), || exporter.log());
    }
}

pub(crate) fn an_unknown_user_is_reported_with_both_reasons(server: &Server, dir: &Path) {
    // The plugin that MySQL picks depends on the name.
    for user in ["nobody", "nemo", "outis", "stranger", "ghost", "phantom"] {
        let text = format!("[client]\nuser={user}\npassword=x\nhost=127.0.0.1\nport=PORT\n");
        let cnf = server.options(dir, &text);
        let exporter = Exporter::start(BINARY, &[&cnf], dir);
        assert!(!is_up(&exporter));
        let log = exporter.log();
        assert!(
            log.contains("Access denied")
                || log.contains("or the user does not exist")
                || log.contains("Or the user does not exist"),
            "{user}: {log}"
        );
    }
}

pub(crate) fn unavailable_collectors_are_ignored(server: &Server, dir: &Path) {
    let exporter = start(server, dir, &[]);
    let page = exporter.get("/metrics?collect[]=slave_status&collect[]=heartbeat&collect[]=nope");
    assert_eq!(page.status, 200, "{}", page.body);
    for (series, expected) in [
        ("mysql_exporter_collector_success{collector=\"collect.slave_status\"}", 1.0),
        ("exporter_ignored_collectors_total{reason=\"disabled\"}", 1.0),
        ("exporter_ignored_collectors_total{reason=\"unknown\"}", 1.0),
    ] {
        assert_eq!(value(&page.body, series), Some(expected), "{series} in {}", page.body);
    }
    for name in ["heartbeat", "nope"] {
        assert_eq!(
            exporter.log().matches(&format!("\\\"{name}\\\"")).count(),
            1,
            "{}",
            exporter.log()
        );
        assert_eq!(exporter.get(&format!("/metrics?collect[]={name}")).status, 400);
    }
}
