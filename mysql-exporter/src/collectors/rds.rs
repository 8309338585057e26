//! Amazon RDS and Aurora: the variables `aurora_version` and `aurora_server_id`, and the table
//! `mysql.rds_configuration`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector, table_exists};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "rds",
        "Version, role and settings of Amazon RDS and Aurora",
        |db, _| Ok(Source::asynchronous(Rds(db.clone()))),
    )
    .off_by_default()
    .reads(&["SHOW GLOBAL VARIABLES", "mysql.rds_configuration"])
    .metrics(&[&INFO, &READER, &CONFIGURATION]),
    privileges: |_, _| vec![Privilege::new("SELECT", "mysql.rds_configuration")],
};

static INFO: Desc<3> = Desc::info(
    "mysql_rds_info",
    "The service that runs the server (rds or aurora), and version and server ID of Aurora.",
    ["service", "aurora_version", "server_id"],
);
static READER: Desc = Desc::gauge(
    "mysql_rds_reader",
    "Whether the server is read-only: a replica, or a reader instance of Aurora.",
    [],
);
static CONFIGURATION: Desc<1> = Desc::gauge(
    "mysql_rds_configuration",
    "A setting of the service, such as binlog retention hours. Absent if it is not set.",
    ["name"],
);

/// Valid on every server, unlike `@@aurora_version`.
const VARIABLES: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('aurora_server_id', \
                         'aurora_version', 'innodb_read_only', 'read_only')";
const SETTINGS: &str = "SELECT name, value FROM mysql.rds_configuration ORDER BY name LIMIT 100";

struct Rds(Db);

#[async_trait]
impl AsyncCollector for Rds {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        let variables = session.query(VARIABLES).await?;
        let settings = if table_exists(&mut session, "mysql", "rds_configuration").await? {
            Some(session.query(SETTINGS).await?)
        } else {
            None
        };
        drop(session);
        if settings.is_none() && variable(&variables, "aurora_version").is_none() {
            return Err(Error::Absent("Amazon RDS"));
        }
        write(out, &variables, &settings.unwrap_or_default());
        Ok(())
    }
}

fn variable<'a>(variables: &'a ResultSet, name: &str) -> Option<&'a str> {
    let row = variables.variable(name)?;
    row.value(1)
}

fn write(out: &mut Families, variables: &ResultSet, settings: &ResultSet) {
    let text = |name| variable(variables, name).unwrap_or_default();
    let version = text("aurora_version");
    let service = if version.is_empty() { "rds" } else { "aurora" };
    out.family(&INFO).sample([service, version, text("aurora_server_id")], 1.0);
    let is_reader = ["innodb_read_only", "read_only"].map(text).contains(&"ON");
    out.family(&READER).sample([], f64::from(u8::from(is_reader)));
    let mut family = out.family(&CONFIGURATION);
    for row in &settings.rows {
        if let Some(value) = row.number(1) {
            family.sample([row.text(0)], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::tests::{assert_golden, assert_golden_variant, result_set};

    #[test]
    fn aurora_and_rds_are_distinguished() {
        let settings = result_set(&[&["binlog retention hours", "24"], &["target delay", ""]]);
        let aurora: [&[&str]; 3] = [
            &["aurora_server_id", "db-1"],
            &["aurora_version", "3.08.0"],
            &["innodb_read_only", "ON"],
        ];
        assert_golden(&COLLECTOR, &aurora, |out, variables| write(out, variables, &settings));
        let rds: [&[&str]; 2] = [&["innodb_read_only", "OFF"], &["read_only", "OFF"]];
        assert_golden_variant(&COLLECTOR, "rds", &rds, |out, variables| {
            write(out, variables, &settings);
        });
    }
}
