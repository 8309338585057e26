//! Text 0.0.4 and 1.0.0, and `OpenMetrics` 1.0: headers, samples, escaping.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use super::desc::Kind;
use super::frame::Frame;
use super::number;
use super::value::{CounterValue, Exemplar, HistogramValue, SummaryValue};

/// The dialects of the text formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenMetrics {
        /// Whether `_created` lines are written.
        created: bool,
    },
    Prometheus,
}

/// Fills `frame` for a family: the name, the text before each label value, the text after the last
/// one, and the text before the bound of a bucket or quantile.
///
/// A quoted name is written inside the braces: `{"my.name",label="value"} 1`.
pub(crate) fn frame(
    frame: &mut Frame,
    (name, quoted): (&str, bool),
    labels: impl Iterator<Item = (impl AsRef<str>, bool)>,
    bound: &str,
) {
    frame.clear();
    if quoted {
        frame.add("{\"");
        push_escaped(frame.bytes(), name, true);
    } else {
        frame.add(name);
    }
    frame.close();
    let (mut before, mut after) = if quoted { ("\",", "\"} ") } else { ("{", " ") };
    for (label, quoted) in labels {
        frame.add(before);
        push_name(frame.bytes(), label.as_ref(), quoted);
        frame.add("=\"");
        frame.close();
        (before, after) = ("\",", "\"} ");
    }
    frame.add(after);
    frame.close();
    for part in [before, bound, "=\""] {
        frame.add(part);
    }
    frame.close();
}

/// One sample line.
pub(crate) fn sample(
    out: &mut Vec<u8>,
    frame: &Frame,
    values: &[&str],
    value: f64,
    dialect: Dialect,
) {
    let mut pieces = frame.pieces();
    out.extend_from_slice(pieces.next());
    for label in values {
        out.extend_from_slice(pieces.next());
        push_escaped(out, label, true);
    }
    out.extend_from_slice(pieces.next());
    push_value(out, value, dialect);
    out.push(b'\n');
}

/// One sample line with a timestamp.
pub(crate) fn sample_at(
    out: &mut Vec<u8>,
    frame: &Frame,
    values: &[&str],
    value: f64,
    at: Duration,
    dialect: Dialect,
) {
    sample(out, frame, values, value, dialect);
    out.pop();
    out.push(b' ');
    match dialect {
        Dialect::OpenMetrics { .. } => push_seconds(out, at),
        Dialect::Prometheus => {
            out.extend_from_slice(itoa::Buffer::new().format(at.as_millis()).as_bytes());
        }
    }
    out.push(b'\n');
}

/// Writes a counter, and returns the number of bytes before its last line feed that only a counter
/// has. They are removed if the type of the family turns out to be `unknown`.
pub(crate) fn counter(
    out: &mut Vec<u8>,
    frame: &Frame,
    values: &[&str],
    value: &CounterValue<'_>,
    dialect: Dialect,
) -> usize {
    sample(out, frame, values, value.value, dialect);
    let Dialect::OpenMetrics { created } = dialect else { return 0 };
    let Some(stem) = frame.pieces().next().strip_suffix(TOTAL) else { return 0 };
    out.pop();
    let plain = out.len();
    push_exemplar(out, value.exemplar.as_ref());
    out.push(b'\n');
    if let Some(at) = value.created.filter(|_| created).and_then(since_epoch) {
        let mut lines = Lines::new(out, frame, values);
        lines.head = stem;
        lines.start(b"_created");
        push_seconds(lines.out, at);
        lines.out.push(b'\n');
    }
    out.len() - plain - 1
}

pub(crate) fn histogram(
    out: &mut Vec<u8>,
    frame: &Frame,
    values: &[&str],
    histogram: &HistogramValue<'_>,
    dialect: Dialect,
) {
    let mut lines = Lines::new(out, frame, values);
    for (le, count, exemplar) in histogram.cumulative() {
        lines.start_bound(b"_bucket", le, dialect);
        lines.count(count, dialect);
        if dialect != Dialect::Prometheus {
            push_exemplar(lines.out, exemplar);
        }
        lines.out.push(b'\n');
    }
    lines.totals(histogram.sum, histogram.total(), histogram.created, dialect);
}

pub(crate) fn summary(
    out: &mut Vec<u8>,
    frame: &Frame,
    values: &[&str],
    summary: &SummaryValue<'_>,
    dialect: Dialect,
) {
    let mut lines = Lines::new(out, frame, values);
    for &(quantile, value) in summary.quantiles {
        lines.start_bound(b"", quantile, dialect);
        push_value(lines.out, value, dialect);
        lines.out.push(b'\n');
    }
    lines.totals(summary.sum, summary.count, summary.created, dialect);
}

/// The lines before a family's samples. `OpenMetrics` names a counter without `_total` and an info
/// family without `_info`.
pub(crate) fn header(
    out: &mut Vec<u8>,
    (name, quoted): (&str, bool),
    help: &str,
    kind: Kind,
    unit: &str,
    dialect: Dialect,
) {
    let om = dialect != Dialect::Prometheus;
    let (name, kind) = match kind {
        Kind::Counter if om => (name.strip_suffix("_total").unwrap_or(name), "counter"),
        Kind::Counter => (name, "counter"),
        Kind::Info if om => (name.strip_suffix("_info").unwrap_or(name), "info"),
        Kind::StateSet if om => (name, "stateset"),
        Kind::Gauge | Kind::Info | Kind::StateSet => (name, "gauge"),
        Kind::Histogram => (name, "histogram"),
        Kind::Summary => (name, "summary"),
        Kind::Untyped => (name, if om { "unknown" } else { "untyped" }),
    };
    if !help.is_empty() {
        out.extend_from_slice(b"# HELP ");
        push_name(out, name, quoted);
        out.push(b' ');
        push_escaped(out, help, om);
        out.push(b'\n');
    }
    out.extend_from_slice(b"# TYPE ");
    push_name(out, name, quoted);
    for part in [" ", kind, "\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    if om && !unit.is_empty() {
        out.extend_from_slice(b"# UNIT ");
        push_name(out, name, quoted);
        for part in [" ", unit, "\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

/// The suffix of `OpenMetrics` counters.
pub(crate) const TOTAL: &[u8] = b"_total";

/// The lines of a series with several samples. The labels are escaped once.
struct Lines<'a> {
    out: &'a mut Vec<u8>,
    frame: &'a Frame,
    values: &'a [&'a str],
    head: &'a [u8],
    /// The position of the labels of the first line in `out`.
    labels: Option<Range<usize>>,
}

impl<'a> Lines<'a> {
    fn new(out: &'a mut Vec<u8>, frame: &'a Frame, values: &'a [&'a str]) -> Self {
        Self { out, frame, values, head: frame.pieces().next(), labels: None }
    }

    /// Begins a line, up to its value.
    fn start(&mut self, suffix: &[u8]) {
        let (close, _) = self.labels(suffix);
        self.out.extend_from_slice(close);
    }

    /// Begins a line with an `le` or a `quantile`, up to its value.
    fn start_bound(&mut self, suffix: &[u8], bound: f64, dialect: Dialect) {
        let (_, open) = self.labels(suffix);
        self.out.extend_from_slice(open);
        push_value(self.out, bound, dialect);
        self.out.extend_from_slice(b"\"} ");
    }

    /// Writes name and labels, and returns the two possible continuations.
    fn labels(&mut self, suffix: &[u8]) -> (&'a [u8], &'a [u8]) {
        self.out.extend_from_slice(self.head);
        self.out.extend_from_slice(suffix);
        let mut pieces = self.frame.pieces();
        pieces.next();
        if let Some(labels) = self.labels.clone() {
            self.out.extend_from_within(labels);
            for _ in self.values {
                pieces.next();
            }
        } else {
            let start = self.out.len();
            for value in self.values {
                self.out.extend_from_slice(pieces.next());
                push_escaped(self.out, value, true);
            }
            self.labels = Some(start..self.out.len());
        }
        (pieces.next(), pieces.next())
    }

    fn count(&mut self, count: u64, dialect: Dialect) {
        match dialect {
            Dialect::OpenMetrics { .. } => number::push_count(self.out, count),
            Dialect::Prometheus => number::push(self.out, count as f64),
        }
    }

    fn totals(&mut self, sum: f64, count: u64, created: Option<SystemTime>, dialect: Dialect) {
        self.start(b"_sum");
        push_value(self.out, sum, dialect);
        self.out.push(b'\n');
        self.start(b"_count");
        self.count(count, dialect);
        self.out.push(b'\n');
        let asked = dialect == Dialect::OpenMetrics { created: true };
        if let Some(at) = created.filter(|_| asked).and_then(since_epoch) {
            self.start(b"_created");
            push_seconds(self.out, at);
            self.out.push(b'\n');
        }
    }
}

fn push_value(out: &mut Vec<u8>, value: f64, dialect: Dialect) {
    match dialect {
        Dialect::OpenMetrics { .. } => number::push_float(out, value),
        Dialect::Prometheus => number::push(out, value),
    }
}

/// ` # {trace_id="4bf9"} 0.12 1700000000.25`
fn push_exemplar(out: &mut Vec<u8>, exemplar: Option<&Exemplar<'_>>) {
    let Some(exemplar) = exemplar.filter(|exemplar| exemplar.is_valid()) else { return };
    out.extend_from_slice(b" # {");
    for (at, (name, value)) in exemplar.labels.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"=\"");
        push_escaped(out, value, true);
        out.push(b'"');
    }
    out.extend_from_slice(b"} ");
    number::push_float(out, exemplar.value);
    if let Some(at) = exemplar.at.and_then(since_epoch) {
        out.push(b' ');
        push_seconds(out, at);
    }
}

fn since_epoch(at: SystemTime) -> Option<Duration> {
    at.duration_since(SystemTime::UNIX_EPOCH).ok()
}

/// Seconds with all decimals, never in scientific notation: a float does not have enough digits
/// for nanoseconds.
fn push_seconds(out: &mut Vec<u8>, at: Duration) {
    number::push_count(out, at.as_secs());
    let mut nanos = at.subsec_nanos();
    out.push(b'.');
    let mut unit = 100_000_000;
    loop {
        out.push(b'0' + u8::try_from(nanos / unit).unwrap_or(0));
        nanos %= unit;
        if nanos == 0 {
            return;
        }
        unit /= 10;
    }
}

fn push_name(out: &mut Vec<u8>, name: &str, quoted: bool) {
    if quoted {
        out.push(b'"');
        push_escaped(out, name, true);
        out.push(b'"');
    } else {
        out.extend_from_slice(name.as_bytes());
    }
}

/// Appends `text` with backslashes and line feeds escaped, and also quotes if `quotes` is set.
/// NUL becomes U+FFFD, because Prometheus treats it as the end of the page.
fn push_escaped(out: &mut Vec<u8>, text: &str, quotes: bool) {
    let mut rest = text.as_bytes();
    let special =
        |byte: &u8| *byte == b'\\' || *byte == b'\n' || *byte == b'\0' || (quotes && *byte == b'"');
    // Without an early exit, the compiler compares 16 bytes at a time; hardly any text is escaped.
    if !rest.iter().fold(false, |found, byte| found | special(byte)) {
        out.extend_from_slice(rest);
        return;
    }
    while let Some(at) = rest.iter().position(special) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        match tail.first() {
            Some(b'\\') => out.extend_from_slice(b"\\\\"),
            Some(b'\n') => out.extend_from_slice(b"\\n"),
            Some(b'"') => out.extend_from_slice(b"\\\""),
            _ => out.extend_from_slice("\u{fffd}".as_bytes()),
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}
