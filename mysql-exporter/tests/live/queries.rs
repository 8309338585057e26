//! Custom queries on a real server.

use std::thread;
use std::time::Duration;

use super::*;

const EXAMPLES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/examples/mysql-exporter/queries.yml");

/// Writes a file of queries. Returns the flag that sets it.
pub(crate) fn file(dir: &Path, text: &str) -> String {
    let path = dir.join("queries.yml");
    fs::write(&path, text).unwrap();
    format!("--config.queries={}", path.display())
}

/// A query with one value column `v`, and without labels.
fn query(name: &str, statement: &str) -> String {
    format!(
        "  - name: {name}\n    statement: \"{statement}\"\n    values: [{{column: v, type: gauge, \
         help: A value.}}]\n"
    )
}

fn succeeded(page: &str, name: &str) -> Option<f64> {
    let series = "mysql_exporter_collector_success";
    value(page, &format!("{series}{{collector=\"collect.query.{name}\"}}"))
}

/// Each of the shipped examples has a result.
pub(crate) fn shipped_queries_work(server: &Server, dir: &Path) {
    server.sql(
        "CREATE DATABASE shop; CREATE TABLE shop.bare (a INT, KEY unused (a)) ENGINE=InnoDB; CREATE \
         TABLE shop.full (id TINYINT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT=120",
    );
    let mut idle = server.session();
    idle.send("BEGIN; SELECT * FROM app.things; INSERT INTO shop.bare VALUES (1); SELECT 'idle'");
    idle.wait_for("idle");
    let mut waiting = server.session();
    waiting.send("SELECT 'ready'; ALTER TABLE app.things ADD COLUMN extra INT");
    waiting.wait_for("ready");
    // The examples select transactions older than a minute, which is too long for a test.
    let text = fs::read_to_string(EXAMPLES).unwrap();
    let text = text.replace("INTERVAL 60 SECOND", "INTERVAL -60 SECOND");
    let text =
        text.replace("interval: 10m", "interval: 1ms").replace("interval: 1h", "interval: 1ms");
    assert_eq!(text.matches("- name: ").count(), 10);
    let exporter = start(server, dir, &[&file(dir, &text)]);
    let mut page = String::new();
    until(
        || {
            // The server refreshes innodb_trx if it was not read for 0.1 s.
            thread::sleep(Duration::from_millis(200));
            page = exporter.get("/metrics").body;
            let idle = value(&page, "mysql_query_idle_in_transaction_connections{user=\"root\"}");
            let waits = value(&page, "mysql_query_metadata_lock_waits_waiting");
            idle == Some(1.0) && waits == Some(1.0)
        },
        || exporter.log(),
    );
    for (series, expected) in [
        ("long_transactions_oldest_age_seconds{state=\"RUNNING\"}", None),
        ("idle_in_transaction_connections{user=\"root\"}", Some(1.0)),
        ("innodb_deadlocks_total", None),
        ("history_list_length", None),
        ("unused_indexes_indexes{schema=\"shop\"}", Some(1.0)),
        ("tables_without_primary_key_tables{schema=\"shop\"}", Some(1.0)),
        (
            "auto_increment_used_ratio{schema=\"shop\",table=\"full\",column=\"id\"}",
            Some(120.0 / 127.0),
        ),
        ("table_sizes_tables{le=\"1048576\"}", None),
        ("table_sizes_tables{le=\"+Inf\"}", None),
        ("connections_open{user=\"exporter\",state=\"Query\"}", None),
    ] {
        let found = value(&page, &format!("mysql_query_{series}"));
        let as_expected = found.is_some_and(|found| {
            expected.is_none_or(|expected: f64| (found - expected).abs() < 1e-4)
        });
        assert!(as_expected, "{series} is {found:?}, expected {expected:?}\n{page}");
    }
    let failed = page.lines().find(|line| line.contains("collect.query.") && line.ends_with(" 0"));
    assert_eq!(failed, None, "{}", exporter.log());
    drop((idle, waiting));
    let output = check(&[&file(dir, &text), &server.login_options(dir)]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("query.auto_increment") && text.contains("reads about"), "{text}");
    server.sql("DROP DATABASE shop");
}

/// An invalid query fails alone, and no query can write.
pub(crate) fn queries_cannot_write_and_fail_alone(server: &Server, dir: &Path) {
    server.sql(
        "CREATE TABLE app.written (a INT); GRANT EXECUTE, INSERT ON app.* TO exporter@'127.0.0.1'",
    );
    server.sql(
        "DELIMITER //\nCREATE FUNCTION app.writes() RETURNS INT DETERMINISTIC MODIFIES SQL DATA \
         BEGIN INSERT INTO app.written VALUES (1); RETURN 1; END//\n",
    );
    let text = [
        "queries:\n".to_owned(),
        query("valid", "SELECT 7 AS v"),
        query("writes", "SELECT app.writes() AS v"),
        query("broken", "SELECT nothing AS v FROM app.nowhere"),
        query("unnamed", "SELECT 1 AS w"),
        query("many", "SELECT 1 AS v UNION ALL SELECT 2") + "    max_series: 1\n",
        query(
            "slow",
            "SELECT COUNT(*) AS v FROM app.things a, app.things b WHERE a.id < (SELECT \
               COUNT(*) FROM information_schema.COLUMNS x, information_schema.COLUMNS y, \
               information_schema.COLUMNS z WHERE x.COLUMN_NAME <> y.COLUMN_NAME)",
        ) + "    timeout: 500ms\n",
        query("elsewhere", "SELECT nothing FROM nowhere") + "    servers: [mysql >= 99]\n",
        query("each", "SELECT COUNT(*) AS v FROM things") + "    databases: [app, missing]\n",
    ]
    .concat();
    let exporter = start(server, dir, &[&file(dir, &text), "--web.enable-lifecycle"]);
    let page = exporter.get("/metrics").body;
    assert_eq!(value(&page, "mysql_query_valid_v"), Some(7.0), "{}", exporter.log());
    assert_eq!(value(&page, "mysql_query_each_v{database=\"app\"}"), Some(2.0), "{page}");
    for (name, success) in [
        ("valid", 1.0),
        ("writes", 0.0),
        ("broken", 0.0),
        ("unnamed", 0.0),
        ("many", 0.0),
        ("slow", 0.0),
        ("elsewhere", 1.0),
        ("each", 1.0),
    ] {
        assert_eq!(succeeded(&page, name), Some(success), "{name}: {}", exporter.log());
    }
    assert_eq!(value(&page, "mysql_up"), Some(1.0));
    assert!(value(&page, "mysql_global_status_uptime").is_some());
    assert_eq!(server.sql("SELECT COUNT(*) FROM app.written").trim(), "0");
    for problem in ["READ ONLY", "app.nowhere", "no column", "max_series", "500"] {
        let log = exporter.log();
        assert!(log.contains(problem) || log.contains(&problem.to_lowercase()), "{problem}: {log}");
    }
    let only = exporter.get("/metrics?collect[]=query.valid").body;
    assert!(only.contains("mysql_query_valid_v 7") && !only.contains("mysql_global_"), "{only}");
    let output = check(&[&file(dir, &text), &server.login_options(dir)]);
    assert_eq!(output.status.code(), Some(2));
    let found = String::from_utf8_lossy(&output.stdout);
    assert!(found.contains("FAILED  query.broken") && found.contains("app.nowhere"), "{found}");
    // A reload applies a valid file, and rejects an invalid one.
    file(dir, &format!("queries:\n{}", query("other", "SELECT 8 AS v")));
    exporter.signal("HUP");
    let other = || value(&exporter.get("/metrics").body, "mysql_query_other_v") == Some(8.0);
    until(other, || exporter.log());
    assert!(!exporter.get("/metrics").body.contains("mysql_query_valid_v"));
    file(dir, "queries:\n  - nmae: x\n");
    exporter.signal("HUP");
    let logged = || exporter.log().contains("did you mean");
    until(logged, || exporter.log());
    assert!(other(), "{}", exporter.log());
    server.sql("DROP FUNCTION app.writes; DROP TABLE app.written");
}

/// A collector with an interval runs once, and later scrapes show its last result.
pub(crate) fn intervals_save_statements(server: &Server, dir: &Path) {
    let text = format!("queries:\n{}    interval: 1h\n", query("rare", "SELECT RAND() AS v"));
    let exporter = start(server, dir, &[&file(dir, &text), "--collect.global_status.interval=1h"]);
    let series = ["mysql_query_rare_v", "mysql_global_status_questions"];
    let values = |page: &str| series.map(|series| value(page, series).unwrap().to_bits());
    let first = exporter.get("/metrics").body;
    let second = exporter.get("/metrics").body;
    assert_eq!(values(&first), values(&second));
    for name in ["query.rare", "global_status"] {
        let age = format!("exporter_collector_result_age_seconds{{collector=\"collect.{name}\"}}");
        let (before, after) = (value(&first, &age).unwrap(), value(&second, &age).unwrap());
        assert!(before < after && after < 3600.0, "{name}: {before}, {after}");
    }
    assert!(!first.contains("result_age_seconds{collector=\"collect.global_variables\""));
}
