//! Connections to a server: how many there are, how they are closed, and what the server counts and
//! logs.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use exporter_core::testing::{Authority, Exporter, MAX_WAIT};

use crate::server::Server;
use crate::{BINARY, scrape_with_timeout, start, value};

/// The samples of failed collectors on a page.
pub(crate) fn failed_collectors(page: &str) -> Vec<&str> {
    let is_success = |line: &&str| line.starts_with("mysql_exporter_collector_success{");
    page.lines().filter(is_success).filter(|line| line.ends_with(" 0")).collect()
}

/// Starts an exporter whose user may have one connection.
fn start_limited(server: &Server, dir: &Path, flags: &[&str]) -> Exporter {
    server.user("limited", "127.0.0.1", "");
    let own = if server.is_mysql() { "" } else { ", SLAVE MONITOR" };
    server.sql(&format!(
        "GRANT PROCESS, REPLICATION CLIENT, SELECT{own} ON *.* TO limited@127.0.0.1"
    ));
    server.sql("ALTER USER limited@127.0.0.1 WITH MAX_USER_CONNECTIONS 1");
    let cnf = server.options(dir, "[client]\nuser=limited\nhost=127.0.0.1\nport=PORT");
    let flags: Vec<_> = flags.iter().copied().chain([cnf.as_str()]).collect();
    Exporter::start(BINARY, &flags, dir)
}

pub(crate) fn one_connection_serves_all_collectors(server: &Server, dir: &Path) {
    let exporter = start_limited(server, dir, &["--exporter.connection-lifetime=1"]);
    for _ in 0..3 {
        let page = exporter.get("/metrics").body;
        assert_eq!(value(&page, "mysql_up"), Some(1.0), "{}", exporter.log());
        assert!(
            failed_collectors(&page).is_empty(),
            "{:?}\n{}",
            failed_collectors(&page),
            exporter.log()
        );
        // Longer than the lifetime: the connection is replaced, although the user may not have two.
        thread::sleep(Duration::from_millis(1100));
    }
    drop(exporter);
    server.sql("DROP USER limited@127.0.0.1");
}

pub(crate) fn a_dropped_account_is_noticed(server: &Server, dir: &Path) {
    server.user("dropped", "127.0.0.1", "");
    let cnf = server.options(dir, "[client]\nuser=dropped\nhost=127.0.0.1\nport=PORT");
    let flags = [cnf.as_str(), "--exporter.connection-lifetime=1"];
    let exporter = Exporter::start(BINARY, &flags, dir);
    assert_eq!(value(&exporter.get("/metrics").body, "mysql_up"), Some(1.0), "{}", exporter.log());
    server.sql("DROP USER dropped@127.0.0.1");
    let since = Instant::now();
    while value(&exporter.get("/metrics").body, "mysql_up") != Some(0.0) {
        assert!(since.elapsed() < MAX_WAIT, "{}", exporter.log());
        thread::sleep(Duration::from_millis(100));
    }
}

/// A server blocks the host after 100 errors.
pub(crate) fn abandoned_scrapes_cause_no_connection_errors(server: &Server, dir: &Path) {
    let exporter = start(server, dir, &[]);
    let before = server.status("Aborted_connects");
    server.signal("STOP");
    for _ in 0..6 {
        let page = scrape_with_timeout(exporter.port, "/metrics", "1").body;
        assert_eq!(value(&page, "mysql_up"), Some(0.0), "{page}");
    }
    server.signal("CONT");
    let page = scrape_with_timeout(exporter.port, "/metrics", "10").body;
    assert_eq!(value(&page, "mysql_up"), Some(1.0), "{}", exporter.log());
    let errors = server.status("Aborted_connects") - before;
    assert!(errors <= 1, "{errors} errors: {}", exporter.log());
}

pub(crate) fn an_untrusted_certificate_causes_one_connection_error(server: &Server, dir: &Path) {
    if !server.is_mysql() {
        // MariaDB has no certificate here.
        return;
    }
    let other_authority = Authority::new(dir, "other");
    let cnf = server.options(
        dir,
        &format!(
            "[client]\nuser=exporter\nhost=127.0.0.1\nport=PORT\nssl-ca={}\n",
            other_authority.certificate.display()
        ),
    );
    let before = server.status("Aborted_connects");
    let exporter = Exporter::start(BINARY, &[&cnf], dir);
    for _ in 0..6 {
        assert_eq!(value(&exporter.get("/metrics").body, "mysql_up"), Some(0.0));
    }
    let errors = server.status("Aborted_connects") - before;
    assert!(errors <= 1, "{errors} errors: {}", exporter.log());
}

pub(crate) fn connections_are_closed_cleanly(server: &Server, dir: &Path) {
    let before = server.status("Aborted_clients");
    let exporter = start(server, dir, &["--exporter.connection-lifetime=1"]);
    let reload = |expected_reloads| {
        assert_eq!(value(&exporter.get("/metrics").body, "mysql_up"), Some(1.0));
        exporter.signal("HUP");
        let since = Instant::now();
        while exporter.log().matches("configuration reloaded").count() < expected_reloads {
            assert!(since.elapsed() < MAX_WAIT, "{}", exporter.log());
            thread::sleep(Duration::from_millis(20));
        }
    };
    reload(1);
    thread::sleep(Duration::from_millis(1100));
    reload(2);
    wait_for_no_connections(server);
    assert_eq!(server.status("Aborted_clients"), before);
}

/// Waits until the server has no connection of the exporter.
fn wait_for_no_connections(server: &Server) {
    let sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'exporter'";
    let since = Instant::now();
    while server.sql(sql).trim() != "0" {
        assert!(since.elapsed() < MAX_WAIT, "connections are left");
        thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn limits_of_the_server_do_not_hide_rows(server: &Server, dir: &Path) {
    let limits = server.sql("SELECT @@GLOBAL.sql_select_limit, @@GLOBAL.max_join_size");
    let (select, join) = limits.trim().split_once('\t').unwrap();
    server.sql("SET GLOBAL sql_select_limit = 1, GLOBAL max_join_size = 1");
    let exporter = start(server, dir, &["--collect.info_schema.processlist"]);
    let page = exporter.get("/metrics").body;
    server.sql(&format!("SET GLOBAL sql_select_limit = {select}, GLOBAL max_join_size = {join}"));
    assert_eq!(value(&page, "mysql_up"), Some(1.0), "{}", exporter.log());
    assert!(
        failed_collectors(&page).is_empty(),
        "{:?}\n{}",
        failed_collectors(&page),
        exporter.log()
    );
    let variables = page.lines().filter(|line| line.starts_with("mysql_global_variables_"));
    assert!(variables.count() > 100, "{page}");
}

pub(crate) fn logins_are_not_in_the_slow_log(server: &Server, dir: &Path) {
    if server.is_mysql() {
        return;
    }
    server.sql(
        "SET GLOBAL log_output = 'TABLE', GLOBAL long_query_time = 0, GLOBAL slow_query_log = ON",
    );
    let exporter = start(server, dir, &["--exporter.log_slow_filter"]);
    let page = exporter.get("/metrics?collect[]=slave_status").body;
    server.sql("SET GLOBAL slow_query_log = OFF, GLOBAL long_query_time = 10");
    assert_eq!(value(&page, "mysql_up"), Some(1.0), "{}", exporter.log());
    let logged = server.sql("SELECT sql_text FROM mysql.slow_log WHERE user_host LIKE 'exporter%'");
    assert_eq!(logged, "");
    server.sql("TRUNCATE mysql.slow_log");
}

/// The exporter's own connections are not counted.
pub(crate) fn the_processlist_excludes_the_exporter(server: &Server, dir: &Path) {
    wait_for_no_connections(server);
    let exporter = start(server, dir, &["--collect.info_schema.processlist"]);
    for _ in 0..3 {
        let page = exporter.get("/metrics").body;
        let own = "mysql_info_schema_processlist_processes_by_user{mysql_user=\"exporter\"}";
        assert_eq!(value(&page, own), None, "{page}");
    }
}

/// TLS settings that do not verify the certificate are ignored on a Unix socket.
pub(crate) fn a_socket_needs_no_tls(server: &Server, dir: &Path) {
    for keys in ["ssl-mode=REQUIRED", "tls=skip-verify", "ssl-skip-verfication=1"] {
        let text = format!(
            "[client]\nuser=exporter\npassword={}\nsocket=SOCKET\n{keys}\n",
            crate::server::PASSWORD
        );
        let cnf = server.options(dir, &text);
        let exporter = Exporter::start(BINARY, &[&cnf], dir);
        let page = exporter.get("/metrics?collect[]=slave_status").body;
        assert_eq!(value(&page, "mysql_up"), Some(1.0), "{keys}: {}", exporter.log());
    }
    fs::remove_file(dir.join("my.cnf")).unwrap();
}
