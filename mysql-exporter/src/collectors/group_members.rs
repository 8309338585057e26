//! The members of a replication group: `performance_schema.replication_group_members`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Desc, DynDesc, Kind};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;
use crate::status;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.replication_group_members",
        "Members of the replication group and their states",
        |db, _| Ok(Source::asynchronous(GroupMembers(db.clone()))),
    )
    .off_by_default()
    .reads(&["performance_schema.replication_group_members"])
    .metrics(&[&INFO, &STATE, &PRIMARY]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

static INFO: DynDesc = DynDesc::new(
    "mysql_perf_schema_replication_group_member_info",
    "A member of the replication group, with all columns as labels; always 1.",
    Kind::Gauge,
    &[],
);

const MEMBER: [&str; 3] = ["member_id", "member_host", "member_port"];

/// The states in the order of their numeric values.
const STATES: [&str; 5] = ["OFFLINE", "ONLINE", "RECOVERING", "UNREACHABLE", "ERROR"];

// The original has the state only as a label, which alerts cannot compare.
static STATE: Desc<3> = Desc::gauge(
    "mysql_perf_schema_replication_group_member_state",
    "State of a member: 0 offline, 1 online, 2 recovering, 3 unreachable, 4 error.",
    MEMBER,
);
static PRIMARY: Desc<3> = Desc::gauge(
    "mysql_perf_schema_replication_group_member_primary",
    "Whether a member accepts writes as the primary.",
    MEMBER,
);

struct GroupMembers(Db);

#[async_trait]
impl AsyncCollector for GroupMembers {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        if !session.server().is_mysql_since((5, 7, 0)) {
            return Err(Error::Absent("group replication"));
        }
        let sql = "SELECT * FROM performance_schema.replication_group_members";
        let result_set = session.query(sql).await?;
        drop(session);
        write(out, &result_set);
        Ok(())
    }
}

fn write(out: &mut Families, result_set: &ResultSet) {
    let names: Vec<_> = result_set.columns.iter().map(|column| status::name(column)).collect();
    let labels: Vec<_> = names.iter().map(String::as_str).collect();
    let mut family = out.open(INFO.with_labels(&labels));
    for row in &result_set.rows {
        let values: Vec<_> = (0..labels.len()).map(|column| row.text(column)).collect();
        family.sample(&values, 1.0);
    }
    for (desc, column) in [(&STATE, "MEMBER_STATE"), (&PRIMARY, "MEMBER_ROLE")] {
        let mut family = out.family(desc);
        for row in &result_set.rows {
            let member = ["MEMBER_ID", "MEMBER_HOST", "MEMBER_PORT"]
                .map(|column| result_set.value_by_name(row, column).unwrap_or_default());
            let value = match (column, result_set.value_by_name(row, column)) {
                ("MEMBER_ROLE", Some(role)) => Some(f64::from(role == "PRIMARY")),
                (_, state) => STATES
                    .iter()
                    .zip(0_u8..)
                    .find_map(|(known, number)| (state == Some(known)).then(|| number.into())),
            };
            // A row without an identifier is a placeholder on servers that never joined a group.
            if let Some(value) = value.filter(|_| member.iter().any(|label| !label.is_empty())) {
                family.sample(member, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;
    use crate::db::Row;

    #[test]
    fn states_of_members_are_numbers() {
        let result_set = ResultSet {
            columns: ["CHANNEL_NAME", "MEMBER_ID", "MEMBER_HOST", "MEMBER_PORT", "MEMBER_STATE"]
                .into_iter()
                .chain(["MEMBER_ROLE"])
                .map(str::to_owned)
                .collect(),
            rows: vec![
                Row::from_values(&["group", "u1", "a", "3306", "ONLINE", "PRIMARY"]),
                Row::from_values(&["group", "u2", "b", "3306", "UNREACHABLE", "SECONDARY"]),
            ],
        };
        let mut out = Families::default();
        write(&mut out, &result_set);
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        let samples: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("mysql_perf_schema_replication_group_member_"))
            .collect();
        assert_eq!(
            samples,
            [
                "info{channel_name=\"group\",member_id=\"u1\",member_host=\"a\",\
                 member_port=\"3306\",member_state=\"ONLINE\",member_role=\"PRIMARY\"} 1",
                "info{channel_name=\"group\",member_id=\"u2\",member_host=\"b\",\
                 member_port=\"3306\",member_state=\"UNREACHABLE\",member_role=\"SECONDARY\"} 1",
                "state{member_id=\"u1\",member_host=\"a\",member_port=\"3306\"} 1",
                "state{member_id=\"u2\",member_host=\"b\",member_port=\"3306\"} 3",
                "primary{member_id=\"u1\",member_host=\"a\",member_port=\"3306\"} 1",
                "primary{member_id=\"u2\",member_host=\"b\",member_port=\"3306\"} 0",
            ]
        );
    }
}
