//! Activity of connections: `performance_schema.processlist`, or `information_schema.processlist`
//! if the former does not exist.

use std::collections::BTreeMap;

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet, Row};
use crate::grants::Privilege;
use crate::version::Server;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.processlist",
        "Connections by command, state, user and host",
        |db, flags| {
            Ok(Source::asynchronous(Processlist {
                db: db.clone(),
                min_time: flags.parsed(&MIN_TIME, "a number of seconds")?,
                by_user: flags.is_on(&BY_USER),
                by_host: flags.is_on(&BY_HOST),
            }))
        },
    )
    .off_by_default()
    .reads(&["performance_schema.processlist", "information_schema.PROCESSLIST"])
    .flags(&[&MIN_TIME, &BY_USER, &BY_HOST])
    .metrics(&[&THREADS, &SECONDS, &USERS, &HOSTS]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

static MIN_TIME: Flag = Flag::text(
    "collect.info_schema.processlist.min_time",
    "0",
    "Minimum time in seconds that a counted connection has been in its state.",
);
static BY_USER: Flag = Flag::switch(
    "collect.info_schema.processlist.processes_by_user",
    true,
    "Count connections by user.",
);
static BY_HOST: Flag = Flag::switch(
    "collect.info_schema.processlist.processes_by_host",
    true,
    "Count connections by host.",
);

static THREADS: Desc<2> = Desc::gauge(
    "mysql_info_schema_processlist_threads",
    "Connections by command and state.",
    ["command", "state"],
);
static SECONDS: Desc<2> = Desc::gauge(
    "mysql_info_schema_processlist_seconds",
    "Sum of the times that connections have been in their state, by command and state.",
    ["command", "state"],
);
static USERS: Desc<1> = Desc::gauge(
    "mysql_info_schema_processlist_processes_by_user",
    "Connections by user.",
    ["mysql_user"],
);
static HOSTS: Desc<1> = Desc::gauge(
    "mysql_info_schema_processlist_processes_by_host",
    "Connections by host.",
    ["client_host"],
);

struct Processlist {
    db: Db,
    min_time: u32,
    by_user: bool,
    by_host: bool,
}

#[async_trait]
impl AsyncCollector for Processlist {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.db.session().await?;
        let mut own_ids = self.db.connection_ids();
        let result_set = session.query(&statement(session.server(), self.min_time)).await?;
        drop(session);
        // Connections may have been opened meanwhile.
        own_ids.extend(self.db.connection_ids());
        let counts = Counts::new(&result_set, &own_ids);
        let mut threads = out.family(&THREADS);
        for ((command, state), (count, _)) in &counts.states {
            threads.sample([command, state], *count);
        }
        let mut seconds = out.family(&SECONDS);
        for ((command, state), (_, time)) in &counts.states {
            seconds.sample([command, state], *time);
        }
        for (is_enabled, desc, counts) in
            [(self.by_user, &USERS, &counts.users), (self.by_host, &HOSTS, &counts.hosts)]
        {
            let mut family = out.family(desc);
            for (name, count) in counts.iter().filter(|_| is_enabled) {
                family.sample([name], *count);
            }
        }
        Ok(())
    }
}

/// Groups connections, except those of the exporter's user: each of them has a row, with its ID in the
/// last column.
///
/// The table in `performance_schema` is preferred, because reading it takes no global lock.
fn statement(server: &Server, min_time: u32) -> String {
    let is_in_performance_schema = server.performance_schema && server.is_mysql_since((8, 0, 22));
    let table = if is_in_performance_schema {
        "performance_schema.processlist"
    } else {
        "information_schema.PROCESSLIST"
    };
    format!(
        "SELECT USER, HOST, COMMAND, STATE, COUNT(*), SUM(TIME), IF(USER = LEFT(USER(), \
         CHAR_LENGTH(USER()) - LOCATE('@', REVERSE(USER()))), ID, NULL) AS OWN FROM {table} WHERE \
         ID <> CONNECTION_ID() AND TIME >= {min_time} GROUP BY USER, HOST, COMMAND, STATE, OWN"
    )
}

#[derive(Debug, Default)]
struct Counts {
    /// Number of connections, and sum of their times in seconds, by command and state.
    states: BTreeMap<(String, String), (f64, f64)>,
    users: BTreeMap<String, f64>,
    hosts: BTreeMap<String, f64>,
}

impl Counts {
    /// Counts all connections except those of the exporter.
    fn new(result_set: &ResultSet, own_ids: &[u32]) -> Self {
        let mut counts = Self::default();
        let is_own = |row: &&Row| row.text(6).parse().is_ok_and(|id| own_ids.contains(&id));
        for row in result_set.rows.iter().filter(|row| !is_own(row)) {
            let number = row.number(4).unwrap_or(0.0);
            let key = (sanitized(row.text(2)), sanitized(row.text(3)));
            let (count, time) = counts.states.entry(key).or_default();
            *count += number;
            *time += row.number(5).unwrap_or(0.0);
            *counts.users.entry(or_unknown(row.text(0))).or_default() += number;
            *counts.hosts.entry(or_unknown(host(row.text(1)))).or_default() += number;
        }
        counts
    }
}

/// `address:port` without the port; IPv6 addresses contain colons, too.
fn host(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    }
}

fn or_unknown(name: &str) -> String {
    if name.is_empty() { "unknown".into() } else { name.to_owned() }
}

/// A command or state in lower case, with underscores between words and without punctuation.
fn sanitized(text: &str) -> String {
    let text = text.chars().filter_map(|c| match c {
        ' ' | '-' | '_' => Some('_'),
        c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
        _ => None,
    });
    or_unknown(&text.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted() {
        let rows = [
            ["app", "10.0.0.1:4711", "Query", "Sending data", "2", "7", ""],
            ["app", "2001:db8::1:4712", "Query", "Sending data", "1", "1", ""],
            ["app", "localhost", "Sleep", "", "3", "30", ""],
            ["", "", "Daemon", "Waiting for table, or not", "1", "9", ""],
            // The exporter, and another client with the same user.
            ["exporter", "localhost", "Query", "Sending data", "1", "0", "17"],
            ["exporter", "localhost", "Sleep", "", "1", "5", "18"],
        ];
        let rows = rows.iter().map(|row| Row::from_values(row)).collect();
        let counts = Counts::new(&ResultSet { columns: Vec::new(), rows }, &[16, 17]);
        let state = |command: &str, state: &str| (command.to_owned(), state.to_owned());
        let states = [
            (state("daemon", "waiting_for_table_or_not"), (1.0, 9.0)),
            (state("query", "sending_data"), (3.0, 8.0)),
            (state("sleep", "unknown"), (4.0, 35.0)),
        ];
        assert_eq!(counts.states, BTreeMap::from(states));
        let named = |names: &[(&str, f64)]| {
            names
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect::<BTreeMap<_, _>>()
        };
        assert_eq!(counts.users, named(&[("app", 6.0), ("exporter", 1.0), ("unknown", 1.0)]));
        let hosts = [("10.0.0.1", 2.0), ("2001:db8::1", 1.0), ("localhost", 4.0), ("unknown", 1.0)];
        assert_eq!(counts.hosts, named(&hosts));
    }

    #[test]
    fn the_table_depends_on_the_server() {
        for (version, performance_schema, table) in [
            ("10.11.6-MariaDB", true, "information_schema.PROCESSLIST"),
            ("9.7.4", true, "performance_schema.processlist"),
            ("9.7.4", false, "information_schema.PROCESSLIST"),
            ("5.7.44", true, "information_schema.PROCESSLIST"),
        ] {
            let sql = statement(&Server::new(version, "", performance_schema), 5);
            assert!(sql.contains(&format!("FROM {table} ")), "{version}: {sql}");
            assert!(sql.contains("ID <> CONNECTION_ID() AND TIME >= 5"), "{sql}");
        }
    }
}
