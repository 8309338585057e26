//! The lag of a MySQL channel, from the timestamps and GTIDs in `performance_schema`.

use crate::db::Row;

/// The state of a channel. Times are Unix times by the replica's clock.
#[derive(Debug, Default)]
pub(super) struct Channel {
    now: f64,
    /// Whether it is connected to its source.
    is_receiving: bool,
    /// Whether a worker is running.
    is_applying: bool,
    /// The time of the last heartbeat or transaction from the source.
    last_contact: Option<f64>,
    /// When the last transaction received was committed on its original source.
    last_received: Option<f64>,
    /// When the last transaction applied was committed on its original source.
    last_applied: Option<f64>,
    /// The age of the oldest transaction that a worker is applying.
    applying_age: Option<f64>,
    /// The number of transactions received but not applied; 0 without GTIDs.
    pending: u64,
}

impl Channel {
    /// Reads a row with the state of the channel and the summary of its workers.
    pub(super) fn new(row: &Row) -> Self {
        Self {
            now: row.number(2).unwrap_or(0.0),
            is_receiving: row.text(1) == "ON",
            is_applying: row.number(8).is_some_and(|running| running > 0.0),
            last_contact: latest([time(row, 3), time(row, 4)]),
            last_received: time(row, 5),
            last_applied: time(row, 9),
            applying_age: row.number(10),
            pending: transactions(row.text(6)),
        }
    }

    /// The age in seconds of the oldest change that the replica lacks.
    pub(super) fn lag(&self) -> Option<f64> {
        if let Some(age) = self.applying_age {
            return Some(age.max(0.0));
        }
        let is_behind = self.pending > 0 || self.last_received > self.last_applied;
        let since = match (is_behind, self.last_applied) {
            // The replica was up to date at the last contact with its source.
            (false, _) if self.is_receiving => return Some(0.0),
            (false, _) => self.last_contact?,
            // The time of the first pending transaction is unknown, but it is after the last applied
            // one.
            (true, Some(applied)) if !self.is_applying && self.pending > 1 => applied,
            // One transaction is pending, or several that have just arrived.
            (true, _) => self.last_received?,
        };
        Some((self.now - since).max(0.0))
    }
}

/// A time; 0 means none.
fn time(row: &Row, column: usize) -> Option<f64> {
    row.number(column).filter(|time| *time > 0.0)
}

fn latest(times: [Option<f64>; 2]) -> Option<f64> {
    times.into_iter().flatten().reduce(f64::max)
}

/// The number of transactions in a GTID set such as `uuid:1-3:5,uuid:tag:7`.
pub(super) fn transactions(set: &str) -> u64 {
    let intervals = set.split(',').flat_map(|source| source.trim().split(':').skip(1));
    // Tags are skipped, because they are not numbers.
    let lengths = intervals.filter_map(|interval| {
        let (first, last) = interval.split_once('-').unwrap_or((interval, interval));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        Some(last.checked_sub(first)?.saturating_add(1))
    });
    lengths.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_the_age_of_the_oldest_missing_change() {
        let idle = Channel {
            now: 1000.0,
            is_receiving: true,
            is_applying: true,
            last_contact: Some(999.0),
            last_received: Some(500.0),
            last_applied: Some(500.0),
            applying_age: None,
            pending: 0,
        };
        for (channel, lag) in [
            (Channel { ..idle }, Some(0.0)),
            (Channel { is_receiving: false, ..idle }, Some(1.0)),
            (Channel { is_receiving: false, last_contact: None, ..idle }, None),
            (Channel { applying_age: Some(7.0), ..idle }, Some(7.0)),
            (Channel { applying_age: Some(-0.1), ..idle }, Some(0.0)),
            // Transactions have just arrived, after a long time without any.
            (Channel { last_received: Some(999.5), pending: 2, ..idle }, Some(0.5)),
            // The workers are stopped.
            (
                Channel { is_applying: false, last_received: Some(900.0), pending: 1, ..idle },
                Some(100.0),
            ),
            (
                Channel { is_applying: false, last_received: Some(900.0), pending: 2, ..idle },
                Some(500.0),
            ),
            // Without GTIDs.
            (Channel { is_applying: false, last_received: Some(900.0), ..idle }, Some(100.0)),
            // Nothing was ever applied.
            (Channel { is_applying: false, last_applied: None, pending: 3, ..idle }, Some(500.0)),
            (Channel { last_received: None, last_applied: None, ..idle }, Some(0.0)),
        ] {
            assert_eq!(channel.lag(), lag, "{channel:?}");
        }
    }

    #[test]
    fn transactions_are_counted() {
        for (set, count) in [
            ("", 0),
            ("3e11:1", 1),
            ("3e11:1-5", 5),
            ("3e11:1-3:5:7-8,\n4f22:2-3", 8),
            ("3e11:1-3:tag:1-2", 5),
            ("3e11:5-3", 0),
            ("3e11", 0),
            ("3e11:1-18446744073709551615,4f22:1-18446744073709551615", u64::MAX),
        ] {
            assert_eq!(transactions(set), count, "{set}");
        }
    }
}
