//! Counters of the MyRocks engine, by table: `information_schema.ROCKSDB_PERF_CONTEXT`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{DynDesc, Kind};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector, table_exists};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;
use crate::status;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.rocksdb_perf_context",
        "Counters of the MyRocks engine, by table",
        |db, _| Ok(Source::asynchronous(RocksdbPerfContext(db.clone()))),
    )
    .off_by_default()
    .reads(&["information_schema.ROCKSDB_PERF_CONTEXT"])
    .metrics(&[&ANY]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

const SQL: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, PARTITION_NAME, STAT_TYPE, VALUE FROM \
                   information_schema.ROCKSDB_PERF_CONTEXT";

const PREFIX: &str = "mysql_info_schema_rocksdb_perf_context_";

static ANY: DynDesc = DynDesc::new(
    "mysql_info_schema_rocksdb_perf_context_<statistic>",
    "A counter of MyRocks, under its name.",
    Kind::Counter,
    &["schema", "table", "part"],
);

struct RocksdbPerfContext(Db);

#[async_trait]
impl AsyncCollector for RocksdbPerfContext {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        if !table_exists(&mut session, "information_schema", "ROCKSDB_PERF_CONTEXT").await? {
            return Err(Error::Absent("MyRocks"));
        }
        let result_set = session.query(SQL).await?;
        drop(session);
        write(out, &result_set);
        Ok(())
    }
}

fn write(out: &mut Families, result_set: &ResultSet) {
    let mut statistics = BTreeMap::<_, Vec<_>>::new();
    for row in &result_set.rows {
        statistics.entry(row.text(3)).or_default().push(row);
    }
    for (statistic, rows) in statistics {
        let name = format!("{PREFIX}{}", status::name(statistic));
        let mut family = out.open(ANY.with_name(&name));
        for row in rows {
            if let Some(value) = row.number(4) {
                family.sample(&[row.text(0), row.text(1), row.text(2)], value);
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
    fn statistics_become_families() {
        let rows = [
            ["app", "t", "", "BLOCK_READ_COUNT", "5"],
            ["app", "t", "", "USER_KEY_COMPARISON_COUNT", "6"],
            ["app", "u", "p0", "BLOCK_READ_COUNT", "7"],
        ];
        let rows = rows.iter().map(|row| Row::from_values(row)).collect();
        let mut out = Families::default();
        write(&mut out, &ResultSet { columns: Vec::new(), rows });
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        let samples: Vec<_> = page.lines().filter_map(|line| line.strip_prefix(PREFIX)).collect();
        assert_eq!(
            samples,
            [
                "block_read_count{schema=\"app\",table=\"t\",part=\"\"} 5",
                "block_read_count{schema=\"app\",table=\"u\",part=\"p0\"} 7",
                "user_key_comparison_count{schema=\"app\",table=\"t\",part=\"\"} 6",
            ]
        );
    }
}
