//! Names and texts with special characters, and large numbers of tables and users.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use exporter_core::testing::tool;

use crate::connections::failed_collectors;
use crate::queries::file as query_file;
use crate::server::Server;
use crate::{MYSQL_ONLY, OPTIONAL_COLLECTORS, start, value};

/// Names that are hard to quote.
pub(crate) fn special_characters_in_names_are_exposed(server: &Server, dir: &Path) {
    let modes = server.sql("SELECT @@GLOBAL.sql_mode");
    server.sql(
        "SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,\
         ONLY_FULL_GROUP_BY,IGNORE_SPACE'",
    );
    server.sql(
        "CREATE DATABASE `o'd\"d``s\\`; CREATE TABLE `o'd\"d``s\\`.`new\nline` (`c\"o'l` INT \
         AUTO_INCREMENT PRIMARY KEY); INSERT INTO `o'd\"d``s\\`.`new\nline` VALUES (7); CREATE \
         DATABASE `größe`; CREATE TABLE `größe`.`表` (id INT AUTO_INCREMENT PRIMARY KEY); CREATE USER \
         `o'b\"rien`@`127.0.0.1`; CREATE USER `l\nf`@localhost; SELECT 'a \"q\" \\\\ \n \u{1f980}' \
         AS `x\u{e9}`; SELECT _binary X'ff00fe' AS y",
    );
    // Invalid UTF-8 in the text of a statement.
    let path = dir.join("latin1.sql");
    fs::write(&path, b"SET NAMES latin1; SELECT 1 AS `\xc3\x28\xff\xfe`, '\xff\xfe' AS z;\n")
        .unwrap();
    server.script(&path);
    let switches: Vec<_> =
        OPTIONAL_COLLECTORS.iter().map(|name| format!("--collect.{name}")).collect();
    let mut flags: Vec<_> = switches.iter().map(String::as_str).collect();
    flags.extend([
        "--collect.info_schema.tables.databases=größe,o'd\"d`s\\",
        "--collect.perf_schema.eventsstatements.exclude_schemas=o'x\\",
        "--collect.mysql.user.privileges",
    ]);
    let exporter = start(server, dir, &flags);
    let page = exporter.get("/metrics").body;
    server.sql(&format!("SET GLOBAL sql_mode = '{}'", modes.trim()));
    assert_eq!(value(&page, "mysql_up"), Some(1.0), "{}", exporter.log());
    let found: Vec<_> = failed_collectors(&page)
        .into_iter()
        .filter(|line| !MYSQL_ONLY.iter().any(|name| line.contains(&format!(".{name}\""))))
        .collect();
    assert!(found.is_empty(), "{found:?}\n{}", exporter.log());
    let schema = r#"o'd\"d`s\\"#;
    for series in [
        format!(
            r#"mysql_info_schema_auto_increment_column{{schema="{schema}",table="new\nline",column="c\"o'l"}}"#
        ),
        r#"mysql_info_schema_table_rows{schema="größe",table="表"}"#.to_owned(),
        r#"mysql_mysql_max_connections{mysql_user="o'b\"rien",hostmask="127.0.0.1"}"#.to_owned(),
        r#"mysql_mysql_max_connections{mysql_user="l\nf",hostmask="localhost"}"#.to_owned(),
    ] {
        assert!(value(&page, &series).is_some(), "{series} in\n{}", similar(&page, &series));
    }
    assert_valid(&page);
    server.sql(
        "DROP DATABASE `o'd\"d``s\\`; DROP DATABASE `größe`; DROP USER `o'b\"rien`@`127.0.0.1`, \
         `l\nf`@localhost",
    );
}

/// Columns in other character sets, binary columns, and a digest that the server has truncated.
pub(crate) fn other_encodings_are_exposed_as_utf8(server: &Server, dir: &Path) {
    server.sql(
        "CREATE TABLE app.encodings (latin VARCHAR(9) CHARACTER SET latin1, bin VARBINARY(9)); \
         INSERT INTO app.encodings VALUES (_latin1 X'e974e9', X'61ff62'), (_latin1 X'fc', X'c328'), \
         (_latin1 X'80', X'f09fa6')",
    );
    // The text is longer than the maximum of a digest, and a character has three bytes.
    let names: Vec<_> = (0..60).map(|index| format!("1 AS `{index}{}`", "表".repeat(20))).collect();
    server.sql(&format!("USE app; SELECT {}", names.join(", ")));
    let queries = query_file(
        dir,
        "queries:\n  - name: encodings\n    statement: SELECT latin, bin, 1 AS found FROM \
         app.encodings\n    labels: [latin, bin]\n    values:\n      - {column: found, type: gauge, \
         help: Found.}\n",
    );
    let flags = [
        queries.as_str(),
        "--collect.perf_schema.eventsstatements",
        "--collect.perf_schema.eventsstatements.digest_text_limit=9000",
    ];
    let page = start(server, dir, &flags).get("/metrics").body;
    for labels in [
        "latin=\"été\",bin=\"a\u{fffd}b\"",
        "latin=\"ü\",bin=\"\u{fffd}(\"",
        "latin=\"€\",bin=\"\u{fffd}\"",
    ] {
        let series = format!("mysql_query_encodings_found{{{labels}}}");
        assert_eq!(value(&page, &series), Some(1.0), "{series} in\n{}", similar(&page, &series));
    }
    let family = "mysql_perf_schema_events_statements_total{schema=\"app\"";
    let digest = page.lines().find(|line| line.starts_with(family) && line.contains('表'));
    let digest = digest.unwrap_or_else(|| panic!("no digest in\n{}", similar(&page, family)));
    let characters = digest.matches('表').count();
    assert!((20..60 * 20).contains(&characters), "{digest}");
    assert!(!digest.contains('\u{fffd}'), "{digest}");
    assert_valid(&page);
    server.sql("DROP TABLE app.encodings");
}

/// The lines of the same family.
fn similar(page: &str, series: &str) -> String {
    let family = series.split('{').next().unwrap_or_default();
    page.lines().filter(|line| line.starts_with(family)).collect::<Vec<_>>().join("\n")
}

/// Checks a page with promtool, if it is installed.
fn assert_valid(page: &str) {
    let Some(promtool) = tool("PROMTOOL", "promtool") else { return };
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = page.to_owned();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    // promtool ends early if it cannot parse the page.
    let _ = writer.join().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    // Status 3 means that names break its conventions.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{error}");
}

pub(crate) fn many_tables_and_users_are_exposed(server: &Server, dir: &Path) {
    let mut sql = String::from("CREATE DATABASE many;\n");
    for table in 0..2000 {
        writeln!(
            sql,
            "CREATE TABLE many.t{table:04} (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=MEMORY;"
        )
        .unwrap();
    }
    for user in 0..300 {
        writeln!(sql, "CREATE USER 'many{user:03}'@'localhost';").unwrap();
    }
    let path = dir.join("many.sql");
    fs::write(&path, &sql).unwrap();
    server.script(&path);
    let flags = [
        "--collect.info_schema.tables",
        "--collect.auto_increment.columns",
        "--collect.mysql.user",
        "--collect.perf_schema.tableiowaits",
    ];
    let exporter = start(server, dir, &flags);
    let page = exporter.get("/metrics").body;
    assert!(
        failed_collectors(&page).is_empty(),
        "{:?}\n{}",
        failed_collectors(&page),
        exporter.log()
    );
    let count = |prefix: &str| page.lines().filter(|line| line.starts_with(prefix)).count();
    for (prefix, expected) in [
        ("mysql_info_schema_table_rows{schema=\"many\"", 2000),
        ("mysql_info_schema_auto_increment_column{schema=\"many\"", 2000),
        ("mysql_mysql_max_connections{mysql_user=\"many", 300),
    ] {
        assert_eq!(count(prefix), expected, "{prefix}");
    }
    let users: Vec<_> = (0..300).map(|user| format!("'many{user:03}'@'localhost'")).collect();
    server.sql(&format!("DROP DATABASE many; DROP USER {}", users.join(", ")));
}
