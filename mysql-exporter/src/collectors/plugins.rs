//! Plugins of the server: `information_schema.PLUGINS`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new("info_schema.plugins", "Plugins of the server", |db, _| {
        Ok(Source::asynchronous(Plugins(db.clone())))
    })
    .off_by_default()
    .reads(&["information_schema.PLUGINS"])
    .metrics(&[&INFO, &ACTIVE]),
    privileges: |_, _| Vec::new(),
};

static INFO: Desc<5> = Desc::info(
    "mysql_info_schema_plugin_info",
    "A plugin of the server.",
    ["name", "type", "version", "library", "license"],
);
static ACTIVE: Desc<2> = Desc::gauge(
    "mysql_info_schema_plugin_active",
    "Whether a plugin is active: 0 if it is disabled, inactive or being removed.",
    ["name", "type"],
);

const STATEMENT: &str = "SELECT PLUGIN_NAME, PLUGIN_TYPE, PLUGIN_VERSION, COALESCE(PLUGIN_LIBRARY, \
                         ''), PLUGIN_LICENSE, PLUGIN_STATUS = 'ACTIVE' FROM \
                         information_schema.PLUGINS ORDER BY PLUGIN_NAME, PLUGIN_TYPE LIMIT 1000";

struct Plugins(Db);

#[async_trait]
impl AsyncCollector for Plugins {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.0.query(STATEMENT).await?;
        write(out, &result_set);
        Ok(())
    }
}

fn write(out: &mut Families, result_set: &ResultSet) {
    let mut family = out.family(&INFO);
    for row in &result_set.rows {
        family.sample([0, 1, 2, 3, 4].map(|column| row.text(column)), 1.0);
    }
    let mut family = out.family(&ACTIVE);
    for row in &result_set.rows {
        if let Some(active) = row.number(5) {
            family.sample([row.text(0), row.text(1)], active);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::tests::assert_golden;

    #[test]
    fn plugins_are_exposed() {
        let rows: [&[&str]; 2] = [
            &["InnoDB", "STORAGE ENGINE", "10.11", "", "GPL", "1"],
            &["server_audit", "AUDIT", "1.4", "server_audit.so", "GPL", "0"],
        ];
        assert_golden(&COLLECTOR, &rows, write);
    }
}
