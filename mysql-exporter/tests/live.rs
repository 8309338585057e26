//! The real binary against real servers, which the tests start themselves.

#![expect(clippy::disallowed_methods, reason = "starts servers and reads what programs wrote")]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is how a failure is told"
)]
#![expect(clippy::print_stderr, reason = "the voice of a test")]

#[path = "live/certificates.rs"]
mod certificates;
#[path = "live/collectors.rs"]
mod collectors;
#[path = "live/connections.rs"]
mod connections;
#[path = "live/faults.rs"]
mod faults;
#[path = "live/galera.rs"]
mod galera;
#[path = "live/group.rs"]
mod group;
#[path = "live/names.rs"]
mod names;
#[path = "live/queries.rs"]
mod queries;
#[path = "live/replication.rs"]
mod replication;
#[path = "live/server.rs"]
mod server;
#[path = "live/targets.rs"]
mod targets;

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;
use std::{fs, thread};

use exporter_core::testing::{Answer, Authority, Exporter, Kind, PATIENCE, get, golden, until};

use server::{PASSWORD, Server};

const BINARY: &str = env!("CARGO_BIN_EXE_mysql-exporter");
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

/// The collectors that are off by default and succeed on every server.
const MORE: [&str; 36] = [
    "auto_increment.columns",
    "binlog_gtid",
    "binlog_size",
    "engine_innodb_status",
    "heartbeat",
    "info_schema.clientstats",
    "info_schema.innodb_metrics",
    "info_schema.innodb_tablespaces",
    "info_schema.innodb_trx",
    "info_schema.plugins",
    "info_schema.processlist",
    "info_schema.replica_host",
    "info_schema.schemastats",
    "info_schema.tables",
    "info_schema.tablestats",
    "info_schema.userstats",
    "innodb_log",
    "mysql.accounts",
    "mysql.user",
    "perf_schema.data_lock_waits",
    "perf_schema.eventsstatements",
    "perf_schema.eventsstatements_by_account",
    "perf_schema.eventsstatements_histogram",
    "perf_schema.eventsstatementssum",
    "perf_schema.eventswaits",
    "perf_schema.file_events",
    "perf_schema.file_instances",
    "perf_schema.indexiowaits",
    "perf_schema.memory_events",
    "perf_schema.metadata_locks",
    "perf_schema.replication_applier_status_by_worker",
    "perf_schema.replication_group_member_stats",
    "perf_schema.replication_group_members",
    "perf_schema.tableiowaits",
    "perf_schema.tablelocks",
    "sys.user_summary",
];

/// Those of MORE that have nothing to report on a server that is not MySQL.
const MYSQL_ONLY: [&str; 4] = [
    "perf_schema.eventsstatements_histogram",
    "perf_schema.replication_applier_status_by_worker",
    "perf_schema.replication_group_member_stats",
    "perf_schema.replication_group_members",
];

#[test]
fn mariadb_is_exposed() {
    if let Some(server) = Server::mariadb(&[]) {
        all(&server);
    }
}

#[test]
fn mysql_is_exposed() {
    if let Some(server) = Server::mysql() {
        all(&server);
    }
}

/// What holds of a server, with a directory for its files.
type Scene = fn(&Server, &Path);

/// A server takes its time to start: one for all that leaves it as it was.
fn all(server: &Server) {
    let scenes: [(&str, Scene); 39] = [
        ("the whole password goes where it may", the_whole_password_goes_where_it_may),
        ("every collector succeeds", every_collector_succeeds),
        ("few statements make a scrape", few_statements_make_a_scrape),
        ("sixty scrapes share two connections", sixty_scrapes_share_two_connections),
        ("probes go where they may", probes_go_where_they_may),
        ("passwords are read at login", passwords_are_read_at_login),
        ("grants that lack are told", grants_that_lack_are_told),
        ("replication has its old names", replication_has_its_old_names),
        ("connections that were closed are opened anew", closed_connections_are_opened_anew),
        ("what is given up is killed", what_is_given_up_is_killed),
        ("a frozen server is down in time", a_frozen_server_is_down_in_time),
        ("locks", collectors::locks_show_who_waits),
        ("accounts and more", collectors::accounts_gtids_and_log_are_told),
        ("latency", collectors::latency_is_a_native_histogram),
        ("example queries", queries::examples_find_what_they_look_for),
        ("queries fail alone", queries::queries_cannot_write_and_fail_alone),
        ("intervals", queries::intervals_save_statements),
        ("one connection does", connections::one_connection_does_for_all_collectors),
        ("a dropped account shows", connections::a_dropped_account_shows),
        ("given-up scrapes", connections::given_up_scrapes_are_no_connection_errors),
        ("a wrong authority", connections::a_wrong_authority_is_one_connection_error),
        ("connections end in order", connections::connections_end_in_order),
        ("limits of the server", connections::limits_of_the_server_do_not_hide_rows),
        ("the slow log has no login", connections::the_slow_log_has_no_login),
        ("the processlist is of others", connections::the_processlist_is_of_others),
        ("a socket needs no TLS", connections::a_socket_needs_no_tls),
        ("no statement fails", faults::no_statement_fails),
        ("unavailable collectors", faults::unavailable_collectors_are_ignored),
        ("privileges", faults::each_privilege_is_missed_by_its_collectors),
        ("bad passwords", faults::bad_passwords_block_nobody),
        ("an expired password", faults::an_expired_password_is_told),
        ("an unknown user", faults::an_unknown_user_is_told_both_reasons),
        ("a bad reload", faults::a_bad_reload_shows),
        ("statements given up", faults::a_statement_given_up_is_not_of_others),
        ("five hundred scrapes", faults::five_hundred_scrapes_leak_no_connection),
        ("odd names", names::odd_names_are_exposed),
        ("many tables and users", names::many_tables_and_users_are_exposed),
        ("a full server", faults::a_full_server_is_down_until_there_is_room),
        ("a crash", faults::a_crash_in_a_scrape_is_survived),
    ];
    for (name, scene) in scenes {
        eprintln!("{}: {name}", server.flavour);
        let dir = tempfile::tempdir().unwrap();
        scene(server, dir.path());
    }
}

fn every_collector_succeeds(server: &Server, dir: &Path) {
    let switches: Vec<_> = MORE.iter().map(|name| format!("--collect.{name}")).collect();
    let more: Vec<_> = switches.iter().map(String::as_str).collect();
    let exporter = start(server, dir, &more);
    let page = exporter.get("/metrics").body;
    let failed: Vec<_> = page
        .lines()
        .filter(|line| {
            line.starts_with("mysql_exporter_collector_success{") && line.ends_with(" 0")
        })
        .filter(|line| {
            server.is_mysql() || !MYSQL_ONLY.iter().any(|name| line.contains(&format!(".{name}\"")))
        })
        .collect();
    assert!(failed.is_empty(), "{failed:?}\n{}", exporter.log());
    assert_eq!(value(&page, "mysql_up"), Some(1.0));
    assert!(value(&page, "mysql_global_variables_port").is_some_and(|port| port > 0.0));
    let beat = "mysql_heartbeat_stored_timestamp_seconds{server_id=\"1\"}";
    assert!(value(&page, beat).is_some(), "a row that is there twice costs nothing else");
    assert!(value(&page, "exporter_dropped_series_total{reason=\"series\"}").unwrap_or(1.0) > 0.0);
    // What does not depend on the version of the server or on what it has done.
    for (name, prefixes) in [
        ("info_schema.innodb_cmp", &["mysql_info_schema_innodb_cmp_"][..]),
        ("info_schema.innodb_cmpmem", &["mysql_info_schema_innodb_cmpmem_"]),
        ("info_schema.tables", &["mysql_info_schema_table_"]),
        ("auto_increment.columns", &["mysql_info_schema_auto_increment_"]),
        ("binlog_size", &["mysql_binlog_"]),
        ("info_schema.innodb_trx", &["mysql_info_schema_innodb_trx_"]),
        ("innodb_log", &["mysql_innodb_history_", "mysql_innodb_checkpoint_"]),
        ("heartbeat", &["mysql_heartbeat_"]),
        ("engine_innodb_status", &["mysql_engine_innodb_"]),
        ("perf_schema.eventsstatementssum", &["mysql_perf_schema_events_statements_sum_"]),
        ("perf_schema.indexiowaits", &["mysql_perf_schema_index_io_"]),
        ("perf_schema.tableiowaits", &["mysql_perf_schema_table_io_"]),
        (
            "perf_schema.tablelocks",
            &["mysql_perf_schema_sql_lock_", "mysql_perf_schema_external_lock_"],
        ),
    ] {
        let known = |line: &&str| prefixes.iter().any(|prefix| line.starts_with(prefix));
        let foreign =
            |line: &&str| line.contains("schema=\"mysql\"") || line.contains("schema=\"sys\"");
        let series: BTreeSet<_> = page
            .lines()
            .filter(|line| known(line) && !foreign(line))
            .filter_map(|line| Some(line.rsplit_once(' ')?.0))
            .collect();
        let text: String = series.iter().flat_map(|series| [series, "\n"]).collect();
        golden(format!("{GOLDEN}/{}/{name}.txt", server.flavour), &text);
    }
}

fn few_statements_make_a_scrape(server: &Server, dir: &Path) {
    let exporter = start(server, dir, &[]);
    for _ in 0..3 {
        exporter.get("/metrics");
    }
    let before = server.status("Questions");
    for _ in 0..10 {
        exporter.get("/metrics");
    }
    // One is that which counts. The ping of each scrape is not in the count.
    let statements = (server.status("Questions") - before - 1) as f64 / 10.0 + 1.0;
    let most = if server.is_mysql() { 7.0 } else { 8.0 };
    assert!(statements <= most, "{statements} statements, pings included");
}

fn sixty_scrapes_share_two_connections(server: &Server, dir: &Path) {
    // Of these, at most a few are no part of a collection that has begun.
    let exporter = start(server, dir, &["--web.max-requests=4"]);
    server.sql("FLUSH STATUS");
    let others = server.status("Max_used_connections");
    let port = exporter.port;
    let scrapes: Vec<_> = (0..60)
        .map(|nth| {
            thread::spawn(move || {
                // Not all alike: most share a collection, some wait for a connection.
                let query = ["", "?collect[]=global_status", "?collect[]=slave_status"];
                let path = format!("/metrics{}", query[nth % 3]);
                ask(port, &path, "100")
            })
        })
        .collect();
    for scrape in scrapes {
        let page = scrape.join().unwrap();
        assert_eq!(value(&page.body, "mysql_up"), Some(1.0), "{} {}", page.status, page.body);
    }
    let most = server.status("Max_used_connections");
    assert!(most <= others + 2, "{most} connections, {others} of them not the exporter's");
}

fn probes_go_where_they_may(server: &Server, dir: &Path) {
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
        (format!("/probe?target=localhost:{port}"), 400, "is not one of the configured servers"),
        ("/probe?target=127.0.0.1".into(), 400, "expected host:port"),
        (format!("/probe?target=127.0.0.1:{port}&auth_module=x"), 400, "no auth_module \"x\""),
        (format!("/probe?target=unix://{socket}&auth_module=client.tls"), 400, "no TLS on a Unix"),
        (format!("/probe?target=127.0.0.1:{port}&collect[]=x"), 400, "no collector named \"x\""),
        (format!("/probe?target=127.0.0.1:{port}&collect[]=heartbeat"), 400, "switched off"),
        ("/metrics".into(), 200, "\nmysql_up 0\n"),
        (format!("/metrics?target=127.0.0.1:{port}"), 200, "\nmysql_up 1\n"),
        ("/metrics?auth_module=x".into(), 400, "no auth_module"),
    ] {
        let answer = exporter.get(&path);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(answer.body.contains(found), "{path}: {}", answer.body);
    }
    let only = format!("/probe?target=127.0.0.1:{port}&collect[]=info_schema.innodb_cmp");
    let page = exporter.get(&only).body;
    assert!(page.contains("mysql_info_schema_innodb_cmp_") && !page.contains("process_"), "{page}");
    assert!(!page.contains("mysql_global_status_"), "{page}");
}

fn passwords_are_read_at_login(server: &Server, dir: &Path) {
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
    until(|| exporter.log().contains("option file read again"), || exporter.log());
    assert_eq!(value(&exporter.get("/metrics").body, "mysql_up"), Some(1.0), "{}", exporter.log());
    server.options(dir, "[client]\nuser=nobody\npassword=hunter2\nhost=127.0.0.1\nport=PORT");
    exporter.signal("HUP");
    let down = || value(&exporter.get("/metrics").body, "mysql_up") == Some(0.0);
    until(down, || exporter.log());
    assert!(exporter.log().contains("Access denied"), "{}", exporter.log());
    assert!(!exporter.log().contains("hunter2"), "a password is in the log");
    server.sql("DROP USER rotating@'127.0.0.1'");
}

/// The server has no hash of a new user's password in memory, and asks for all of it.
fn the_whole_password_goes_where_it_may(server: &Server, dir: &Path) {
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
    for (keys, up) in [
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
        assert_eq!(found, Some(f64::from(u8::from(up))), "{text}\n{}", exporter.log());
        server.sql("DROP USER new@'%'");
    }
}

fn grants_that_lack_are_told(server: &Server, dir: &Path) {
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

fn replication_has_its_old_names(server: &Server, dir: &Path) {
    let exporter = start(server, dir, &[]);
    let page = exporter.get("/metrics?collect[]=slave_status").body;
    assert!(!page.contains("mysql_slave_status_"), "no replica yet: {page}");
    let names: &[&str] = if server.is_mysql() {
        server.sql("CHANGE REPLICATION SOURCE TO SOURCE_HOST='source.invalid', SOURCE_USER='u'");
        &["slave_io_running", "replica_io_running", "slave_sql_running", "master_server_id"]
    } else {
        server.sql("CHANGE MASTER 'c' TO MASTER_HOST='source.invalid', MASTER_USER='u'");
        &["slave_io_running", "slave_sql_running", "master_server_id"]
    };
    let page = exporter.get("/metrics?collect[]=slave_status").body;
    for name in names {
        let connection = if server.is_mysql() { "" } else { "c" };
        let series = format!(
            "mysql_slave_status_{name}{{master_host=\"source.invalid\",master_uuid=\"\",\
             channel_name=\"\",connection_name=\"{connection}\"}}"
        );
        assert_eq!(value(&page, &series), Some(0.0), "{series} in\n{page}");
    }
    server.sql(if server.is_mysql() { "RESET REPLICA ALL" } else { "RESET SLAVE 'c' ALL" });
}

fn closed_connections_are_opened_anew(server: &Server, dir: &Path) {
    let exporter = start(server, dir, &[]);
    assert_eq!(value(&exporter.get("/metrics").body, "mysql_up"), Some(1.0));
    let ids = server.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'exporter'");
    for id in ids.split_whitespace() {
        server.sql(&format!("KILL {id}"));
    }
    let page = exporter.get("/metrics").body;
    assert!(!page.contains("collector_success{collector=\"collect.global_status\"} 0"), "{page}");
    assert_eq!(value(&page, "mysql_up"), Some(1.0), "{}", exporter.log());
    assert!(value(&page, "mysql_global_status_uptime").is_some(), "{page}");
}

fn what_is_given_up_is_killed(server: &Server, dir: &Path) {
    server.sql(
        "CREATE DATABASE slow; CREATE VIEW slow.beat AS SELECT SLEEP(600) AS ts, 1 AS server_id",
    );
    let flags = [
        "--collect.heartbeat",
        "--collect.heartbeat.database=slow",
        "--collect.heartbeat.table=beat",
        "--collector.timeout=300s",
    ];
    let exporter = start(server, dir, &flags);
    let since = Instant::now();
    let page = ask(exporter.port, "/metrics", "5").body;
    assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
    let success =
        |name| format!("mysql_exporter_collector_success{{collector=\"collect.{name}\"}}");
    assert_eq!(value(&page, &success("heartbeat")), Some(0.0), "{page}");
    for name in ["global_status", "global_variables", "slave_status", "info_schema.innodb_cmp"] {
        assert_eq!(value(&page, &success(name)), Some(1.0), "{name}: {}", exporter.log());
    }
    let running = || {
        let sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'exporter' AND \
                   INFO LIKE '%slow%'";
        server.sql(sql).trim().to_owned()
    };
    until(|| running() == "0", || format!("still running: {}", exporter.log()));
    drop(exporter);
    let exporter = start(server, dir, &[&flags[..], &["--exporter.query_timeout=1"]].concat());
    let since = Instant::now();
    exporter.get("/metrics");
    assert!(since.elapsed() < PATIENCE, "the server ends it after a second");
    server.sql("DROP DATABASE slow");
}

fn a_frozen_server_is_down_in_time(server: &Server, dir: &Path) {
    let exporter = start(server, dir, &[]);
    assert_eq!(value(&exporter.get("/metrics").body, "mysql_up"), Some(1.0));
    server.signal("STOP");
    for _ in 0..2 {
        let since = Instant::now();
        let page = ask(exporter.port, "/metrics", "2");
        assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
        assert_eq!((page.status, value(&page.body, "mysql_up")), (200, Some(0.0)), "{}", page.body);
        assert!(!page.body.contains("collect.global_status"), "{}", page.body);
    }
    server.signal("CONT");
    let page = ask(exporter.port, "/metrics", "100").body;
    assert_eq!(value(&page, "mysql_up"), Some(1.0), "{}", exporter.log());
    let told = exporter.log().matches("collector failed").count();
    assert_eq!(told, 1, "told once, when it went down: {}", exporter.log());
}

#[test]
fn connections_are_encrypted_as_configured() {
    let keys = tempfile::tempdir().unwrap();
    fs::set_permissions(keys.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let authority = Authority::new(keys.path(), "ca");
    let stranger = Authority::new(keys.path(), "other");
    let identity = authority.issue(keys.path(), "db", Kind::Server, &["127.0.0.1", "db.internal"]);
    let client = authority.issue(keys.path(), "client", Kind::Client, &["exporter.internal"]);
    fs::set_permissions(&identity.key, std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .unwrap();
    let path = |path: &Path| path.display().to_string();
    let flags = [
        format!("--ssl-ca={}", path(&authority.certificate)),
        format!("--ssl-cert={}", path(&identity.certificate)),
        format!("--ssl-key={}", path(&identity.key)),
    ];
    let Some(server) = Server::mariadb(&[&flags[0], &flags[1], &flags[2]]) else { return };
    let Some(plain) = Server::mariadb(&["--skip-ssl"]) else { return };
    server.sql(
        "CREATE USER sure@'%' REQUIRE X509; CREATE USER tls@'%' REQUIRE SSL; CREATE USER any@'%'",
    );
    plain.sql("CREATE USER any@'%'");
    let ca = format!("ssl-ca={}", path(&authority.certificate));
    let other = format!("ssl-ca={}", path(&stranger.certificate));
    let own = format!("ssl-cert={}\nssl-key={}", path(&client.certificate), path(&client.key));
    for (server, user, keys, up) in [
        (&server, "tls", String::new(), false),
        (&server, "tls", ca.clone(), true),
        (&server, "tls", format!("{ca}\nssl-mode=VERIFY_IDENTITY"), true),
        (&server, "tls", format!("{ca}\ntls-server-name=db.internal"), true),
        (&server, "tls", format!("{ca}\ntls-server-name=elsewhere.internal"), false),
        (&server, "tls", other.clone(), false),
        (&server, "tls", format!("{ca}\nssl-mode=VERIFY_CA"), true),
        (&server, "tls", format!("{other}\nssl-mode=VERIFY_CA"), false),
        (&server, "tls", "tls=true".into(), false),
        (&server, "tls", "tls=skip-verify".into(), true),
        (&server, "tls", "ssl-mode=REQUIRED".into(), true),
        (&server, "tls", "tls=preferred".into(), true),
        (&server, "sure", ca.clone(), false),
        (&server, "sure", format!("{ca}\n{own}"), true),
        (&server, "sure", format!("tls=skip-verify\n{own}"), true),
        (&plain, "any", "tls=preferred".into(), true),
        (&plain, "any", "ssl-mode=REQUIRED".into(), false),
        (&plain, "any", ca.clone(), false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("[client]\nuser={user}\nhost=127.0.0.1\nport=PORT\n{keys}\n");
        let cnf = server.options(dir.path(), &text);
        let exporter = Exporter::start(BINARY, &[&cnf], dir.path());
        let page = exporter.get("/metrics?collect[]=slave_status").body;
        let found = value(&page, "mysql_up");
        assert_eq!(found, Some(f64::from(u8::from(up))), "{text}\n{}", exporter.log());
    }
}

#[test]
fn authentication_plugins_are_spoken() {
    let Some(server) = Server::mariadb_with_plugin("auth_ed25519") else { return };
    server.sql(
        "CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('sesame'); CREATE USER \
         native@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('sesame')",
    );
    for user in ["ed", "native"] {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("[client]\nuser={user}\npassword=sesame\nhost=127.0.0.1\nport=PORT\n");
        let cnf = server.options(dir.path(), &text);
        let exporter = Exporter::start(BINARY, &[&cnf], dir.path());
        let page = exporter.get("/metrics?collect[]=slave_status").body;
        assert_eq!(value(&page, "mysql_up"), Some(1.0), "{user}: {}", exporter.log());
    }
}

#[test]
fn response_times_are_a_histogram() {
    let Some(server) = Server::mariadb_with_plugin("query_response_time") else { return };
    let dir = tempfile::tempdir().unwrap();
    let exporter = start(&server, dir.path(), &[]);
    let path = "/metrics?collect[]=info_schema.query_response_time";
    let name = "mysql_info_schema_query_response_time_seconds";
    assert!(!exporter.get(path).body.contains(name), "it is off");
    server.sql("SET GLOBAL query_response_time_stats = ON; SELECT 1; SELECT 2");
    let page = exporter.get(path).body;
    let all = value(&page, &format!("{name}_bucket{{le=\"+Inf\"}}"));
    assert!(all.is_some_and(|all| all >= 1.0), "{page}");
    assert_eq!(all, value(&page, &format!("{name}_count")), "{page}");
}

/// Whoever answers there may say anything.
#[test]
fn what_is_no_server_is_down() {
    let greetings: [&[u8]; 6] = [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        &[0xff; 200],
        &[0; 64],
        // A packet of 16 MiB that never comes.
        &[0xff, 0xff, 0xff, 0, 10],
        b"",
    ];
    for (greeting, hangs) in
        greetings.iter().flat_map(|greeting| [(*greeting, true), (*greeting, false)])
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let mut clients = Vec::new();
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let _ = client.write_all(greeting);
                // Else it is closed here.
                if hangs {
                    clients.push(client);
                }
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let address = format!("--mysqld.address=127.0.0.1:{port}");
        let exporter = Exporter::start(BINARY, &["--mysqld.username=nobody", &address], dir.path());
        for _ in 0..2 {
            let page = ask(exporter.port, "/metrics", "1");
            assert_eq!(
                (page.status, value(&page.body, "mysql_up")),
                (200, Some(0.0)),
                "{greeting:?}"
            );
        }
    }
}

/// The exporter, logged in to the server over TCP.
fn start(server: &Server, dir: &Path, flags: &[&str]) -> Exporter {
    let cnf = server.login_options(dir);
    let flags: Vec<_> = flags.iter().copied().chain([cnf.as_str()]).collect();
    Exporter::start(BINARY, &flags, dir)
}

fn check(flags: &[&str]) -> Output {
    Command::new(BINARY).args(flags).arg("--check").output().unwrap()
}

/// A scrape that says how long it will wait.
fn ask(port: u16, path: &str, seconds: &str) -> Answer {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    get(stream, path, &[("X-Prometheus-Scrape-Timeout-Seconds", seconds)]).unwrap()
}

/// The value of a series on a page.
fn value(page: &str, series: &str) -> Option<f64> {
    let mut lines = page.lines();
    lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}
