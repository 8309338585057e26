//! Latency of statements as a histogram: `performance_schema.events_statements_histogram_global`,
//! since MySQL 8.0.3.
//!
//! The server has 450 buckets, 50 for each power of ten, starting at 10 µs. The native histogram uses
//! all of them, the text formats every 25th.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::value::{Bucket, HistogramValue, NativeBuckets};

use super::collector::{Definition, MysqlCollector};
use crate::db::{Db, ResultSet, Row};
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "perf_schema.eventsstatements_histogram",
        "Latency of statements, as a histogram",
        |db, _| Ok(Source::asynchronous(StatementLatency(db.clone()))),
    )
    .off_by_default()
    .reads(&[
        "performance_schema.events_statements_histogram_global",
        "performance_schema.events_statements_summary_global_by_event_name",
    ])
    .metrics(&[&LATENCY]),
    privileges: |_, _| vec![Privilege::new("SELECT", "performance_schema.*")],
};

static LATENCY: Desc = Desc::histogram(
    "mysql_perf_schema_statement_latency_seconds",
    "Latency of statements since the server started or the table was truncated.",
    [],
);

const HISTOGRAM: &str = "SELECT BUCKET_TIMER_LOW, BUCKET_TIMER_HIGH, COUNT_BUCKET FROM \
                         performance_schema.events_statements_histogram_global ORDER BY \
                         BUCKET_NUMBER";
const SUM: &str = "SELECT SUM(SUM_TIMER_WAIT) FROM \
                   performance_schema.events_statements_summary_global_by_event_name";

/// The number of the server's buckets in one bucket of the text formats.
const STEP: usize = 25;
/// The schema of the native histogram. It has eight buckets for each power of two, which is closest to
/// the server's buckets.
const SCHEMA: i32 = 3;
/// A second in picoseconds, the unit of the server.
const SECOND: f64 = 1e12;

struct StatementLatency(Db);

#[async_trait]
impl AsyncCollector for StatementLatency {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut session = self.0.session().await?;
        if !session.server().is_mysql_since((8, 0, 3)) {
            return Err(Error::Absent("performance_schema.events_statements_histogram_global"));
        }
        let histogram = session.query(HISTOGRAM).await?;
        let sum = session.query(SUM).await?;
        drop(session);
        write(out, &histogram, &sum);
        Ok(())
    }
}

fn write(out: &mut Families, histogram: &ResultSet, sum: &ResultSet) {
    let sum = sum.rows.first().and_then(|row| row.number(0)).unwrap_or(0.0) / SECOND;
    let mut buckets = Vec::new();
    let mut native: Vec<(i32, u64)> = Vec::new();
    let mut count = 0_u64;
    for (index, row) in histogram.rows.iter().enumerate() {
        let Some((low, high, in_bucket)) = parse_bucket(row) else { continue };
        count = count.saturating_add(in_bucket);
        // The last bucket has no upper bound.
        let is_last = index + 1 == histogram.rows.len();
        if index % STEP == 0 && !is_last {
            buckets.push(Bucket::new(high, count));
        }
        if in_bucket > 0 {
            let native_index = native_index(if is_last { low } else { f64::midpoint(low, high) });
            match native.last_mut().filter(|(last, _)| *last == native_index) {
                Some((_, count)) => *count = count.saturating_add(in_bucket),
                None => native.push((native_index, in_bucket)),
            }
        }
    }
    let native = NativeBuckets::new(SCHEMA).with_positive(&native);
    let value = HistogramValue::new(count, sum).with_buckets(&buckets).with_native(native);
    out.family(&LATENCY).histogram([], &value);
}

/// Lower and upper bound in seconds, and the count.
fn parse_bucket(row: &Row) -> Option<(f64, f64, u64)> {
    let count = row.text(2).parse().ok()?;
    Some((row.number(0)? / SECOND, row.number(1)? / SECOND, count))
}

/// The index of the native bucket that contains a time in seconds.
#[expect(clippy::cast_possible_truncation, reason = "a logarithm of a u64 is small")]
fn native_index(seconds: f64) -> i32 {
    let per_power_of_two = f64::from(1 << SCHEMA);
    (seconds.max(1e-12).log2() * per_power_of_two).ceil() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::tests::{assert_golden, result_set};

    #[test]
    fn buckets_are_exposed() {
        // The buckets of the server: 50 for each power of ten.
        let rows: Vec<[String; 3]> = (0..450_i32)
            .map(|index| {
                let bound =
                    |index: i32| (1e7 * 10_f64.powf(f64::from(index) / 50.0)).floor().to_string();
                let low = if index == 0 { "0".into() } else { bound(index - 1) };
                let high = if index == 449 { "18446744073709551615".into() } else { bound(index) };
                [low, high, if index % 100 == 0 { "2".into() } else { "0".into() }]
            })
            .collect();
        let rows: Vec<Vec<&str>> =
            rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        let sum = result_set(&[&["4000000000000"]]);
        assert_golden(&COLLECTOR, &rows, |out, histogram| write(out, histogram, &sum));
    }

    #[test]
    fn native_buckets_contain_their_times() {
        for seconds in [1e-5, 0.001, 0.5, 1.0, 3.0, 100.0] {
            let index = native_index(seconds);
            let bound = |index: i32| 2_f64.powf(f64::from(index) / 8.0);
            assert!(bound(index - 1) < seconds && seconds <= bound(index), "{seconds}: {index}");
        }
    }
}
