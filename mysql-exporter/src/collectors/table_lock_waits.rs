//! Number and duration of waits for table locks:
//! `performance_schema.table_lock_waits_summary_by_table`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector, PICOSECOND};
use crate::db::{Db, ResultSet};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.tablelocks",
        "Waits for table locks, by kind of lock",
        |db, _| Ok(Source::asynchronous(TableLockWaits(db.clone()))),
    )
    .off_by_default()
    .reads(&["performance_schema.table_lock_waits_summary_by_table"])
    .metrics(&[&SQL_WAITS, &SQL_SECONDS, &EXTERNAL_WAITS, &EXTERNAL_SECONDS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

/// The locks of the server: the value of the label `operation`, and the suffix of the columns.
const SQL_LOCKS: [(&str, &str); 8] = [
    ("read_normal", "READ_NORMAL"),
    ("read_with_shared_locks", "READ_WITH_SHARED_LOCKS"),
    ("read_high_priority", "READ_HIGH_PRIORITY"),
    ("read_no_insert", "READ_NO_INSERT"),
    ("write_normal", "WRITE_NORMAL"),
    ("write_allow_write", "WRITE_ALLOW_WRITE"),
    ("write_concurrent_insert", "WRITE_CONCURRENT_INSERT"),
    ("write_low_priority", "WRITE_LOW_PRIORITY"),
];
/// The locks of the storage engine.
const EXTERNAL_LOCKS: [(&str, &str); 2] = [("read", "READ_EXTERNAL"), ("write", "WRITE_EXTERNAL")];

const LABELS: [&str; 3] = ["schema", "name", "operation"];

static SQL_WAITS: Desc<3> = Desc::counter(
    "mysql_perf_schema_sql_lock_waits_total",
    "Waits for a table lock of the server.",
    LABELS,
);
static SQL_SECONDS: Desc<3> = Desc::counter(
    "mysql_perf_schema_sql_lock_waits_seconds_total",
    "Time spent waiting for a table lock of the server.",
    LABELS,
);
static EXTERNAL_WAITS: Desc<3> = Desc::counter(
    "mysql_perf_schema_external_lock_waits_total",
    "Waits for a table lock of the storage engine.",
    LABELS,
);
static EXTERNAL_SECONDS: Desc<3> = Desc::counter(
    "mysql_perf_schema_external_lock_waits_seconds_total",
    "Time spent waiting for a table lock of the storage engine.",
    LABELS,
);

struct TableLockWaits(Db);

#[async_trait]
impl AsyncCollector for TableLockWaits {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.0.query(&statement()).await?;
        let mut first = 2;
        for (waits, seconds, locks) in [
            (&SQL_WAITS, &SQL_SECONDS, &SQL_LOCKS[..]),
            (&EXTERNAL_WAITS, &EXTERNAL_SECONDS, &EXTERNAL_LOCKS[..]),
        ] {
            write(out, &result_set, waits, locks, first, 1.0);
            write(out, &result_set, seconds, locks, first + locks.len(), PICOSECOND);
            first += 2 * locks.len();
        }
        Ok(())
    }
}

/// The columns are two names, counts and times of the server's locks, counts and times of the storage
/// engine's locks.
fn statement() -> String {
    let mut sql = "SELECT OBJECT_SCHEMA, OBJECT_NAME".to_owned();
    for locks in [&SQL_LOCKS[..], &EXTERNAL_LOCKS] {
        for prefix in ["COUNT", "SUM_TIMER"] {
            for (_, column) in locks {
                sql.extend([", ", prefix, "_", column]);
            }
        }
    }
    sql + " FROM performance_schema.table_lock_waits_summary_by_table WHERE OBJECT_SCHEMA NOT IN \
           ('mysql', 'performance_schema', 'information_schema')"
}

fn write(
    out: &mut Families,
    result_set: &ResultSet,
    desc: &Desc<3>,
    locks: &[(&str, &str)],
    first: usize,
    unit: f64,
) {
    let mut family = out.family(desc);
    for row in &result_set.rows {
        for (column, (operation, _)) in (first..).zip(locks) {
            if let Some(value) = row.number(column) {
                family.sample([row.text(0), row.text(1), operation], value * unit);
            }
        }
    }
}
