//! The delimited protobuf format: `io.prometheus.client.MetricFamily` messages, each prefixed
//! with its length. Field numbers are those of `metrics.proto` in `prometheus/client_model`.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use super::desc::Kind;
use super::frame::Frame;
use super::value::{CounterValue, Exemplar, HistogramValue, NativeBuckets, SummaryValue};

/// Fills `frame` for a family: each label's name as the first field of a `LabelPair`.
pub(crate) fn frame(frame: &mut Frame, labels: impl Iterator<Item = impl AsRef<str>>) {
    frame.clear();
    for label in labels {
        string(frame.bytes(), 1, label.as_ref());
        frame.close();
    }
}

pub(crate) fn sample(
    out: &mut Vec<u8>,
    frame: &Frame,
    values: &[&str],
    kind: Kind,
    value: f64,
    at: Option<Duration>,
) {
    let field = match kind {
        Kind::Counter => 3,
        Kind::Gauge | Kind::Info | Kind::StateSet => 2,
        _ => 5,
    };
    metric(out, frame, values, |out| {
        message(out, field, |out| double(out, 1, value));
        if let Some(at) = at.and_then(|at| u64::try_from(at.as_millis()).ok()) {
            integer(out, 6, at);
        }
    });
}

pub(crate) fn counter(
    out: &mut Vec<u8>,
    frame: &Frame,
    values: &[&str],
    counter: &CounterValue<'_>,
) {
    metric(out, frame, values, |out| {
        message(out, 3, |out| {
            double(out, 1, counter.value);
            if let Some(of) = &counter.exemplar {
                exemplar(out, 2, of);
            }
            timestamp(out, 3, counter.created);
        });
    });
}

pub(crate) fn histogram(
    out: &mut Vec<u8>,
    frame: &Frame,
    values: &[&str],
    histogram: &HistogramValue<'_>,
) {
    metric(out, frame, values, |out| {
        message(out, 7, |out| {
            integer(out, 1, histogram.total());
            double(out, 2, histogram.sum);
            // A native histogram needs no +Inf bucket.
            if !histogram.buckets.is_empty() || histogram.native.is_none() {
                for (le, count, of) in histogram.cumulative() {
                    message(out, 3, |out| {
                        integer(out, 1, count);
                        double(out, 2, le);
                        if let Some(of) = of {
                            exemplar(out, 3, of);
                        }
                    });
                }
            }
            if let Some(buckets) = &histogram.native {
                native(out, buckets);
                for of in histogram.exemplars.iter().filter(|of| of.at.is_some()) {
                    exemplar(out, 16, of);
                }
            }
            timestamp(out, 15, histogram.created);
        });
    });
}

pub(crate) fn summary(
    out: &mut Vec<u8>,
    frame: &Frame,
    values: &[&str],
    summary: &SummaryValue<'_>,
) {
    metric(out, frame, values, |out| {
        message(out, 4, |out| {
            integer(out, 1, summary.count);
            double(out, 2, summary.sum);
            for &(quantile, value) in summary.quantiles {
                message(out, 3, |out| {
                    double(out, 1, quantile);
                    double(out, 2, value);
                });
            }
            timestamp(out, 4, summary.created);
        });
    });
}

/// The start of a `MetricFamily` whose metrics take `len` bytes.
pub(crate) fn header(
    out: &mut Vec<u8>,
    name: &str,
    help: &str,
    kind: Kind,
    unit: &str,
    len: usize,
) {
    let kind = match kind {
        Kind::Counter => 0,
        Kind::Gauge | Kind::Info | Kind::StateSet => 1,
        Kind::Histogram => 4,
        Kind::Summary => 2,
        Kind::Untyped => 3,
    };
    let start = out.len();
    string(out, 1, name);
    string(out, 2, help);
    integer(out, 3, kind);
    if !unit.is_empty() {
        string(out, 5, unit);
    }
    let total = out.len() - start + len;
    insert_length(out, start, total);
}

fn metric(out: &mut Vec<u8>, frame: &Frame, values: &[&str], value: impl FnOnce(&mut Vec<u8>)) {
    message(out, 4, |out| {
        let mut names = frame.pieces();
        for label in values {
            let name = names.next();
            message(out, 1, |out| {
                out.extend_from_slice(name);
                string(out, 2, label);
            });
        }
        value(out);
    });
}

fn native(out: &mut Vec<u8>, native: &NativeBuckets<'_>) {
    integer(out, 5, zigzag(native.schema.into()));
    double(out, 6, native.zero_threshold);
    integer(out, 7, native.zero_count);
    side(out, 9, 10, native.negative);
    side(out, 12, 13, native.positive);
    if native.negative.is_empty() && native.positive.is_empty() {
        // This span distinguishes an empty native histogram from a classic one.
        message(out, 12, |out| {
            integer(out, 1, 0);
            integer(out, 2, 0);
        });
    }
}

/// Buckets as spans of consecutive buckets, each after a gap, and the differences between their
/// counts.
fn side(out: &mut Vec<u8>, spans: u32, deltas: u32, buckets: &[(i32, u64)]) {
    let adjacent = |a: &(i32, u64), b: &(i32, u64)| a.0.checked_add(1) == Some(b.0);
    let mut next = 0;
    for run in buckets.chunk_by(adjacent) {
        let Some((first, _)) = run.first() else { continue };
        message(out, spans, |out| {
            integer(out, 1, zigzag(i64::from(*first) - next));
            integer(out, 2, run.len() as u64);
        });
        next = i64::from(*first) + i64::try_from(run.len()).unwrap_or(0);
    }
    if !buckets.is_empty() {
        message(out, deltas, |out| {
            let mut before = 0;
            for (_, count) in buckets {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                varint(out, zigzag(count - before));
                before = count;
            }
        });
    }
}

fn exemplar(out: &mut Vec<u8>, field: u32, exemplar: &Exemplar<'_>) {
    if !exemplar.is_valid() {
        return;
    }
    message(out, field, |out| {
        for (name, value) in exemplar.labels {
            message(out, 1, |out| {
                string(out, 1, name);
                string(out, 2, value);
            });
        }
        double(out, 2, exemplar.value);
        timestamp(out, 3, exemplar.at);
    });
}

fn timestamp(out: &mut Vec<u8>, field: u32, at: Option<SystemTime>) {
    let Some(at) = at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()) else { return };
    message(out, field, |out| {
        integer(out, 1, at.as_secs());
        integer(out, 2, at.subsec_nanos().into());
    });
}

fn double(out: &mut Vec<u8>, field: u32, value: f64) {
    tag(out, field, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn integer(out: &mut Vec<u8>, field: u32, value: u64) {
    tag(out, field, 0);
    varint(out, value);
}

/// A string, with U+FFFD for each NUL as in the text formats.
fn string(out: &mut Vec<u8>, field: u32, text: &str) {
    let text = if text.as_bytes().contains(&0) {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    };
    tag(out, field, 2);
    varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// A nested message. Its length is known only after it is written; for most messages it fits into
/// the one byte that is reserved for it.
fn message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    tag(out, field, 2);
    let at = out.len();
    out.push(0);
    let start = out.len();
    write(out);
    let len = out.len() - start;
    if let (Ok(len @ ..0x80), Some(byte)) = (u8::try_from(len), out.get_mut(at)) {
        *byte = len;
    } else {
        out.remove(at);
        insert_length(out, at, len);
    }
}

/// Inserts a length before the bytes that begin at `start`.
fn insert_length(out: &mut Vec<u8>, start: usize, len: usize) {
    let end = out.len();
    varint(out, len as u64);
    let size = out.len() - end;
    if let Some(written) = out.get_mut(start..) {
        written.rotate_right(size);
    }
}

fn tag(out: &mut Vec<u8>, field: u32, wire: u32) {
    varint(out, u64::from(field << 3 | wire));
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}
