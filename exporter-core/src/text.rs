//! Text 0.0.4 and 1.0.0, and OpenMetrics 1.0: headers, samples, escaping.

use crate::desc::{Entry, Kind};
use crate::number;

/// One sample line.
pub(crate) fn sample(out: &mut Vec<u8>, entry: &Entry<'_>, values: &[&str], value: f64) {
    out.extend_from_slice(entry.name.as_bytes());
    let mut mark = b'{';
    for (name, label) in entry.labels.iter().zip(values) {
        out.push(mark);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"=\"");
        push_escaped(out, label, true);
        out.push(b'"');
        mark = b',';
    }
    out.extend_from_slice(if values.is_empty() { b" " } else { b"} " });
    number::push(out, value);
    out.push(b'\n');
}

/// The two lines before a family's samples.
pub(crate) fn header(out: &mut Vec<u8>, name: &str, help: &str, kind: Kind) {
    let kind = match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
        Kind::Summary => "summary",
        Kind::Untyped => "untyped",
    };
    out.extend_from_slice(b"# HELP ");
    out.extend_from_slice(name.as_bytes());
    out.push(b' ');
    push_escaped(out, help, false);
    for part in ["\n# TYPE ", name, " ", kind, "\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Appends `text` with backslashes and line feeds escaped, and `quotes` too if asked. A NUL, which
/// Prometheus takes for the end of the page, becomes U+FFFD.
fn push_escaped(out: &mut Vec<u8>, text: &str, quotes: bool) {
    let mut rest = text.as_bytes();
    let special = |byte: &u8| matches!(byte, b'\\' | b'\n' | b'\0') || (quotes && *byte == b'"');
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
