//! Connections that are closed, and servers that stall.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Instant;

use exporter_core::testing::{Exporter, MAX_WAIT, until};

use crate::server::Server;
use crate::{BINARY, scrape_with_timeout, start, value};

pub(crate) fn closed_connections_are_replaced(server: &Server, dir: &Path) {
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

pub(crate) fn abandoned_statements_are_killed(server: &Server, dir: &Path) {
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
    let page = scrape_with_timeout(exporter.port, "/metrics", "5").body;
    assert!(since.elapsed() < MAX_WAIT, "{:?}", since.elapsed());
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
    assert!(since.elapsed() < MAX_WAIT, "the server ends the statement after a second");
    server.sql("DROP DATABASE slow");
}

pub(crate) fn a_frozen_server_is_reported_as_down(server: &Server, dir: &Path) {
    let exporter = start(server, dir, &[]);
    assert_eq!(value(&exporter.get("/metrics").body, "mysql_up"), Some(1.0));
    server.signal("STOP");
    for _ in 0..2 {
        let since = Instant::now();
        let page = scrape_with_timeout(exporter.port, "/metrics", "2");
        assert!(since.elapsed() < MAX_WAIT, "{:?}", since.elapsed());
        assert_eq!((page.status, value(&page.body, "mysql_up")), (200, Some(0.0)), "{}", page.body);
        assert!(!page.body.contains("collect.global_status"), "{}", page.body);
    }
    server.signal("CONT");
    let page = scrape_with_timeout(exporter.port, "/metrics", "100").body;
    assert_eq!(value(&page, "mysql_up"), Some(1.0), "{}", exporter.log());
    let logged = exporter.log().matches("collector failed").count();
    assert_eq!(logged, 1, "logged once, when it went down: {}", exporter.log());
}

/// `mysql_up` is 0 if the peer speaks another protocol.
#[test]
fn a_peer_that_is_not_a_mysql_server_is_down() {
    let greetings: [&[u8]; 6] = [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        &[0xff; 200],
        &[0; 64],
        // The header of a packet of 16 MiB, without the rest.
        &[0xff, 0xff, 0xff, 0, 10],
        b"",
    ];
    for (greeting, stays_open) in
        greetings.iter().flat_map(|greeting| [(*greeting, true), (*greeting, false)])
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let mut clients = Vec::new();
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let _ = client.write_all(greeting);
                // The connection closes when the stream is dropped.
                if stays_open {
                    clients.push(client);
                }
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let address = format!("--mysqld.address=127.0.0.1:{port}");
        let exporter = Exporter::start(BINARY, &["--mysqld.username=nobody", &address], dir.path());
        for _ in 0..2 {
            let page = scrape_with_timeout(exporter.port, "/metrics", "1");
            assert_eq!(
                (page.status, value(&page.body, "mysql_up")),
                (200, Some(0.0)),
                "{greeting:?}"
            );
        }
    }
}
