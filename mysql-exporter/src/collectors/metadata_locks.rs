//! Metadata locks and waits for them: `performance_schema.metadata_locks`.
//!
//! On MariaDB, the instrument `wait/lock/metadata/sql/mdl` is off by default; the table is empty then.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.metadata_locks",
        "Metadata locks and waits for them",
        |db, flags| {
            let tables = flags.parsed(&LIMIT, "a number")?;
            Ok(Source::asynchronous(MetadataLocks { db: db.clone(), tables }))
        },
    )
    .off_by_default()
    .reads(&["performance_schema.metadata_locks"])
    .flags(&[&LIMIT])
    .metrics(&[&LOCKS, &WAITS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

static LIMIT: Flag = Flag::text(
    "collect.perf_schema.metadata_locks.limit",
    "50",
    "Maximum number of objects: those with the most waiting statements.",
);

static LOCKS: [Column<Row, 3>; 1] = [Desc::gauge(
    "mysql_perf_schema_metadata_locks",
    "Metadata locks, granted or requested.",
    ["object_type", "lock_type", "lock_status"],
)
.column(|row| row.number(3))];
static WAITS: [Column<Row, 2>; 1] = [Desc::gauge(
    "mysql_perf_schema_metadata_lock_waits",
    "Statements that wait for a metadata lock on a table or another object.",
    ["schema", "object"],
)
.column(|row| row.number(2))];

/// There are few types and states. The limit is a precaution.
const LOCKS_SQL: &str = "SELECT OBJECT_TYPE, LOCK_TYPE, LOCK_STATUS, COUNT(*) FROM \
                      performance_schema.metadata_locks WHERE COALESCE(OBJECT_SCHEMA, '') <> \
                      'performance_schema' GROUP BY OBJECT_TYPE, LOCK_TYPE, LOCK_STATUS LIMIT 500";

struct MetadataLocks {
    db: Db,
    tables: u32,
}

#[async_trait]
impl AsyncCollector for MetadataLocks {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.db.session().await?;
        let server = session.server();
        if !server.is_mysql_since((5, 7, 3)) && !server.is_mariadb_since((10, 5, 2)) {
            return Err(Error::Absent("performance_schema.metadata_locks"));
        }
        let locks = session.query(LOCKS_SQL).await?;
        let waits = session.query(&waits_sql(self.tables)).await?;
        drop(session);
        write(out, &locks, &waits);
        Ok(())
    }
}

fn waits_sql(tables: u32) -> String {
    format!(
        "SELECT OBJECT_SCHEMA, OBJECT_NAME, COUNT(*) AS waits FROM \
         performance_schema.metadata_locks WHERE LOCK_STATUS = 'PENDING' AND OBJECT_NAME IS NOT \
         NULL GROUP BY OBJECT_SCHEMA, OBJECT_NAME ORDER BY waits DESC LIMIT {tables}"
    )
}

fn write(out: &mut Families, locks: &ResultSet, waits: &ResultSet) {
    locks.table(out, &LOCKS, [0, 1, 2]);
    waits.table(out, &WAITS, [0, 1]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::tests::{assert_golden, result_set};

    #[test]
    fn locks_and_waits_are_exposed() {
        let locks: [&[&str]; 2] = [
            &["GLOBAL", "INTENTION_EXCLUSIVE", "GRANTED", "1"],
            &["TABLE", "EXCLUSIVE", "PENDING", "1"],
        ];
        let waits = result_set(&[&["app", "a\"b", "1"]]);
        assert_golden(&COLLECTOR, &locks, |out, locks| write(out, locks, &waits));
    }
}
