//! Configuration of the server: `SHOW GLOBAL VARIABLES`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Desc, DynDesc, Kind};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};
use crate::status;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new("global_variables", "System variables of the server", |db, _| {
        Ok(Source::asynchronous(GlobalVariables(db.clone())))
    })
    .reads(&["SHOW GLOBAL VARIABLES"])
    .metrics(&[&ANY, &VERSION, &ISOLATION, &CLUSTER, &CACHE]),
    privileges: |_, _| Vec::new(),
};

const PREFIX: &str = "mysql_global_variables_";

static ANY: DynDesc = DynDesc::new(
    "mysql_global_variables_<variable>",
    "A system variable of the server, under its name.",
    Kind::Gauge,
    &[],
);
static VERSION: Desc<3> = Desc::gauge(
    "mysql_version_info",
    "The versions of the server and of InnoDB; always 1.",
    ["innodb_version", "version", "version_comment"],
);
static ISOLATION: Desc<1> = Desc::gauge(
    "mysql_transaction_isolation",
    "The default isolation of transactions; always 1.",
    ["level"],
);
static CLUSTER: Desc<1> = Desc::gauge(
    "mysql_galera_variables_info",
    "The Galera cluster of this node; always 1.",
    ["wsrep_cluster_name"],
);
static CACHE: Desc =
    Desc::gauge("mysql_galera_gcache_size_bytes", "Size of Galera's cache of write sets.", []);

struct GlobalVariables(Db);

#[async_trait]
impl AsyncCollector for GlobalVariables {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.0.query("SHOW GLOBAL VARIABLES").await?;
        write(out, &result_set);
        Ok(())
    }
}

fn write(out: &mut Families, result_set: &ResultSet) {
    let mut family = PREFIX.to_owned();
    for row in &result_set.rows {
        if let Some(value) = status::number(row.text(1)) {
            family.truncate(PREFIX.len());
            status::push_name(&mut family, row.text(0));
            out.open(ANY.with_name(&family)).sample(&[], value);
        }
    }
    let text = |name: &str| {
        let row = result_set.variable(name);
        row.map(|row| row.text(1)).unwrap_or_default()
    };
    let versions = [text("innodb_version"), text("version"), text("version_comment")];
    out.family(&VERSION).sample(versions, 1.0);
    let levels = [text("transaction_isolation"), text("tx_isolation")];
    if let Some(level) = levels.into_iter().find(|level| !level.is_empty()) {
        out.family(&ISOLATION).sample([level], 1.0);
    }
    let cluster = text("wsrep_cluster_name");
    if !cluster.is_empty() {
        out.family(&CLUSTER).sample([cluster], 1.0);
    }
    if let Some(size) = cache_size(text("wsrep_provider_options")) {
        out.family(&CACHE).sample([], size);
    }
}

/// `...; gcache.size = 128M; ...` in bytes.
fn cache_size(options: &str) -> Option<f64> {
    let mut options = options.split(';').filter_map(|option| option.split_once('='));
    let (_, size) = options.find(|(name, _)| name.trim() == "gcache.size")?;
    let size = size.trim();
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match size.get(digits.len()..)?.to_ascii_uppercase().as_str() {
        "" => 1.0,
        "K" => 1024.0,
        "M" => 1024.0 * 1024.0,
        "G" => 1024.0 * 1024.0 * 1024.0,
        "T" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * scale)
}

#[cfg(test)]
mod tests {
    use super::cache_size;

    #[test]
    fn the_cache_size_is_parsed() {
        for (options, size) in [
            ("base_port = 4567; gcache.size = 128M; gcache.recover = yes", Some(134_217_728.0)),
            ("gcache.size=2G", Some(2_147_483_648.0)),
            ("gcache.size = 1K; ", Some(1024.0)),
            ("gcache.size = 77", Some(77.0)),
            ("gcache.keep_pages_size = 5", None),
            ("gcache.size = many", None),
            ("gcache.size = 5X", None),
            ("", None),
        ] {
            assert_eq!(cache_size(options), size, "{options}");
        }
    }
}
