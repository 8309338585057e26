//! The web configuration file as written: the keys of the exporter-toolkit's file, and
//! `tls_server_config.client_crl_file` of our own.
//!
//! Nothing is judged here but the shape: unknown keys, duplicate keys, and what is no YAML.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use serde_saphyr::{Error, Spanned};

use super::secret::Secret;
use crate::redact::redacted;

/// What is wrong with a web configuration: one line that says where, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    pub file: PathBuf,
    /// Of the key at fault, counted from 1.
    pub line: Option<u64>,
    /// Dotted: `tls_server_config.cert_file`.
    pub key: Option<String>,
    pub problem: String,
}

impl ConfigError {
    /// An error in a file. The problem is one line without secrets, and says how to correct it.
    pub fn new(file: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, key: None, problem: problem.into() }
    }

    /// The same with the line of the key at fault, if it is known.
    #[must_use]
    pub fn with_line(self, line: Option<u64>) -> Self {
        Self { line, ..self }
    }

    /// The same with the key at fault, if it is known: dotted.
    #[must_use]
    pub fn with_key(self, key: Option<String>) -> Self {
        Self { key, ..self }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ": line {line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {}", redacted(key))?;
        }
        write!(f, ": {}", redacted(&self.problem))
    }
}

impl std::error::Error for ConfigError {}

/// A fault before it is known in which file it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: Option<u64>,
    pub(crate) key: Option<String>,
    pub(crate) problem: String,
}

impl Fault {
    pub(crate) fn new(
        key: impl Into<String>,
        line: Option<u64>,
        problem: impl Into<String>,
    ) -> Self {
        Self { line, key: Some(key.into()), problem: problem.into() }
    }

    pub(crate) fn in_file(self, file: &Path) -> ConfigError {
        let Self { line, key, problem } = self;
        let clean = |text: String| one_line(redacted(&text).into_owned());
        let (key, problem) = (key.map(clean), clean(problem));
        ConfigError { file: file.to_path_buf(), line, key, problem }
    }
}

/// A user's name, a value and a path may hold any character.
fn one_line(text: String) -> String {
    if text.contains(char::is_control) { text.replace(char::is_control, "\u{fffd}") } else { text }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Web {
    pub(crate) tls_server_config: Option<Tls>,
    pub(crate) http_server_config: Option<Http>,
    pub(crate) basic_auth_users: Option<BTreeMap<String, Spanned<Secret>>>,
    pub(crate) rate_limit: Option<Rate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) cert: Field<String>,
    pub(crate) key: Field<Secret>,
    pub(crate) client_ca: Field<String>,
    pub(crate) cert_file: Field<String>,
    pub(crate) key_file: Field<String>,
    pub(crate) client_auth_type: Field<String>,
    pub(crate) client_ca_file: Field<String>,
    pub(crate) client_crl_file: Field<String>,
    pub(crate) client_allowed_sans: Field<Vec<String>>,
    pub(crate) cipher_suites: Field<Vec<String>>,
    pub(crate) curve_preferences: Field<Vec<String>>,
    pub(crate) min_version: Field<String>,
    pub(crate) max_version: Field<String>,
    pub(crate) prefer_server_cipher_suites: Field<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) http2: Field<bool>,
    pub(crate) headers: Option<BTreeMap<String, Spanned<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rate {
    pub(crate) interval: Field<String>,
    pub(crate) burst: Field<i64>,
}

/// The value of a key, with the difference between a key without a value and no key at all.
#[derive(Debug, Default)]
pub(crate) enum Field<T> {
    #[default]
    Missing,
    Empty,
    Given(Spanned<T>),
}

impl<T> Field<T> {
    pub(crate) fn is_written(&self) -> bool {
        !matches!(self, Self::Missing)
    }

    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Given(given) => Some(&given.value),
            Self::Missing | Self::Empty => None,
        }
    }

    pub(crate) fn line(&self) -> Option<u64> {
        match self {
            Self::Given(given) => line_of(given),
            Self::Missing | Self::Empty => None,
        }
    }
}

impl Field<String> {
    /// The value, where it is not empty.
    pub(crate) fn text(&self) -> Option<&str> {
        self.value().map(String::as_str).filter(|text| !text.is_empty())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Option::<Spanned<T>>::deserialize(deserializer)?;
        Ok(given.map_or(Self::Empty, Self::Given))
    }
}

pub(crate) fn line_of<T>(value: &Spanned<T>) -> Option<u64> {
    Some(value.referenced.line()).filter(|line| *line > 0)
}

/// The file's text as keys and values. A file without any, or with nothing but comments, is the
/// default.
pub(crate) fn parse(text: &[u8]) -> Result<Web, Fault> {
    let text = std::str::from_utf8(text).map_err(|error| Fault {
        line: Some(
            text.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count() as u64 + 1,
        ),
        key: None,
        problem: "not valid YAML: it is not UTF-8".into(),
    })?;
    if text.lines().all(|line| is_blank(line.trim_start_matches('\u{feff}').trim())) {
        return Ok(Web::default());
    }
    // A snippet of the file would show the secrets in it.
    let options = serde_saphyr::options! { with_snippet: false };
    let web = serde_saphyr::from_str_with_options::<Option<Web>>(text, options);
    Ok(web.map_err(|error| fault(&error))?.unwrap_or_default())
}

/// The key that was probably meant.
fn similar<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|other| (strsim::jaro_winkler(key, other), other));
    let (score, best) = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score > 0.85).then_some(best)
}

fn is_blank(line: &str) -> bool {
    line.is_empty() || line.starts_with('#') || line == "---"
}

/// Says what is wrong without saying any value of the file.
fn fault(error: &Error) -> Fault {
    let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
    let problem = match error.without_snippet() {
        Error::SerdeUnknownField { field, expected, .. } => {
            let similar = similar(field, expected.iter().copied());
            let similar = similar.map_or_else(String::new, |key| format!(": did you mean {key}?"));
            let known = expected.join(", ");
            format!("unknown key {field:?} in this YAML{similar}; known here: {known}")
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key {key:?} is given twice in this YAML; keep one of them")
        }
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            let kind = unexpected.split(['"', '`']).next().unwrap_or_default().trim();
            format!("not the YAML of a web configuration: expected {expected}, found {kind}")
        }
        Error::InvalidScalar { ty, .. } => {
            format!("not the YAML of a web configuration: expected a value of type {ty}")
        }
        Error::Unexpected { expected, .. } => {
            format!("not the YAML of a web configuration: expected {expected}")
        }
        Error::QuotingRequired { .. } => {
            "not the YAML of a web configuration: a value needs quotes".into()
        }
        Error::NonFiniteFloat { .. } => {
            "not the YAML of a web configuration: a number is not finite".into()
        }
        Error::MultipleDocuments { .. } => {
            "not the YAML of a web configuration: a second document begins here; remove it".into()
        }
        error => {
            let text = error.to_string();
            let text = text.lines().next().unwrap_or_default();
            format!("not valid YAML: {}", text.trim_start_matches("error: "))
        }
    };
    Fault { line, key: None, problem }
}

#[cfg(test)]
mod tests;
