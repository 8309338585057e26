//! The log: a line for each event on standard error, in logfmt or JSON.
//!
//! JSON has `timestamp` and `level` at the top, and everything else nested under the name of the
//! program, so that the logs of several programs in one index have no conflicting keys.

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::io::{self, Write as _};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use time::OffsetDateTime;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The format of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// An object on each line.
    Json,
    /// `key=value` pairs.
    Logfmt,
}

impl FromStr for Layout {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "json" => Ok(Self::Json),
            "logfmt" => Ok(Self::Logfmt),
            _ => Err(()),
        }
    }
}

/// Sends all events of this process at `level` or above to standard error. Once: a second call
/// changes nothing.
pub fn init(program: &'static str, level: Level, layout: Layout) {
    // Fails only if the program has installed a log already, which is then used.
    let _ = tracing::subscriber::set_global_default(Log {
        program,
        level,
        layout,
        libraries: LibraryEvents::default(),
    });
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let message = payload.downcast_ref::<&str>().copied();
        let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::error!(place, message = message.unwrap_or_default(), "panicked");
    }));
}

struct Log {
    program: &'static str,
    level: Level,
    layout: Layout,
    libraries: LibraryEvents,
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
            && (*metadata.level() <= Level::WARN || !is_of_library(metadata.target()))
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.level.into())
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        if is_of_library(metadata.target())
            && !self.libraries.is_due(metadata.name(), Instant::now())
        {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = match self.layout {
            Layout::Logfmt => logfmt(SystemTime::now(), metadata, &fields),
            Layout::Json => json(SystemTime::now(), metadata, self.program, &fields),
        };
        // An error while writing the log cannot be reported.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Libraries whose events below the level of a warning are about their internals. All other events
/// are of the program, which may have any name.
const LIBRARIES: [&str; 10] = [
    "aws_",
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "rustls",
    "tokio",
    "tokio_rustls",
    "tower",
    "want",
];

fn is_of_library(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or_default();
    LIBRARIES
        .into_iter()
        .any(|library| name == library || (library.ends_with('_') && name.starts_with(library)))
}

/// When each event of a library was last logged. Those of the HTTP/2 library are caused by what
/// clients send, as often as they like.
#[derive(Default)]
struct LibraryEvents(Mutex<HashMap<&'static str, Instant>>);

/// How often an event of a library is logged at most.
const LIBRARY_INTERVAL: Duration = Duration::from_secs(60);

impl LibraryEvents {
    /// Whether to log an event. Its name is its location in the source.
    fn is_due(&self, name: &'static str, now: Instant) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = logged.get(name).is_some_and(|last| now < *last + LIBRARY_INTERVAL);
        if !is_recent {
            logged.insert(name, now);
        }
        !is_recent
    }
}

/// The fields of an event as text, `message` apart.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

enum Value {
    /// Without quotes: a number or a boolean.
    Bare(String),
    Text(String),
}

impl Fields {
    fn push(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::Bare(text) | Value::Text(text)) => self.message = text,
            (name, value) => self.others.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.push(field, Value::Text(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, Value::Text(value.to_owned()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.push(field, Value::Text(crate::collector::chain(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, Value::Bare(value.to_string()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, Value::Bare(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, Value::Bare(value.to_string()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let text = value.to_string();
        let value = if value.is_finite() { Value::Bare(text) } else { Value::Text(text) };
        self.push(field, value);
    }
}

fn logfmt(time: SystemTime, metadata: &Metadata<'_>, fields: &Fields) -> String {
    let mut line = format!("time={} level={} msg=", timestamp(time), metadata.level());
    push_word(&mut line, &fields.message);
    for (name, value) in &fields.others {
        line.push(' ');
        line.push_str(name);
        line.push('=');
        match value {
            Value::Bare(text) => line.push_str(text),
            Value::Text(text) => push_word(&mut line, text),
        }
    }
    line.push('\n');
    line
}

/// Quotes a value only if it needs quotes.
fn push_word(line: &mut String, text: &str) {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\');
    if !text.is_empty() && text.chars().all(plain) {
        line.push_str(text);
    } else {
        push_quoted(line, text);
    }
}

fn json(
    time: SystemTime,
    metadata: &Metadata<'_>,
    program: &'static str,
    fields: &Fields,
) -> String {
    let level = metadata.level().as_str().to_ascii_lowercase();
    let mut line = format!("{{\"timestamp\":\"{}\",\"level\":\"{level}\",", timestamp(time));
    push_quoted(&mut line, program);
    line.push_str(":{\"message\":");
    push_quoted(&mut line, &fields.message);
    for (name, value) in &fields.others {
        line.push(',');
        push_quoted(&mut line, name);
        line.push(':');
        match value {
            Value::Bare(text) => line.push_str(text),
            Value::Text(text) => push_quoted(&mut line, text),
        }
    }
    line.push_str("}}\n");
    line
}

/// A quoted string, by the rules of JSON. Control characters are escaped, so that they never reach
/// a terminal.
fn push_quoted(line: &mut String, text: &str) {
    line.push('"');
    for c in text.chars() {
        match c {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            // Writing to a string does not fail.
            c if c.is_control() => drop(write!(line, "\\u{:04x}", u32::from(c))),
            c => line.push(c),
        }
    }
    line.push('"');
}

/// RFC 3339 in UTC, to the millisecond.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn events_of_any_program_are_told_from_those_of_libraries() {
        for (target, of_library) in [
            ("my_exporter::collectors", false),
            ("hyperion_exporter", false),
            ("hyper::proto", true),
            ("aws_sdk_cloudwatch::client", true),
            ("rustls", true),
        ] {
            assert_eq!(is_of_library(target), of_library, "{target}");
        }
    }

    #[test]
    fn times_are_utc() {
        for (seconds, written) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_164_800, "2024-02-29T00:00:00.000Z"),
            (1_767_225_599, "2025-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::from_secs(seconds)), written);
        }
    }

    #[test]
    fn an_event_of_a_library_is_logged_once_a_minute() {
        let events = LibraryEvents::default();
        let start = Instant::now();
        let logged = (0..100_000_u32).filter(|n| {
            events.is_due("event src/recv.rs:1", start + Duration::from_millis(1) * *n)
        });
        assert_eq!(logged.count(), 2);
        assert!(events.is_due("event src/recv.rs:2", start));
    }

    #[test]
    fn words_are_quoted_when_they_must_be() {
        for (text, word) in [
            ("plain", "plain"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("a=b", "\"a=b\""),
            ("say \"x\"\n\u{1b}[31m", "\"say \\\"x\\\"\\n\\u001b[31m\""),
        ] {
            let mut line = String::new();
            push_word(&mut line, text);
            assert_eq!(line, word);
        }
    }
}
