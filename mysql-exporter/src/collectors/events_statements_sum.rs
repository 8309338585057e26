//! All statements together: sums over `performance_schema.events_statements_summary_by_digest`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector, PICOSECOND};
use crate::db::{Db, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.eventsstatementssum",
        "Statements of all digests together",
        |db, _| Ok(Source::asynchronous(EventsStatementsSum(db.clone()))),
    )
    .off_by_default()
    .reads(&["performance_schema.events_statements_summary_by_digest"])
    .metrics(&[&COLUMNS]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

const SQL: &str = "SELECT SUM(COUNT_STAR), SUM(SUM_CREATED_TMP_DISK_TABLES), \
                   SUM(SUM_CREATED_TMP_TABLES), SUM(SUM_ERRORS), SUM(SUM_LOCK_TIME), \
                   SUM(SUM_NO_GOOD_INDEX_USED), SUM(SUM_NO_INDEX_USED), SUM(SUM_ROWS_AFFECTED), \
                   SUM(SUM_ROWS_EXAMINED), SUM(SUM_ROWS_SENT), SUM(SUM_SELECT_FULL_JOIN), \
                   SUM(SUM_SELECT_FULL_RANGE_JOIN), SUM(SUM_SELECT_RANGE), \
                   SUM(SUM_SELECT_RANGE_CHECK), SUM(SUM_SELECT_SCAN), \
                   SUM(SUM_SORT_MERGE_PASSES), SUM(SUM_SORT_RANGE), SUM(SUM_SORT_ROWS), \
                   SUM(SUM_SORT_SCAN), SUM(SUM_TIMER_WAIT), SUM(SUM_WARNINGS) FROM \
                   performance_schema.events_statements_summary_by_digest";

macro_rules! sum {
    ($column:literal, $name:literal, $help:literal) => {
        Desc::counter(concat!("mysql_perf_schema_events_statements_sum_", $name), $help, [])
            .column(|row| row.number($column))
    };
}

static COLUMNS: [Column<Row, 0>; 22] = [
    sum!(0, "total", "Statements executed."),
    sum!(1, "created_tmp_disk_tables", "Temporary tables created on disk."),
    sum!(2, "created_tmp_tables", "Temporary tables created."),
    sum!(3, "errors", "Statements that ended in an error."),
    // In picoseconds, because dashboards made for the original divide by 1e12.
    sum!(4, "lock_time", "Time spent waiting for table locks, in picoseconds."),
    Desc::counter(
        "mysql_perf_schema_events_statements_sum_lock_time_seconds_total",
        "Time spent waiting for table locks.",
        [],
    )
    .column(|row| Some(row.number(4)? * PICOSECOND)),
    sum!(5, "no_good_index_used", "Statements for which no good index was found."),
    sum!(6, "no_index_used", "Statements that scanned a table without an index."),
    sum!(7, "rows_affected", "Rows changed."),
    sum!(8, "rows_examined", "Rows read from storage engines."),
    sum!(9, "rows_sent", "Rows sent to clients."),
    sum!(10, "select_full_join", "Joins without an index."),
    sum!(11, "select_full_range_join", "Joins by a range search on a reference table."),
    sum!(12, "select_range", "Joins by ranges of the first table."),
    sum!(13, "select_range_check", "Joins that checked for keys after each row."),
    sum!(14, "select_scan", "Joins with a full scan of the first table."),
    sum!(15, "sort_merge_passes", "Merge passes of sorts."),
    sum!(16, "sort_range", "Sorts by ranges."),
    sum!(17, "sort_rows", "Rows sorted."),
    sum!(18, "sort_scan", "Sorts by a scan of the table."),
    Desc::counter(
        "mysql_perf_schema_events_statements_sum_timer_wait",
        "Time that statements took, in seconds.",
        [],
    )
    .column(|row| Some(row.number(19)? * PICOSECOND)),
    sum!(20, "warnings", "Warnings of statements."),
];

struct EventsStatementsSum(Db);

#[async_trait]
impl AsyncCollector for EventsStatementsSum {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        self.0.query(SQL).await?.table(out, &COLUMNS, []);
        Ok(())
    }
}
