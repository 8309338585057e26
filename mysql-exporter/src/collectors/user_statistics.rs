//! Activity of each user: `information_schema.USER_STATISTICS`, with `userstat=1`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use super::userstat::{self, COMMON, StatisticsTable};
use crate::db::Db;
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.userstats",
        "User statistics by user, on MariaDB and Percona Server with userstat=1",
        |db, _| Ok(Source::asynchronous(UserStatistics(db.clone()))),
    )
    .off_by_default()
    .reads(&["information_schema.USER_STATISTICS"])
    .metrics(&[&TABLE]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

static TABLE: StatisticsTable = StatisticsTable {
    prefix: "mysql_info_schema_user_statistics_",
    labels: &["user"],
    known_columns: &COMMON,
};

struct UserStatistics(Db);

#[async_trait]
impl AsyncCollector for UserStatistics {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        const SQL: &str = "SELECT * FROM information_schema.USER_STATISTICS";
        TABLE.write(out, &userstat::query(&self.0, SQL).await?);
        Ok(())
    }
}
