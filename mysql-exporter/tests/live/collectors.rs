//! Collectors of locks, accounts, GTIDs and latencies, on a real server.

use super::*;

const SWITCHES: [&str; 8] = [
    "--collect.binlog_gtid",
    "--collect.info_schema.innodb_trx",
    "--collect.innodb_log",
    "--collect.mysql.accounts",
    "--collect.perf_schema.data_lock_waits",
    "--collect.perf_schema.eventsstatements_by_account",
    "--collect.perf_schema.metadata_locks",
    "--collect.rds",
];

fn assert_values(page: &str, expected: &[(&str, f64)]) {
    for (series, expected) in expected {
        let found = value(page, &format!("mysql_{series}"));
        assert_eq!(found, Some(*expected), "{series}\n{page}");
    }
}

pub(crate) fn lock_waits_are_exposed(server: &Server, dir: &Path) {
    if !server.is_mysql() {
        server.sql(
            "UPDATE performance_schema.setup_instruments SET ENABLED = 'YES' WHERE NAME = \
             'wait/lock/metadata/sql/mdl'",
        );
    }
    server.sql("CREATE TABLE app.locked (id INT PRIMARY KEY, n INT); INSERT INTO app.locked VALUES (1, 1), (2, 2)");
    let mut holder = server.session();
    holder.send("BEGIN; UPDATE app.locked SET n = 3 WHERE id = 1; SELECT 'held'");
    holder.wait_for("held");
    let mut waits_for_row = server.session();
    waits_for_row.send("SELECT 'ready'; UPDATE app.locked SET n = 4 WHERE id = 1");
    waits_for_row.wait_for("ready");
    let mut waits_for_table = server.session();
    waits_for_table.send("SELECT 'ready'; ALTER TABLE app.locked ADD COLUMN extra INT");
    waits_for_table.wait_for("ready");
    let exporter = start(server, dir, &SWITCHES);
    let mut page = String::new();
    until(
        || {
            page = exporter.get("/metrics").body;
            let waits = "mysql_perf_schema_metadata_lock_waits{schema=\"app\",object=\"locked\"}";
            let row = "mysql_perf_schema_data_lock_waiting_transactions";
            value(&page, waits) == Some(1.0) && value(&page, row) == Some(1.0)
        },
        || format!("{}\n{}", exporter.log(), exporter.get("/metrics").body),
    );
    assert_values(
        &page,
        &[
            ("perf_schema_data_lock_blocking_transactions", 1.0),
            ("perf_schema_data_lock_waits{schema=\"app\",table=\"locked\"}", 1.0),
            ("info_schema_innodb_trx_transactions{state=\"LOCK WAIT\"}", 1.0),
            ("info_schema_innodb_trx_transactions{state=\"ROLLING BACK\"}", 0.0),
            ("info_schema_innodb_trx_long_transactions{state=\"RUNNING\"}", 0.0),
            ("info_schema_innodb_trx_idle_transactions{state=\"RUNNING\"}", 1.0),
            ("info_schema_innodb_trx_rows_modified{state=\"RUNNING\"}", 1.0),
            (
                "perf_schema_metadata_locks{object_type=\"TABLE\",lock_type=\"EXCLUSIVE\",lock_status=\"PENDING\"}",
                1.0,
            ),
        ],
    );
    drop((holder, waits_for_row, waits_for_table));
    until(
        || server.try_sql("SET lock_wait_timeout = 1; DROP TABLE IF EXISTS app.locked").is_ok(),
        String::new,
    );
}

pub(crate) fn accounts_gtids_and_log_are_exposed(server: &Server, dir: &Path) {
    server.sql(
        "CREATE USER expiring@'10.%' IDENTIFIED BY 'x' REQUIRE SSL PASSWORD EXPIRE INTERVAL 30 \
         DAY; CREATE USER gone@'%' IDENTIFIED BY 'x' PASSWORD EXPIRE ACCOUNT LOCK; INSERT INTO \
         app.things (name) VALUES ('c'); DELETE FROM app.things WHERE name = 'c'",
    );
    let exporter = start(server, dir, &SWITCHES);
    let page = exporter.get("/metrics").body;
    let account = |family: &str, user: &str, host: &str| {
        value(&page, &format!("mysql_account_{family}{{user=\"{user}\",host=\"{host}\"}}"))
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let days = (account("password_expiry_timestamp_seconds", "expiring", "10.%").unwrap()
        - now.as_secs_f64())
        / 86400.0;
    assert!((29.9..=30.1).contains(&days), "{days} days\n{page}");
    assert_eq!(account("tls_required", "expiring", "10.%"), Some(1.0), "{page}");
    assert_eq!(account("password_expired", "expiring", "10.%"), Some(0.0));
    assert_eq!(account("locked", "gone", "%"), Some(1.0));
    assert_eq!(account("tls_required", "exporter", "127.0.0.1"), Some(0.0));
    assert_eq!(account("password_expiry_timestamp_seconds", "exporter", "127.0.0.1"), None);
    if server.is_mysql() {
        assert_eq!(account("password_expired", "gone", "%"), Some(1.0));
        assert!(page.contains("mysql_gtid_executed_intervals{source=\""), "{page}");
    } else {
        assert!(page.contains("mysql_gtid_binlog_sequence{domain_id=\"0\",server_id=\"1\"} "));
    }
    for name in ["checkpoint_age_bytes", "checkpoint_age_limit_bytes", "history_list_length"] {
        let found = value(&page, &format!("mysql_innodb_{name}"));
        assert!(found.is_some_and(|found| found >= 0.0), "{name}\n{page}");
    }
    let statements =
        "mysql_perf_schema_account_statements_total{user=\"exporter\",host=\"localhost\"}";
    assert!(value(&page, statements).is_some_and(|count| count > 0.0), "{page}");
    // The collector recognizes Amazon RDS by its table.
    assert!(!page.contains("mysql_rds_"), "{page}");
    server.sql(
        "CREATE TABLE mysql.rds_configuration (name VARCHAR(100), value VARCHAR(100)); INSERT \
         INTO mysql.rds_configuration VALUES ('binlog retention hours', '24'), ('target delay', \
         NULL)",
    );
    let page = exporter.get("/metrics").body;
    assert_values(
        &page,
        &[
            ("rds_info{service=\"rds\",aurora_version=\"\",server_id=\"\"}", 1.0),
            ("rds_configuration{name=\"binlog retention hours\"}", 24.0),
            ("rds_reader", 0.0),
        ],
    );
    server.sql("DROP TABLE mysql.rds_configuration; DROP USER expiring@'10.%', gone@'%'");
}

pub(crate) fn latency_is_a_native_histogram(server: &Server, dir: &Path) {
    if !server.is_mysql() {
        return;
    }
    let exporter = start(server, dir, &["--collect.perf_schema.eventsstatements_histogram"]);
    let page = exporter.get("/metrics").body;
    let name = "mysql_perf_schema_statement_latency_seconds";
    let count = value(&page, &format!("{name}_count")).unwrap();
    assert!(count > 0.0, "{page}");
    assert_eq!(value(&page, &format!("{name}_bucket{{le=\"+Inf\"}}")), Some(count));
    assert!(value(&page, &format!("{name}_bucket{{le=\"1e-05\"}}")).is_some(), "{page}");
    assert!(value(&page, &format!("{name}_sum")).unwrap() > 0.0);
    // The native buckets are in protobuf: many more bytes than the 18 classic ones.
    let accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let stream = TcpStream::connect(("127.0.0.1", exporter.port)).unwrap();
    let path = "/metrics?collect[]=perf_schema.eventsstatements_histogram";
    let answer = get(stream, path, &[("Accept", accept)]).unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains(name), "{}", answer.body);
}
