//! Negotiates format and escaping by the `Accept` header.
//!
//! A client that accepts none of the formats gets text 0.0.4, as from the Go exporters.

use super::format::{Escaping, Format};

/// All formats. The first one wins if a client accepts several equally.
const FORMATS: [Format; 4] =
    [Format::Text004, Format::OpenMetrics, Format::Protobuf, Format::Text100];

impl Format {
    /// The format that a client prefers, by the values of its `Accept` headers.
    pub fn negotiate<'a>(accept: impl IntoIterator<Item = &'a str>) -> (Self, Escaping) {
        negotiate(accept, Escaping::default())
    }
}

/// As [`negotiate`], with the default escaping.
fn negotiate<'a>(
    accept: impl IntoIterator<Item = &'a str>,
    escaping: Escaping,
) -> (Format, Escaping) {
    let mut clauses = Vec::new();
    for header in accept {
        clauses.extend(split(header, ',').filter_map(Clause::parse));
    }
    let mut best: Option<(Format, usize, &Clause<'_>)> = None;
    for offer in FORMATS {
        let Some((index, clause)) = applicable_clause(&clauses, offer) else { continue };
        let is_better = best.is_none_or(|(_, before, other)| {
            clause.quality > other.quality || (clause.quality == other.quality && index < before)
        });
        if clause.quality > 0 && is_better {
            best = Some((offer, index, clause));
        }
    }
    match best {
        Some((format, _, clause)) => (format, clause.escaping.unwrap_or(escaping)),
        None => (Format::default(), escaping),
    }
}

/// The clause that applies to a format: the most specific one, and of equally specific ones that
/// with the highest quality.
fn applicable_clause<'a>(
    clauses: &'a [Clause<'a>],
    offer: Format,
) -> Option<(usize, &'a Clause<'a>)> {
    let mut applicable_clause: Option<(Specificity, usize, &Clause<'_>)> = None;
    for (index, clause) in clauses.iter().enumerate() {
        let Some(specificity) = clause.specificity(offer) else { continue };
        let is_better = applicable_clause.is_none_or(|(other, _, clause_before)| {
            specificity > other || (specificity == other && clause.quality > clause_before.quality)
        });
        if is_better {
            applicable_clause = Some((specificity, index, clause));
        }
    }
    applicable_clause.map(|(_, index, clause)| (index, clause))
}

/// How specifically a clause matches a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Specificity {
    Anything,
    Kind,
    Type,
    Version,
}

/// One media range of an `Accept` header.
#[derive(Debug)]
struct Clause<'a> {
    media: &'a str,
    version: Option<&'a str>,
    proto: Option<&'a str>,
    encoding: Option<&'a str>,
    escaping: Option<Escaping>,
    /// In thousandths.
    quality: u16,
}

impl<'a> Clause<'a> {
    /// `None` if it is invalid.
    fn parse(clause: &'a str) -> Option<Self> {
        let mut parts = split(clause, ';');
        let media = parts.next().filter(|media| media.contains('/'))?;
        let mut parsed = Self {
            media,
            version: None,
            proto: None,
            encoding: None,
            escaping: None,
            quality: 1000,
        };
        for part in parts {
            let Some((name, value)) = part.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "encoding" => parsed.encoding = Some(value),
                "escaping" => parsed.escaping = Escaping::named(value),
                "proto" => parsed.proto = Some(value),
                "q" => parsed.quality = quality(value)?,
                "version" => parsed.version = Some(value),
                _ => {}
            }
        }
        Some(parsed)
    }

    /// `None` if it does not match this format.
    fn specificity(&self, offer: Format) -> Option<Specificity> {
        let (kind, media, version) = match offer {
            Format::OpenMetrics => ("application/*", "application/openmetrics-text", "1.0.0"),
            Format::Protobuf => ("application/*", "application/vnd.google.protobuf", ""),
            Format::Text004 => ("text/*", "text/plain", "0.0.4"),
            Format::Text100 => ("text/*", "text/plain", "1.0.0"),
        };
        if self.media == "*/*" {
            return Some(Specificity::Anything);
        }
        if self.media.eq_ignore_ascii_case(kind) {
            return Some(Specificity::Kind);
        }
        if !self.media.eq_ignore_ascii_case(media) {
            return None;
        }
        if offer == Format::Protobuf {
            let is_supported = self.proto == Some("io.prometheus.client.MetricFamily")
                && self.encoding == Some("delimited");
            return is_supported.then_some(Specificity::Version);
        }
        match self.version {
            None => Some(Specificity::Type),
            Some(requested) => (requested == version).then_some(Specificity::Version),
        }
    }
}

fn quality(text: &str) -> Option<u16> {
    let quality: f32 = text.parse().ok().filter(|quality| (0.0..=1.0).contains(quality))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let thousandths = (quality * 1000.0).round() as u16;
    Some(thousandths)
}

/// The trimmed parts between separators outside quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |letter| {
        quoted ^= letter == '"';
        letter == separator && !quoted
    })
    .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const OPEN: &str = "application/openmetrics-text";
    const PROTO: &str = "application/vnd.google.protobuf;\
                         proto=io.prometheus.client.MetricFamily;encoding=delimited";

    fn asked(accept: &str) -> (Format, Escaping) {
        Format::negotiate([accept])
    }

    /// The results of the Go library for the formats that are supported here, for each of its two
    /// default schemes.
    #[test]
    fn a_single_format_is_negotiated() {
        for (accept, format, escaping) in [
            (PROTO.to_owned(), Format::Protobuf, None),
            (format!("{PROTO}; escaping=allow-utf-8;"), Format::Protobuf, Some("allow-utf-8")),
            (format!("{PROTO}; escaping=underscores;"), Format::Protobuf, Some("underscores")),
            ("text/plain;version=0.0.4".into(), Format::Text004, None),
            ("text/plain;version=0.0.4;".into(), Format::Text004, None),
            ("text/plain;version=0.0.4; escaping=values;".into(), Format::Text004, Some("values")),
            (
                "text/plain;version=0.0.4; escaping=allow-utf-8".into(),
                Format::Text004,
                Some("allow-utf-8"),
            ),
            ("text/plain".into(), Format::Text004, None),
            (format!("{OPEN};version=1.0.0"), Format::OpenMetrics, None),
            (
                format!("{OPEN};version=1.0.0; escaping=values;"),
                Format::OpenMetrics,
                Some("values"),
            ),
            (format!("{OPEN};version=2.0.0"), Format::Text004, None),
            (format!("{OPEN};version=0.0.4"), Format::Text004, None),
            (
                format!("{OPEN};version=1.0.0;q=0.8, {OPEN};version=2.0.0;q=0.9"),
                Format::OpenMetrics,
                None,
            ),
            ("*/*".into(), Format::Text004, None),
            ("application/unknown".into(), Format::Text004, None),
        ] {
            for default in [Escaping::Underscores, Escaping::Values] {
                let expected = escaping.map_or(default, |name| Escaping::named(name).unwrap());
                assert_eq!(negotiate([&*accept], default), (format, expected), "{accept}");
                let type_of = format.content_type(expected);
                assert_eq!(asked(type_of), (format, expected), "{type_of}");
            }
        }
    }

    /// The headers that Prometheus 3.5 sends.
    #[test]
    fn the_headers_of_prometheus_are_negotiated() {
        let text = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, format, escaping) in [
            (
                format!(
                    "{OPEN};version=1.0.0;escaping=allow-utf-8;q=0.6,{OPEN};version=0.0.1;q=0.5,{text}"
                ),
                Format::OpenMetrics,
                Escaping::AllowUtf8,
            ),
            (
                format!(
                    "{OPEN};version=1.0.0;escaping=underscores;q=0.6,{OPEN};version=0.0.1;q=0.5,{text}"
                ),
                Format::OpenMetrics,
                Escaping::Underscores,
            ),
            (
                format!("{PROTO};q=0.6,{OPEN};version=1.0.0;escaping=allow-utf-8;q=0.5,{text}"),
                Format::Protobuf,
                Escaping::Underscores,
            ),
            // scrape_protocols: [X]
            (format!("{PROTO};q=0.6,*/*;q=0.5"), Format::Protobuf, Escaping::Underscores),
            (
                format!("{OPEN};version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5"),
                Format::OpenMetrics,
                Escaping::AllowUtf8,
            ),
            (
                "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5".into(),
                Format::Text100,
                Escaping::AllowUtf8,
            ),
            (
                "text/plain;version=0.0.4;q=0.6,*/*;q=0.5".into(),
                Format::Text004,
                Escaping::Underscores,
            ),
            (format!("{OPEN};version=0.0.1;q=0.6,*/*;q=0.5"), Format::Text004, Escaping::default()),
        ] {
            assert_eq!(asked(&accept), (format, escaping), "{accept}");
        }
    }

    #[test]
    fn qualities_order_formats() {
        for (accept, format) in [
            ("text/plain;version=0.0.4;q=0.1,application/openmetrics-text", Format::OpenMetrics),
            ("text/plain;q=0.5,application/openmetrics-text;version=1.0.0;q=0.5", Format::Text004),
            ("application/openmetrics-text;q=0.5,text/plain;q=0.5", Format::OpenMetrics),
            ("text/plain;version=0.0.4;q=0,text/plain;version=1.0.0;q=0.1", Format::Text100),
            ("text/plain;q=0,*/*;q=0.1", Format::OpenMetrics),
            ("application/*, text/plain;q=0.9", Format::OpenMetrics),
            ("application/openmetrics-text;q=0, application/*", Format::Protobuf),
            ("*/*;q=0", Format::Text004),
            // A browser.
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Text004),
            ("Text/Plain; Version=\"1.0.0\"", Format::Text100),
        ] {
            assert_eq!(asked(accept).0, format, "{accept}");
        }
        let lines = ["application/json", "application/openmetrics-text"];
        assert_eq!(Format::negotiate(lines).0, Format::OpenMetrics, "two headers");
    }

    #[test]
    fn fuzz_accept() {
        testing::fuzz(testing::corpus(env!("CARGO_MANIFEST_DIR"), "accept"), |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let (format, escaping) = asked(&text);
            // The result can itself be requested.
            assert_eq!(asked(format.content_type(escaping)), (format, escaping), "{text}");
        });
    }

    #[test]
    fn invalid_headers_get_text() {
        for accept in [
            "",
            ",",
            ";",
            "q=1",
            "text",
            "/",
            "application/openmetrics-text;q=2",
            "application/openmetrics-text;q=NaN",
            "application/openmetrics-text;version=\"1.0.0,text/plain",
            "application/vnd.google.protobuf",
            "application/vnd.google.protobuf;proto=other;encoding=delimited",
            "\u{1f980}",
        ] {
            assert_eq!(asked(accept), (Format::Text004, Escaping::Underscores), "{accept}");
        }
        assert_eq!(Format::negotiate([]), (Format::Text004, Escaping::Underscores));
    }
}
