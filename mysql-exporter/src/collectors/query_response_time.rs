//! Response times of statements, if a plugin measures them:
//! `information_schema.QUERY_RESPONSE_TIME`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::value::{Bucket, HistogramValue};

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "info_schema.query_response_time",
        "Histogram of response times, if a plugin measures them",
        |db, _| Ok(Source::asynchronous(QueryResponseTime(db.clone()))),
    )
    .reads(&["information_schema.QUERY_RESPONSE_TIME"])
    .metrics(&[&ALL, &READ, &WRITE]),
    privileges: |_, _| Vec::new(),
};

static ALL: Desc = Desc::histogram(
    "mysql_info_schema_query_response_time_seconds",
    "Response times of statements.",
    [],
);
static READ: Desc = Desc::histogram(
    "mysql_info_schema_read_query_response_time_seconds",
    "Response times of reading statements.",
    [],
);
static WRITE: Desc = Desc::histogram(
    "mysql_info_schema_write_query_response_time_seconds",
    "Response times of writing statements.",
    [],
);

// Valid on every server. SELECT @@query_response_time_stats fails if the variable does not exist.
const ENABLED: &str = "SHOW GLOBAL VARIABLES LIKE 'query_response_time_stats'";
/// The plugins have the names of their tables.
const TABLES: &str = "SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE PLUGIN_NAME LIKE \
                      'QUERY_RESPONSE_TIME%' AND PLUGIN_STATUS = 'ACTIVE'";

struct QueryResponseTime(Db);

#[async_trait]
impl AsyncCollector for QueryResponseTime {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        // A plugin that is installed later is detected at the next login.
        if !session.server().query_response_time {
            return Ok(());
        }
        let enabled = session.query(ENABLED).await?;
        if enabled.rows.first().is_none_or(|row| !row.text(1).eq_ignore_ascii_case("on")) {
            return Ok(());
        }
        let tables = session.query(TABLES).await?;
        for (name, desc) in [
            ("QUERY_RESPONSE_TIME", &ALL),
            ("QUERY_RESPONSE_TIME_READ", &READ),
            ("QUERY_RESPONSE_TIME_WRITE", &WRITE),
        ] {
            if !tables.rows.iter().any(|row| row.text(0) == name) {
                continue;
            }
            // The table name of MariaDB's plugin is case-sensitive.
            let sql = format!("SELECT TIME, COUNT, TOTAL FROM INFORMATION_SCHEMA.{name}");
            write(out, desc, &session.query(&sql).await?);
        }
        Ok(())
    }
}

fn write(out: &mut Families, desc: &Desc, result_set: &ResultSet) {
    let (mut count, mut sum) = (0, 0.0);
    let mut buckets = Vec::with_capacity(result_set.rows.len());
    for row in &result_set.rows {
        count += row.text(1).trim().parse::<u64>().unwrap_or(0);
        sum += row.text(2).trim().parse::<f64>().unwrap_or(0.0);
        // The last row counts all longer statements. Its time is "TOO LONG".
        if let Ok(bound) = row.text(0).trim().parse() {
            buckets.push(Bucket::new(bound, count));
        }
    }
    let value = HistogramValue::new(count, sum).with_buckets(&buckets);
    out.family(desc).histogram([], &value);
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;
    use crate::db::Row;

    #[test]
    fn rows_are_buckets() {
        let rows = [
            ["      0.000001 ", "  2", "      0.000001 "],
            ["      0.100000 ", "  3", "      0.200000 "],
            ["TOO LONG", "  1", "TOO LONG"],
        ];
        let rows = rows.iter().map(|row| Row::from_values(row)).collect();
        let mut out = Families::default();
        write(&mut out, &ALL, &ResultSet { columns: Vec::new(), rows });
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        let name = "mysql_info_schema_query_response_time_seconds";
        let lines: Vec<_> = page.lines().filter_map(|line| line.strip_prefix(name)).collect();
        assert_eq!(
            lines,
            [
                "_bucket{le=\"1e-06\"} 2",
                "_bucket{le=\"0.1\"} 5",
                "_bucket{le=\"+Inf\"} 6",
                "_sum 0.200001",
                "_count 6",
            ]
        );
    }
}
