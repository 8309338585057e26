//! File I/O of the server, by file: `performance_schema.file_summary_by_instance`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;
use crate::sql;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.file_instances",
        "File I/O of the server, by file",
        |db, flags| Ok(Source::asynchronous(FileInstances::new(db, flags))),
    )
    .off_by_default()
    .reads(&["performance_schema.file_summary_by_instance"])
    .flags(&[&FILTER, &REMOVE_PREFIX])
    .metrics(&[&OPERATIONS, &BYTES]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

static FILTER: Flag = Flag::text(
    "collect.perf_schema.file_instances.filter",
    ".*",
    "Files to expose: a regular expression in the server's syntax, matched with file names.",
);
static REMOVE_PREFIX: Flag = Flag::text(
    "collect.perf_schema.file_instances.remove_prefix",
    "/var/lib/mysql/",
    "Prefix to remove from file names.",
);

const LABELS: [&str; 3] = ["file_name", "event_name", "mode"];

static OPERATIONS: Desc<3> = Desc::counter(
    "mysql_perf_schema_file_instances_total",
    "Reads from and writes to a file.",
    LABELS,
);
static BYTES: Desc<3> = Desc::counter(
    "mysql_perf_schema_file_instances_bytes",
    "Bytes read from and written to a file.",
    LABELS,
);

struct FileInstances {
    db: Db,
    statement: String,
    remove_prefix: String,
}

impl FileInstances {
    fn new(db: &Db, flags: &Flags) -> Self {
        Self {
            db: db.clone(),
            statement: statement(flags.text(&FILTER)),
            remove_prefix: flags.text(&REMOVE_PREFIX).to_owned(),
        }
    }

    fn write(&self, out: &mut Families, result_set: &ResultSet, desc: &Desc<3>, first: usize) {
        let mut family = out.family(desc);
        for row in &result_set.rows {
            let name = row.text(0);
            let name = name.strip_prefix(self.remove_prefix.as_str()).unwrap_or(name);
            for (column, mode) in (first..).zip(["read", "write"]) {
                if let Some(value) = row.number(column) {
                    family.sample([name, row.text(1), mode], value);
                }
            }
        }
    }
}

#[async_trait]
impl AsyncCollector for FileInstances {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.db.query(&self.statement).await?;
        self.write(out, &result_set, &OPERATIONS, 2);
        self.write(out, &result_set, &BYTES, 4);
        Ok(())
    }
}

fn statement(filter: &str) -> String {
    let mut sql = "SELECT FILE_NAME, EVENT_NAME, COUNT_READ, COUNT_WRITE, \
                   SUM_NUMBER_OF_BYTES_READ, SUM_NUMBER_OF_BYTES_WRITE FROM \
                   performance_schema.file_summary_by_instance"
        .to_owned();
    // A pattern that matches everything is omitted, to save time on the server.
    if !matches!(filter, "" | ".*") {
        sql.extend([" WHERE FILE_NAME REGEXP ", &sql::list([filter])]);
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::statement;

    #[test]
    fn the_server_applies_the_filter() {
        assert!(statement(".*").ends_with("file_summary_by_instance"));
        assert!(statement("it's").ends_with(r"WHERE FILE_NAME REGEXP 'it\'s'"));
    }
}
