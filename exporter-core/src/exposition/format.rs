//! The exposition formats.

/// An exposition format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `text/plain; version=0.0.4`
    #[default]
    Text004,
    /// `text/plain; version=1.0.0`: as 0.0.4, with quoted UTF-8 names.
    Text100,
    /// `application/openmetrics-text; version=1.0.0`
    OpenMetrics,
    /// `application/vnd.google.protobuf`, delimited `io.prometheus.client.MetricFamily`.
    Protobuf,
}

impl Format {
    /// The `Content-Type` of a page.
    pub const fn content_type(self, escaping: Escaping) -> &'static str {
        macro_rules! of {
            ($start:literal) => {
                match escaping {
                    Escaping::AllowUtf8 => concat!($start, "; escaping=allow-utf-8"),
                    Escaping::Dots => concat!($start, "; escaping=dots"),
                    Escaping::Underscores => concat!($start, "; escaping=underscores"),
                    Escaping::Values => concat!($start, "; escaping=values"),
                }
            };
        }
        match self {
            Self::Text004 => of!("text/plain; version=0.0.4; charset=utf-8"),
            Self::Text100 => of!("text/plain; version=1.0.0; charset=utf-8"),
            Self::OpenMetrics => of!("application/openmetrics-text; version=1.0.0; charset=utf-8"),
            Self::Protobuf => of!(
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            ),
        }
    }
}

/// How names that do not match `[a-zA-Z_:][a-zA-Z0-9_:]*` are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Escaping {
    /// Unchanged, in quotes where the format needs them. Text 0.0.4 has no quoted names; it escapes
    /// them with underscores.
    AllowUtf8,
    /// Reversible: a dot becomes `_dot_`, an underscore two of them.
    Dots,
    /// Each character that is not legal becomes an underscore.
    #[default]
    Underscores,
    /// Reversible: `U__` before the name, and the code point of a character in its place.
    Values,
}

impl Escaping {
    /// The value of `escaping=` in `Accept`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "allow-utf-8" => Self::AllowUtf8,
            "dots" => Self::Dots,
            "underscores" => Self::Underscores,
            "values" => Self::Values,
            _ => return None,
        })
    }
}
