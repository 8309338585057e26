//! The setup of a session: identifies the server, and sets variables of the session.

use super::limits::Limits;
use crate::client::{Connection, Error};
use crate::version::Server;

/// Identifies the server, and sets variables of the session.
pub(super) async fn set_up(conn: &mut Connection, limits: &Limits) -> Result<Server, Error> {
    // The first statement resets variables that could remove rows from the next result, or change how
    // statements are parsed.
    let mut reset = "SET SESSION autocommit = 1, SESSION sql_select_limit = 18446744073709551615, \
                     SESSION sql_big_selects = 1, SESSION sql_mode = ''"
        .to_owned();
    if limits.log_slow_filter && conn.version().contains("MariaDB") {
        reset.push_str(LOG_SLOW_FILTER);
    }
    conn.query(&reset).await?;
    let server = identify(conn).await?;
    conn.query(&set_variables(&server, limits)).await?;
    Ok(server)
}

const LOG_SLOW_FILTER: &str = ", SESSION log_slow_filter = 'tmp_table_on_disk,filesort_on_disk'";

async fn identify(conn: &mut Connection) -> Result<Server, Error> {
    // Valid on every server, unlike @@performance_schema, which fails if the server was built without
    // it.
    let variables = conn
        .query(
            "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'version_comment', \
             'performance_schema', 'query_response_time_stats')",
        )
        .await?;
    let found = |name: &str| {
        let row = variables.rows.iter().find(|row| row.text(0) == name);
        row.map(|row| row.text(1))
    };
    let value = |name| found(name).unwrap_or_default();
    let has_performance_schema = value("performance_schema") == "ON";
    Ok(Server {
        query_response_time: found("query_response_time_stats").is_some(),
        ..Server::new(value("version"), value("version_comment"), has_performance_schema)
    })
}

/// The statement that sets all variables.
fn set_variables(server: &Server, limits: &Limits) -> String {
    // Old servers have none of the other variables, and SET needs at least one.
    let mut assignments = vec!["autocommit = 1".to_owned()];
    if let Some(seconds) = limits.lock_wait {
        assignments.push(format!("lock_wait_timeout = {}", seconds.max(1)));
    }
    if server.is_mariadb_since((10, 1, 1)) {
        assignments.push(format!("max_statement_time = {}", limits.statement.as_secs_f64()));
    }
    if server.is_mysql_since((5, 7, 8)) {
        assignments.push(format!("max_execution_time = {}", limits.statement.as_millis().max(1)));
    }
    if server.is_mysql_since((8, 0, 3)) {
        // Otherwise sizes of tables may be a day old.
        assignments.push("information_schema_stats_expiry = 0".into());
    }
    if limits.log_slow_filter && server.has_log_slow_filter() {
        assignments.push("log_slow_filter = 'tmp_table_on_disk,filesort_on_disk'".into());
    }
    let assignments: Vec<_> = assignments.iter().map(|one| format!("SESSION {one}")).collect();
    format!("SET {}", assignments.join(", "))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn session_variables_depend_on_the_server() {
        let limits = Limits {
            connections: 2,
            lifetime: Duration::from_secs(60),
            statement: Duration::from_millis(2500),
            lock_wait: Some(2),
            log_slow_filter: true,
            fresh_login: false,
        };
        for (version, comment, set) in [
            (
                "10.11.6-MariaDB",
                "",
                "SET SESSION autocommit = 1, SESSION lock_wait_timeout = 2, SESSION \
                 max_statement_time = 2.5, SESSION log_slow_filter = \
                 'tmp_table_on_disk,filesort_on_disk'",
            ),
            (
                "9.7.4",
                "",
                "SET SESSION autocommit = 1, SESSION lock_wait_timeout = 2, SESSION \
                 max_execution_time = 2500, SESSION information_schema_stats_expiry = 0",
            ),
            ("5.6.51", "", "SET SESSION autocommit = 1, SESSION lock_wait_timeout = 2"),
        ] {
            assert_eq!(set_variables(&Server::new(version, comment, true), &limits), set);
        }
        let without_lock_wait = Limits { lock_wait: None, ..limits };
        let set = set_variables(&Server::new("5.6.51", "", true), &without_lock_wait);
        assert_eq!(set, "SET SESSION autocommit = 1");
    }
}
