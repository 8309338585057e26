//! The real binary against real servers, which the tests start themselves.

#![expect(clippy::disallowed_methods, reason = "starts servers and reads what programs wrote")]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by a panic"
)]
#![expect(clippy::print_stderr, reason = "tests print their progress")]

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
#[path = "live/logins.rs"]
mod logins;
#[path = "live/names.rs"]
mod names;
#[path = "live/queries.rs"]
mod queries;
#[path = "live/replication.rs"]
mod replication;
#[path = "live/server.rs"]
mod server;
#[path = "live/stalls.rs"]
mod stalls;
#[path = "live/targets.rs"]
mod targets;

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::{fs, thread};

use exporter_core::testing::{Answer, Authority, Exporter, Kind, get, golden, until};

use server::Server;

const BINARY: &str = env!("CARGO_BIN_EXE_mysql-exporter");
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

/// The collectors that are off by default and succeed on every server.
const OPTIONAL_COLLECTORS: [&str; 36] = [
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

/// The collectors in `OPTIONAL_COLLECTORS` that work only on MySQL.
const MYSQL_ONLY: [&str; 4] = [
    "perf_schema.eventsstatements_histogram",
    "perf_schema.replication_applier_status_by_worker",
    "perf_schema.replication_group_member_stats",
    "perf_schema.replication_group_members",
];

#[test]
fn mariadb_is_exposed() {
    if let Some(server) = Server::mariadb(&[]) {
        run_fixtures(&server);
    }
}

#[test]
fn mysql_is_exposed() {
    if let Some(server) = Server::mysql() {
        run_fixtures(&server);
    }
}

/// A test on a server, with a directory for its files.
type Fixture = fn(&Server, &Path);

/// Runs all tests that leave the server unchanged on the same server, because starting one takes
/// seconds.
fn run_fixtures(server: &Server) {
    let cases: [(&str, Fixture); 40] = [
        ("the password", logins::the_password_is_sent_only_if_nobody_else_can_read_it),
        ("every collector succeeds", every_collector_succeeds),
        ("number of statements", a_scrape_sends_few_statements),
        ("sixty scrapes share two connections", sixty_scrapes_share_two_connections),
        ("probes", logins::only_allowed_targets_are_probed),
        ("password files", logins::password_files_are_read_at_login),
        ("missing grants", logins::missing_grants_are_reported),
        ("former names of replication", replication_has_its_former_names),
        ("closed connections", stalls::closed_connections_are_replaced),
        ("abandoned statements", stalls::abandoned_statements_are_killed),
        ("a frozen server", stalls::a_frozen_server_is_reported_as_down),
        ("locks", collectors::lock_waits_are_exposed),
        ("accounts and more", collectors::accounts_gtids_and_log_are_exposed),
        ("latency", collectors::latency_is_a_native_histogram),
        ("example queries", queries::shipped_queries_work),
        ("queries fail alone", queries::queries_cannot_write_and_fail_alone),
        ("intervals", queries::intervals_save_statements),
        ("one connection", connections::one_connection_serves_all_collectors),
        ("a dropped account", connections::a_dropped_account_is_noticed),
        ("abandoned scrapes", connections::abandoned_scrapes_cause_no_connection_errors),
        (
            "an untrusted certificate",
            connections::an_untrusted_certificate_causes_one_connection_error,
        ),
        ("closing connections", connections::connections_are_closed_cleanly),
        ("limits of the server", connections::limits_of_the_server_do_not_hide_rows),
        ("the slow log", connections::logins_are_not_in_the_slow_log),
        ("the processlist", connections::the_processlist_excludes_the_exporter),
        ("a socket needs no TLS", connections::a_socket_needs_no_tls),
        ("no statement fails", faults::no_statement_fails),
        ("unavailable collectors", faults::unavailable_collectors_are_ignored),
        ("privileges", faults::a_missing_privilege_fails_only_its_collectors),
        ("wrong passwords", faults::wrong_passwords_do_not_block_the_host),
        ("an expired password", faults::an_expired_password_is_reported),
        ("an unknown user", faults::an_unknown_user_is_reported_with_both_reasons),
        ("an invalid reload", faults::an_invalid_reload_is_reported),
        (
            "abandoned statements in the processlist",
            faults::an_abandoned_statement_is_not_in_the_processlist,
        ),
        ("leaks of connections", faults::scrapes_leak_no_connections),
        ("special characters in names", names::special_characters_in_names_are_exposed),
        ("other encodings", names::other_encodings_are_exposed_as_utf8),
        ("many tables and users", names::many_tables_and_users_are_exposed),
        ("a full server", faults::a_full_server_is_down_until_it_accepts_connections),
        ("a crash", faults::the_exporter_survives_a_server_crash_during_a_scrape),
    ];
    for (name, fixture) in cases {
        eprintln!("{}: {name}", server.flavour);
        let dir = tempfile::tempdir().unwrap();
        fixture(server, dir.path());
    }
}

fn every_collector_succeeds(server: &Server, dir: &Path) {
    let switches: Vec<_> =
        OPTIONAL_COLLECTORS.iter().map(|name| format!("--collect.{name}")).collect();
    let flags: Vec<_> = switches.iter().map(String::as_str).collect();
    let exporter = start(server, dir, &flags);
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
    // The table of heartbeats has the same row twice.
    let heartbeat = "mysql_heartbeat_stored_timestamp_seconds{server_id=\"1\"}";
    assert!(value(&page, heartbeat).is_some(), "only the duplicate series is dropped");
    assert!(value(&page, "exporter_dropped_series_total{reason=\"series\"}").unwrap_or(1.0) > 0.0);
    // Values that depend neither on the version nor on the history of the server.
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
        let has_prefix = |line: &&str| prefixes.iter().any(|prefix| line.starts_with(prefix));
        let has_system_schema =
            |line: &&str| line.contains("schema=\"mysql\"") || line.contains("schema=\"sys\"");
        let series: BTreeSet<_> = page
            .lines()
            .filter(|line| has_prefix(line) && !has_system_schema(line))
            .filter_map(|line| Some(line.rsplit_once(' ')?.0))
            .collect();
        let text: String = series.iter().flat_map(|series| [series, "\n"]).collect();
        golden(format!("{GOLDEN}/{}/{name}.txt", server.flavour), &text);
    }
}

fn a_scrape_sends_few_statements(server: &Server, dir: &Path) {
    let exporter = start(server, dir, &[]);
    for _ in 0..3 {
        exporter.get("/metrics");
    }
    let before = server.status("Questions");
    for _ in 0..10 {
        exporter.get("/metrics");
    }
    // One of the counted statements reads the counter. The server does not count pings.
    let statements = (server.status("Questions") - before - 1) as f64 / 10.0 + 1.0;
    let max = if server.is_mysql() { 7.0 } else { 8.0 };
    assert!(statements <= max, "{statements} statements, pings included");
}

fn sixty_scrapes_share_two_connections(server: &Server, dir: &Path) {
    // Most of the scrapes join a collection in progress.
    let exporter = start(server, dir, &["--web.max-requests=4"]);
    server.sql("FLUSH STATUS");
    let others = server.status("Max_used_connections");
    let port = exporter.port;
    let scrapes: Vec<_> = (0..60)
        .map(|index| {
            thread::spawn(move || {
                // Scrapes with different queries do not share a collection, but wait for a connection.
                let query = ["", "?collect[]=global_status", "?collect[]=slave_status"];
                let path = format!("/metrics{}", query[index % 3]);
                scrape_with_timeout(port, &path, "100")
            })
        })
        .collect();
    for scrape in scrapes {
        let page = scrape.join().unwrap();
        assert_eq!(value(&page.body, "mysql_up"), Some(1.0), "{} {}", page.status, page.body);
    }
    let max_used = server.status("Max_used_connections");
    assert!(max_used <= others + 2, "{max_used} connections, {others} of them not the exporter's");
}

fn replication_has_its_former_names(server: &Server, dir: &Path) {
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

#[test]
fn connections_are_encrypted_as_configured() {
    let keys = tempfile::tempdir().unwrap();
    fs::set_permissions(keys.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let authority = Authority::new(keys.path(), "ca");
    let other_authority = Authority::new(keys.path(), "other");
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
    let other = format!("ssl-ca={}", path(&other_authority.certificate));
    let own = format!("ssl-cert={}\nssl-key={}", path(&client.certificate), path(&client.key));
    for (server, user, keys, is_up) in [
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
        assert_eq!(found, Some(f64::from(u8::from(is_up))), "{text}\n{}", exporter.log());
    }
}

#[test]
fn authentication_plugins_are_supported() {
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
    assert!(!exporter.get(path).body.contains(name), "it is disabled");
    server.sql("SET GLOBAL query_response_time_stats = ON; SELECT 1; SELECT 2");
    let page = exporter.get(path).body;
    let count = value(&page, &format!("{name}_bucket{{le=\"+Inf\"}}"));
    assert!(count.is_some_and(|count| count >= 1.0), "{page}");
    assert_eq!(count, value(&page, &format!("{name}_count")), "{page}");
}

/// Starts an exporter that logs in to the server over TCP.
fn start(server: &Server, dir: &Path, flags: &[&str]) -> Exporter {
    let cnf = server.login_options(dir);
    let flags: Vec<_> = flags.iter().copied().chain([cnf.as_str()]).collect();
    Exporter::start(BINARY, &flags, dir)
}

fn check(flags: &[&str]) -> Output {
    Command::new(BINARY).args(flags).arg("--check").output().unwrap()
}

/// Scrapes with this timeout in seconds.
fn scrape_with_timeout(port: u16, path: &str, seconds: &str) -> Answer {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    get(stream, path, &[("X-Prometheus-Scrape-Timeout-Seconds", seconds)]).unwrap()
}

/// The value of a series on a page.
fn value(page: &str, series: &str) -> Option<f64> {
    let mut lines = page.lines();
    lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}
