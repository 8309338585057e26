//! The most expensive statements: `performance_schema.events_statements_summary_by_digest`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};
use exporter_core::value::SummaryValue;

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet, Row};
use crate::grants::Privilege;
use crate::sql;
use crate::version::Server;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.eventsstatements",
        "The statements that take the most time, by digest",
        |db, flags| {
            Ok(Source::asynchronous(EventsStatements {
                db: db.clone(),
                selection: Selection::new(flags)?,
            }))
        },
    )
    .off_by_default()
    .reads(&["performance_schema.events_statements_summary_by_digest"])
    .flags(&[&LIMIT, &TIME_LIMIT, &TEXT_LIMIT, &EXCLUDE])
    .metrics(&[&COLUMNS, &LATENCY]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

static LIMIT: Flag = Flag::text(
    "collect.perf_schema.eventsstatements.limit",
    "250",
    "Maximum number of digests: those that took the most time.",
);
static TIME_LIMIT: Flag = Flag::text(
    "collect.perf_schema.eventsstatements.timelimit",
    "86400",
    "Maximum time in seconds since a digest was last seen; older ones are excluded.",
);
static TEXT_LIMIT: Flag = Flag::text(
    "collect.perf_schema.eventsstatements.digest_text_limit",
    "120",
    "Maximum length of the text of a statement in characters.",
);
static EXCLUDE: Flag = Flag::list(
    "collect.perf_schema.eventsstatements.exclude_schemas",
    &[],
    "A schema whose statements are excluded, in addition to those of the server. May be repeated.",
);

const DIGEST: [&str; 3] = ["schema", "digest", "digest_text"];
/// A second in picoseconds, the unit of the server.
const SECOND: f64 = 1e12;

/// The columns that every server has.
const COMMON_COLUMNS: &str = "SCHEMA_NAME, DIGEST, COUNT_STAR, SUM_TIMER_WAIT, SUM_LOCK_TIME, SUM_ERRORS, \
                      SUM_WARNINGS, SUM_ROWS_AFFECTED, SUM_ROWS_SENT, SUM_ROWS_EXAMINED, \
                      SUM_CREATED_TMP_DISK_TABLES, SUM_CREATED_TMP_TABLES, \
                      SUM_SORT_MERGE_PASSES, SUM_SORT_ROWS, SUM_NO_INDEX_USED";
/// Additional columns of MySQL since 8.0.28. They follow the text of the digest.
const COLUMNS_SINCE_8_0_28: &str = ", SUM_CPU_TIME, QUANTILE_95, QUANTILE_99, QUANTILE_999";
const TEXT: usize = 15;
const CPU: usize = 16;
const QUANTILES: [(f64, usize); 3] = [(0.95, 17), (0.99, 18), (0.999, 19)];

static COLUMNS: [Column<Row, 3>; 14] = [
    Desc::counter(
        "mysql_perf_schema_events_statements_total",
        "Times a statement of this digest was executed.",
        DIGEST,
    )
    .column(|row| row.number(2)),
    Desc::counter(
        "mysql_perf_schema_events_statements_seconds_total",
        "Time that statements of this digest took.",
        DIGEST,
    )
    .column(|row| Some(row.number(3)? / SECOND)),
    Desc::counter(
        "mysql_perf_schema_events_statements_lock_time_seconds_total",
        "Time that statements of this digest waited for table locks.",
        DIGEST,
    )
    .column(|row| Some(row.number(4)? / SECOND)),
    Desc::counter(
        "mysql_perf_schema_events_statements_cpu_time_seconds_total",
        "CPU time that statements of this digest used.",
        DIGEST,
    )
    .column(|row| Some(row.number(CPU)? / SECOND)),
    Desc::counter(
        "mysql_perf_schema_events_statements_errors_total",
        "Errors of statements of this digest.",
        DIGEST,
    )
    .column(|row| row.number(5)),
    Desc::counter(
        "mysql_perf_schema_events_statements_warnings_total",
        "Warnings of statements of this digest.",
        DIGEST,
    )
    .column(|row| row.number(6)),
    Desc::counter(
        "mysql_perf_schema_events_statements_rows_affected_total",
        "Rows that statements of this digest changed.",
        DIGEST,
    )
    .column(|row| row.number(7)),
    Desc::counter(
        "mysql_perf_schema_events_statements_rows_sent_total",
        "Rows that statements of this digest returned.",
        DIGEST,
    )
    .column(|row| row.number(8)),
    Desc::counter(
        "mysql_perf_schema_events_statements_rows_examined_total",
        "Rows that statements of this digest read.",
        DIGEST,
    )
    .column(|row| row.number(9)),
    Desc::counter(
        "mysql_perf_schema_events_statements_tmp_disk_tables_total",
        "Temporary tables on disk that statements of this digest made.",
        DIGEST,
    )
    .column(|row| row.number(10)),
    Desc::counter(
        "mysql_perf_schema_events_statements_tmp_tables_total",
        "Temporary tables that statements of this digest made.",
        DIGEST,
    )
    .column(|row| row.number(11)),
    Desc::counter(
        "mysql_perf_schema_events_statements_sort_merge_passes_total",
        "Merge passes of sorts in statements of this digest.",
        DIGEST,
    )
    .column(|row| row.number(12)),
    Desc::counter(
        "mysql_perf_schema_events_statements_sort_rows_total",
        "Rows that statements of this digest sorted.",
        DIGEST,
    )
    .column(|row| row.number(13)),
    Desc::counter(
        "mysql_perf_schema_events_statements_no_index_used_total",
        "Times a statement of this digest read a table without an index.",
        DIGEST,
    )
    .column(|row| row.number(14)),
];
static LATENCY: Desc<3> = Desc::summary(
    "mysql_perf_schema_events_statements_latency",
    "Latency of statements of this digest in seconds.",
    DIGEST,
);

struct EventsStatements {
    db: Db,
    selection: Selection,
}

#[async_trait]
impl AsyncCollector for EventsStatements {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.db.session().await?;
        let sql = self.selection.statement(session.server());
        let result_set = session.query(&sql).await?;
        drop(session);
        result_set.table(out, &COLUMNS, [0, 1, TEXT]);
        write_latency(out, &result_set);
        Ok(())
    }
}

fn write_latency(out: &mut Families, result_set: &ResultSet) {
    let mut family = out.family(&LATENCY);
    for row in &result_set.rows {
        let quantile = |(quantile, column)| Some((quantile, row.number(column)? / SECOND));
        let quantiles: Vec<_> = QUANTILES.into_iter().filter_map(quantile).collect();
        let count = row.text(2).parse().unwrap_or(0);
        let sum = row.number(3).unwrap_or(0.0) / SECOND;
        let summary = SummaryValue::new(count, sum).with_quantiles(&quantiles);
        family.summary([row.text(0), row.text(1), row.text(TEXT)], &summary);
    }
}

/// The values of the flags.
struct Selection {
    digests: u32,
    seconds: u32,
    characters: u32,
    /// The values as SQL literals.
    excluded: String,
}

impl Selection {
    fn new(flags: &Flags) -> Result<Self, Error> {
        let system_schemas = ["mysql", "performance_schema", "information_schema"];
        Ok(Self {
            digests: flags.parsed(&LIMIT, "a number")?,
            seconds: flags.parsed(&TIME_LIMIT, "a number of seconds")?,
            characters: flags.parsed(&TEXT_LIMIT, "a number")?,
            excluded: sql::list(system_schemas.into_iter().chain(flags.list(&EXCLUDE))),
        })
    }

    fn statement(&self, server: &Server) -> String {
        let Self { digests, seconds, characters, excluded } = self;
        let more = if server.is_mysql_since((8, 0, 28)) { COLUMNS_SINCE_8_0_28 } else { "" };
        format!(
            "SELECT {COMMON_COLUMNS}, LEFT(DIGEST_TEXT, {characters}){more} FROM \
             performance_schema.events_statements_summary_by_digest WHERE SCHEMA_NAME NOT IN \
             ({excluded}) AND LAST_SEEN > NOW() - INTERVAL {seconds} SECOND ORDER BY \
             SUM_TIMER_WAIT DESC LIMIT {digests}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_depends_on_flags_and_server() {
        let flags = Flags::new([(&LIMIT, "5"), (&TEXT_LIMIT, "9"), (&EXCLUDE, "a'b")]);
        let selection = Selection::new(&flags).unwrap();
        for (version, cpu) in [("9.7.4", true), ("8.0.27", false), ("10.11.6-MariaDB", false)] {
            let sql = selection.statement(&Server::new(version, "", true));
            assert_eq!(sql.contains("SUM_CPU_TIME"), cpu, "{version}");
            assert!(sql.contains("LEFT(DIGEST_TEXT, 9)") && sql.ends_with("LIMIT 5"), "{sql}");
            assert!(sql.contains("'information_schema', 'a\\'b')"), "{sql}");
        }
        let invalid = Selection::new(&Flags::new([(&LIMIT, "all")]));
        assert!(invalid.is_err());
    }
}
