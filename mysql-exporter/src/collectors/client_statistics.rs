//! Activity of each client: `information_schema.CLIENT_STATISTICS`, with `userstat=1`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Kind;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use super::userstat::{self, COMMON, StatisticsTable};
use crate::db::Db;
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.clientstats",
        "User statistics by client, on MariaDB and Percona Server with userstat=1",
        |db, _| Ok(Source::asynchronous(ClientStatistics(db.clone()))),
    )
    .off_by_default()
    .reads(&["information_schema.CLIENT_STATISTICS"])
    .metrics(&[&TABLE]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

static TABLE: StatisticsTable = StatisticsTable {
    prefix: "mysql_info_schema_client_statistics_",
    labels: &["client"],
    known_columns: &KNOWN_COLUMNS,
};

/// The columns of the user statistics, and one more.
static KNOWN_COLUMNS: [(&str, &str, Kind); COMMON.len() + 1] = {
    let mut known =
        [("MAX_STATEMENT_TIME_EXCEEDED", "max_statement_time_exceeded_total", Kind::Counter);
            COMMON.len() + 1];
    let (head, _) = known.split_at_mut(COMMON.len());
    head.copy_from_slice(&COMMON);
    known
};

struct ClientStatistics(Db);

#[async_trait]
impl AsyncCollector for ClientStatistics {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        const SQL: &str = "SELECT * FROM information_schema.CLIENT_STATISTICS";
        TABLE.write(out, &userstat::query(&self.0, SQL).await?);
        Ok(())
    }
}
