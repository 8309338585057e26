//! Statistics of this server as a member of a replication group:
//! `performance_schema.replication_group_member_stats`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.replication_group_member_stats",
        "Transactions of this member of the replication group",
        |db, _| Ok(Source::asynchronous(GroupMemberStats(db.clone()))),
    )
    .off_by_default()
    .reads(&["performance_schema.replication_group_member_stats"])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

const SQL: &str = "SELECT COUNT_TRANSACTIONS_IN_QUEUE, COUNT_TRANSACTIONS_CHECKED, \
                   COUNT_CONFLICTS_DETECTED, COUNT_TRANSACTIONS_ROWS_VALIDATING, \
                   COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE, COUNT_TRANSACTIONS_REMOTE_APPLIED, \
                   COUNT_TRANSACTIONS_LOCAL_PROPOSED, COUNT_TRANSACTIONS_LOCAL_ROLLBACK FROM \
                   performance_schema.replication_group_member_stats WHERE MEMBER_ID = \
                   @@server_uuid";

static COLUMNS: [Column<Row, 0>; 8] = [
    Desc::gauge(
        "mysql_perf_schema_transactions_in_queue",
        "Transactions waiting for conflict detection.",
        [],
    )
    .column(|row| row.number(0)),
    Desc::counter(
        "mysql_perf_schema_transactions_checked_total",
        "Transactions checked by conflict detection.",
        [],
    )
    .column(|row| row.number(1)),
    Desc::counter(
        "mysql_perf_schema_conflicts_detected_total",
        "Transactions rejected by conflict detection.",
        [],
    )
    .column(|row| row.number(2)),
    Desc::counter(
        "mysql_perf_schema_transactions_rows_validating_total",
        "Rows in the conflict detection database; the value can decrease.",
        [],
    )
    .column(|row| row.number(3)),
    Desc::gauge(
        "mysql_perf_schema_transactions_remote_in_applier_queue",
        "Transactions of other members waiting to be applied.",
        [],
    )
    .column(|row| row.number(4)),
    Desc::counter(
        "mysql_perf_schema_transactions_remote_applied_total",
        "Applied transactions of other members.",
        [],
    )
    .column(|row| row.number(5)),
    Desc::counter(
        "mysql_perf_schema_transactions_local_proposed_total",
        "Transactions proposed to the group by this member.",
        [],
    )
    .column(|row| row.number(6)),
    Desc::counter(
        "mysql_perf_schema_transactions_local_rollback_total",
        "Transactions of this member that were rolled back by the group.",
        [],
    )
    .column(|row| row.number(7)),
];

struct GroupMemberStats(Db);

#[async_trait]
impl AsyncCollector for GroupMemberStats {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        if !session.server().is_mysql_since((8, 0, 2)) {
            return Err(Error::Absent("group replication"));
        }
        session.query(SQL).await?.table(out, &COLUMNS, []);
        Ok(())
    }
}
