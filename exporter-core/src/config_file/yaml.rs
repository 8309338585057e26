//! YAML of configuration files: read strictly, with errors that show no value of the file.

mod indentation;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_saphyr::Error;
/// A value with its line.
pub use serde_saphyr::Spanned;

use crate::redact::redacted;

/// An error in a configuration file: one line that says where, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// The file that was read.
    pub file: PathBuf,
    /// Of the key at fault, counted from 1.
    pub line: Option<u64>,
    /// Dotted: `tls_server_config.cert_file`.
    pub key: Option<String>,
    /// What is wrong, and how to correct it: one line without secrets.
    pub problem: String,
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

    /// A file that cannot be read.
    pub fn unreadable(file: &Path, error: &io::Error) -> Self {
        Fault { line: None, key: None, problem: format!("cannot read it: {error}") }.in_file(file)
    }
}

/// An error whose file is not known yet.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// Of the key at fault, counted from 1.
    pub line: Option<u64>,
    /// Dotted: `tls_server_config.cert_file`.
    pub key: Option<String>,
    /// What is wrong, and how to correct it: one line without secrets.
    pub problem: String,
}

impl Fault {
    /// An error about the value of `key`.
    pub fn new(key: impl Into<String>, line: Option<u64>, problem: impl Into<String>) -> Self {
        Self { line, key: Some(key.into()), problem: problem.into() }
    }

    /// The error, in this file.
    pub fn in_file(self, file: &Path) -> ConfigError {
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

/// The line of a value, counted from 1, if it is known.
pub fn line_of<T>(value: &Spanned<T>) -> Option<u64> {
    Some(value.referenced.line()).filter(|line| *line > 0)
}

/// Parses the text of a file. A file without any keys, or with nothing but comments, is the default.
/// `kind` is what the file should be, for errors: `a web configuration`.
///
/// Types with `serde(deny_unknown_fields)` get errors that name the unknown key and the one that was
/// probably meant.
pub fn parse<T: DeserializeOwned + Default>(text: &[u8], kind: &str) -> Result<T, Fault> {
    let text = std::str::from_utf8(text).map_err(|error| Fault {
        line: Some(
            text.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count() as u64 + 1,
        ),
        key: None,
        problem: "not valid YAML: it is not UTF-8".into(),
    })?;
    if text.lines().all(|line| is_blank(line.trim_start_matches('\u{feff}').trim())) {
        return Ok(T::default());
    }
    // A snippet of the file would show the secrets in it.
    let options = serde_saphyr::options! { with_snippet: false };
    let parsed = serde_saphyr::from_str_with_options::<Option<T>>(text, options);
    let parsed = parsed.map_err(|error| {
        let mut fault = fault(&error, kind);
        if fault.line.is_some_and(|line| indentation::is_wrong_near(text, line)) {
            fault.problem.push_str("; check the indentation");
        }
        fault
    })?;
    Ok(parsed.unwrap_or_default())
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
fn fault(error: &Error, kind: &str) -> Fault {
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
            format!("not the YAML of {kind}: expected {expected}, found {kind}")
        }
        Error::InvalidScalar { ty, .. } => {
            format!("not the YAML of {kind}: expected a value of type {ty}")
        }
        Error::Unexpected { expected, .. } => {
            format!("not the YAML of {kind}: expected {expected}")
        }
        Error::QuotingRequired { .. } => {
            format!("not the YAML of {kind}: a value needs quotes")
        }
        Error::NonFiniteFloat { .. } => {
            format!("not the YAML of {kind}: a number is not finite")
        }
        Error::MultipleDocuments { .. } => {
            format!("not the YAML of {kind}: a second document begins here; remove it")
        }
        error => {
            let text = error.to_string();
            let text = text.lines().next().unwrap_or_default();
            format!("not valid YAML: {}", text.trim_start_matches("error: "))
        }
    };
    Fault { line, key: None, problem }
}
