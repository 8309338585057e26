//! Sizes of tables: `information_schema.TABLES`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, Row};
use crate::grants::Privilege;
use crate::sql;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new("info_schema.tables", "Rows and sizes of tables", |db, flags| {
        Ok(Source::asynchronous(Tables { db: db.clone(), sql: statement(flags) }))
    })
    .off_by_default()
    .reads(&["information_schema.TABLES"])
    .flags(&[&DATABASES])
    .metrics(&[&VERSION, &ROWS, &SIZE]),
    privileges: |_, _| vec![Privilege::global("SELECT")],
};

static DATABASES: Flag = Flag::text(
    "collect.info_schema.tables.databases",
    "*",
    "Databases whose tables are exposed, separated by commas; * means all except those of the server.",
);

const NAME: [&str; 2] = ["schema", "table"];

static VERSION: [Column<Row, 6>; 1] = [Desc::gauge(
    "mysql_info_schema_table_version",
    "The version of the table's definition.",
    ["schema", "table", "type", "engine", "row_format", "create_options"],
)
.column(|row| row.number(6))];
static ROWS: [Column<Row, 2>; 1] =
    [Desc::gauge("mysql_info_schema_table_rows", "Approximate number of rows in the table.", NAME)
        .column(|row| row.number(7))];
static SIZE: Desc<3> = Desc::gauge(
    "mysql_info_schema_table_size",
    "Size of the table's data and indexes, and allocated but unused space, in bytes.",
    ["schema", "table", "component"],
);
/// The components in the order of the columns.
const COMPONENTS: [&str; 3] = ["data_length", "index_length", "data_free"];

struct Tables {
    db: Db,
    sql: String,
}

#[async_trait]
impl AsyncCollector for Tables {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.db.query(&self.sql).await?;
        result_set.table(out, &VERSION, [0, 1, 2, 3, 4, 5]);
        result_set.table(out, &ROWS, [0, 1]);
        let mut sizes = out.family(&SIZE);
        for row in &result_set.rows {
            for (column, component) in (8..).zip(COMPONENTS) {
                if let Some(value) = row.number(column) {
                    sizes.sample([row.text(0), row.text(1), component], value);
                }
            }
        }
        Ok(())
    }
}

fn statement(flags: &Flags) -> String {
    let databases = match flags.text(&DATABASES) {
        "*" => "NOT IN ('mysql', 'performance_schema', 'information_schema', 'sys')".to_owned(),
        list => format!("IN ({})", sql::list(list.split(',').map(str::trim))),
    };
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, IFNULL(TABLE_TYPE, 'NONE'), IFNULL(ENGINE, 'NONE'), \
         IFNULL(ROW_FORMAT, 'NONE'), IFNULL(CREATE_OPTIONS, 'NONE'), IFNULL(VERSION, 0), \
         IFNULL(TABLE_ROWS, 0), IFNULL(DATA_LENGTH, 0), IFNULL(INDEX_LENGTH, 0), \
         IFNULL(DATA_FREE, 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA {databases}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_quoted() {
        for (list, clause) in [
            ("a", "IN ('a')"),
            ("a, b'c", "IN ('a', 'b\\'c')"),
            ("*", "NOT IN ('mysql', 'performance_schema', 'information_schema', 'sys')"),
        ] {
            let statement = statement(&Flags::new([(&DATABASES, list)]));
            assert!(statement.ends_with(clause), "{statement}");
        }
    }
}
