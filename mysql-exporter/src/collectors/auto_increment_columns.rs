//! Current and maximum values of auto-increment columns: `information_schema.COLUMNS` and
//! `TABLES`.

use std::collections::HashMap;

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "auto_increment.columns",
        "Next and maximum values of auto-increment columns",
        |db, _| Ok(Source::asynchronous(AutoIncrementColumns(db.clone()))),
    )
    .off_by_default()
    .reads(&["information_schema.COLUMNS", "information_schema.TABLES"])
    .metrics(&[&NEXT, &MAXIMUM]),
    privileges: |_, _| vec![Privilege::global("SELECT")],
};

// The exporter joins the two tables, because a server would compare each pair of rows. The schemas are
// excluded because MariaDB would open each of their views.
const COLUMNS: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE \
                       FROM information_schema.COLUMNS WHERE TABLE_SCHEMA NOT IN \
                       ('information_schema', 'performance_schema', 'sys') AND EXTRA LIKE \
                       'auto_increment%'";
const TABLES: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, AUTO_INCREMENT FROM \
                      information_schema.TABLES WHERE TABLE_SCHEMA NOT IN \
                      ('information_schema', 'performance_schema', 'sys') AND AUTO_INCREMENT IS \
                      NOT NULL";

const LABELS: [&str; 3] = ["schema", "table", "column"];

static NEXT: Desc<3> =
    Desc::gauge("mysql_info_schema_auto_increment_column", "The next value of the column.", LABELS);
static MAXIMUM: Desc<3> = Desc::gauge(
    "mysql_info_schema_auto_increment_column_max",
    "The maximum value of the column.",
    LABELS,
);

struct AutoIncrementColumns(Db);

#[async_trait]
impl AsyncCollector for AutoIncrementColumns {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        let columns = session.query(COLUMNS).await?;
        let tables = session.query(TABLES).await?;
        write(out, &columns, &tables);
        Ok(())
    }
}

fn write(out: &mut Families, columns: &ResultSet, tables: &ResultSet) {
    let rows = tables.rows.iter();
    let next: HashMap<_, _> =
        rows.filter_map(|row| Some(((row.text(0), row.text(1)), row.number(2)?))).collect();
    let rows = columns.rows.iter();
    let columns: Vec<_> =
        rows.filter_map(|row| Some((row, *next.get(&(row.text(0), row.text(1)))?))).collect();
    let mut family = out.family(&NEXT);
    for (row, next) in &columns {
        family.sample([row.text(0), row.text(1), row.text(2)], *next);
    }
    let mut family = out.family(&MAXIMUM);
    for (row, _) in &columns {
        if let Some(maximum) = maximum(row.text(3), row.text(4)) {
            family.sample([row.text(0), row.text(1), row.text(2)], maximum);
        }
    }
}

/// The maximum value of an integer type, such as `int` with the column type `int(10) unsigned`.
fn maximum(data_type: &str, column_type: &str) -> Option<f64> {
    let bits: u32 = match data_type.to_ascii_lowercase().as_str() {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        "bigint" => 64,
        _ => return None,
    };
    let unsigned = column_type.to_ascii_lowercase().contains("unsigned");
    let bits = if unsigned { bits } else { bits - 1 };
    Some((u64::MAX >> (64 - bits)) as f64)
}

#[cfg(test)]
mod tests {
    use super::maximum;

    #[test]
    fn integer_types_have_a_maximum() {
        for (data_type, column_type, expected) in [
            ("tinyint", "tinyint(4)", Some(127.0)),
            ("tinyint", "tinyint(3) unsigned", Some(255.0)),
            ("smallint", "smallint unsigned", Some(65535.0)),
            ("mediumint", "mediumint(9)", Some(8_388_607.0)),
            ("int", "int(10) unsigned", Some(4_294_967_295.0)),
            ("bigint", "bigint(20)", Some(9_223_372_036_854_775_807.0)),
            ("BIGINT", "BIGINT UNSIGNED ZEROFILL", Some(18_446_744_073_709_551_615.0)),
            ("float", "float unsigned", None),
        ] {
            assert_eq!(maximum(data_type, column_type), expected, "{column_type}");
        }
    }
}
