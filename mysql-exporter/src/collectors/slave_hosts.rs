//! The replicas that are registered with this server: `SHOW REPLICAS`, formerly
//! `SHOW SLAVE HOSTS`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::Db;
use crate::grants::Privilege;
use crate::version::Server;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "slave_hosts",
        "Replicas that are registered with this server",
        |db, _| Ok(Source::asynchronous(SlaveHosts(db.clone()))),
    )
    .off_by_default()
    .reads(&["SHOW REPLICAS", "SHOW SLAVE HOSTS"])
    .metrics(&[&INFO]),
    privileges: |server, _| {
        let since_10_5 = server.is_mariadb_since((10, 5, 2));
        let privilege = if since_10_5 { "REPLICATION MASTER ADMIN" } else { "REPLICATION SLAVE" };
        vec![Privilege::global(privilege)]
    },
};

// The name has two prefixes in the original.
static INFO: Desc<5> = Desc::gauge(
    "mysql_heartbeat_mysql_slave_hosts_info",
    "A replica that is registered with this server, in the labels; always 1.",
    ["server_id", "slave_host", "port", "master_id", "slave_uuid"],
);

struct SlaveHosts(Db);

#[async_trait]
impl AsyncCollector for SlaveHosts {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        let sql = statement(session.server());
        let result_set = session.query(sql).await?;
        drop(session);
        let mut family = out.family(&INFO);
        for row in &result_set.rows {
            // Replicas of MariaDB have no UUID.
            family.sample([0, 1, 2, 3, 4].map(|column| row.text(column)), 1.0);
        }
        Ok(())
    }
}

fn statement(server: &Server) -> &'static str {
    if server.is_mysql_since((8, 0, 22)) { "SHOW REPLICAS" } else { "SHOW SLAVE HOSTS" }
}
