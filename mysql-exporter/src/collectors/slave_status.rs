//! Replication status: `SHOW REPLICA STATUS`. Each column is exposed under its current and its former
//! name.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Desc, DynDesc, Kind};
use exporter_core::families::Families;

use super::binlog_size;
use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet, Row};
use crate::grants::Privilege;
use crate::status;
use crate::version::Server;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new("slave_status", "Replication status of a replica", |db, _| {
        Ok(Source::asynchronous(SlaveStatus(db.clone())))
    })
    .reads(&["SHOW ALL SLAVES STATUS", "SHOW REPLICA STATUS", "SHOW SLAVE STATUS"])
    .metrics(&[&ANY, &GTID_IO, &GTID_SLAVE]),
    privileges: |server, _| {
        let since_10_5 = server.is_mariadb_since((10, 5, 9));
        vec![Privilege::global(if since_10_5 { "SLAVE MONITOR" } else { "REPLICATION CLIENT" })]
    },
};

const PREFIX: &str = "mysql_slave_status_";

const LABELS: [&str; 4] = ["master_host", "master_uuid", "channel_name", "connection_name"];
const GTID_LABELS: [&str; 6] =
    ["master_host", "master_uuid", "channel_name", "connection_name", "domain_id", "server_id"];

static ANY: DynDesc = DynDesc::new(
    "mysql_slave_status_<column>",
    "A column of the replica's status, under its name.",
    Kind::Untyped,
    &LABELS,
);
static GTID_IO: Desc<6> = Desc::gauge(
    "mysql_slave_status_gtid_io_pos",
    "The sequence number of the last transaction received, by domain and server.",
    GTID_LABELS,
);
static GTID_SLAVE: Desc<6> = Desc::gauge(
    "mysql_slave_status_gtid_slave_pos",
    "The sequence number of the last transaction applied, by domain and server.",
    GTID_LABELS,
);

struct SlaveStatus(Db);

#[async_trait]
impl AsyncCollector for SlaveStatus {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        let sql = statement(session.server());
        let result_set = session.query(sql).await?;
        drop(session);
        write(out, &result_set);
        Ok(())
    }
}

/// The statement that is valid on this server.
pub(super) fn statement(server: &Server) -> &'static str {
    if server.is_mariadb() {
        "SHOW ALL SLAVES STATUS"
    } else if server.is_mysql_since((8, 0, 22)) {
        "SHOW REPLICA STATUS"
    } else {
        "SHOW SLAVE STATUS"
    }
}

fn write(out: &mut Families, result_set: &ResultSet) {
    let channels: Vec<_> =
        result_set.rows.iter().map(|row| (labels(result_set, row), row)).collect();
    let mut family = PREFIX.to_owned();
    for (index, column) in result_set.columns.iter().enumerate() {
        let name = status::name(column);
        let former = former_name(&name);
        for name in [Some(name.as_str()), Some(former.as_str()).filter(|former| *former != name)] {
            let Some(name) = name else { continue };
            family.truncate(PREFIX.len());
            family.push_str(name);
            let mut open = out.open(ANY.with_name(&family));
            for (labels, row) in &channels {
                if let Some(value) = value(name, row.text(index)) {
                    open.sample(labels, value);
                }
            }
        }
    }
    for (desc, column) in [(&GTID_IO, "Gtid_IO_Pos"), (&GTID_SLAVE, "Gtid_Slave_Pos")] {
        let mut family = out.family(desc);
        for ([host, uuid, channel, connection], row) in &channels {
            for (domain, server, sequence) in
                gtids(result_set.value_by_name(row, column).unwrap_or_default())
            {
                family.sample([host, uuid, channel, connection, domain, server], sequence);
            }
        }
    }
}

fn labels<'a>(result_set: &ResultSet, row: &'a Row) -> [&'a str; 4] {
    let value = |names: [&str; 2]| {
        names.iter().find_map(|name| result_set.value_by_name(row, name)).unwrap_or_default()
    };
    [
        value(["Master_Host", "Source_Host"]),
        value(["Master_UUID", "Source_UUID"]),
        value(["Channel_Name", "Channel_Name"]),
        value(["Connection_name", "Connection_name"]),
    ]
}

/// The name of a column with the former terms slave and master, which alerts and dashboards still use.
fn former_name(name: &str) -> String {
    let words = name.split('_').map(|word| match word {
        "replica" => "slave",
        "source" => "master",
        other => other,
    });
    words.collect::<Vec<_>>().join("_")
}

/// The numeric value of a column; for a binary log, the number in its name.
fn value(name: &str, text: &str) -> Option<f64> {
    // The caller writes GTID positions as families of their own.
    if matches!(name, "gtid_io_pos" | "gtid_slave_pos") {
        return None;
    }
    let number = status::number(text);
    if name.ends_with("_log_file") { number.or_else(|| binlog_size::number(text)) } else { number }
}

/// `0-1-100,1-2-7`: domain, server and sequence number of each GTID.
pub(super) fn gtids(text: &str) -> impl Iterator<Item = (&str, &str, f64)> {
    text.split(',').filter_map(|gtid| {
        let mut parts = gtid.trim().split('-');
        let gtid = (parts.next()?, parts.next()?, parts.next()?.parse().ok()?);
        Some(gtid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_depends_on_the_server() {
        for (version, sql) in [
            ("10.3.1-MariaDB", "SHOW ALL SLAVES STATUS"),
            ("11.4.2-MariaDB", "SHOW ALL SLAVES STATUS"),
            ("5.7.44", "SHOW SLAVE STATUS"),
            ("8.0.21", "SHOW SLAVE STATUS"),
            ("8.0.22", "SHOW REPLICA STATUS"),
            ("9.7.4", "SHOW REPLICA STATUS"),
        ] {
            assert_eq!(statement(&Server::new(version, "", true)), sql, "{version}");
        }
    }

    #[test]
    fn former_names_have_the_former_terms() {
        for (name, former) in [
            ("replica_io_running", "slave_io_running"),
            ("seconds_behind_source", "seconds_behind_master"),
            ("replica_sql_running_state", "slave_sql_running_state"),
            ("source_ssl_allowed", "master_ssl_allowed"),
            ("replicate_do_db", "replicate_do_db"),
            ("exec_source_log_pos", "exec_master_log_pos"),
        ] {
            assert_eq!(former_name(name), former);
        }
    }

    #[test]
    fn values_of_columns_are_numbers() {
        for (name, text, expected) in [
            ("slave_io_running", "Yes", Some(1.0)),
            ("slave_io_running", "Connecting", Some(0.0)),
            ("seconds_behind_master", "", None),
            ("master_log_file", "mysql-bin.000123", Some(123.0)),
            ("relay_log_file", "a.b.000002", Some(2.0)),
            ("master_host", "db.000001", None),
            ("gtid_io_pos", "0", None),
        ] {
            assert_eq!(value(name, text), expected, "{name} {text}");
        }
    }

    #[test]
    fn gtid_positions_are_parsed() {
        let read = |text| gtids(text).collect::<Vec<_>>();
        assert_eq!(read("0-1-100, 3-2-7"), [("0", "1", 100.0), ("3", "2", 7.0)]);
        assert_eq!(read(""), []);
        assert_eq!(read("0-1,x-y-z"), []);
    }
}
