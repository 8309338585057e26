//! Errors in configuration files.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde_saphyr::Spanned;

use crate::redact::redacted;

/// An error in a configuration file: one line that says where, what, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// The file that was read.
    pub file: PathBuf,
    /// The line of the key, counted from 1.
    pub line: Option<u64>,
    /// The key with those above it: `tls_server_config.cert_file`.
    pub key: Option<String>,
    /// What is wrong and how to fix it: one line without secrets.
    pub problem: String,
}

impl ConfigError {
    /// An error in a file. The problem is one line without secrets, and says how to fix it.
    pub fn new(file: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, key: None, problem: problem.into() }
    }

    /// Adds the line of the key, if it is known.
    #[must_use]
    pub fn with_line(self, line: Option<u64>) -> Self {
        Self { line, ..self }
    }

    /// Adds the key with those above it, if it is known.
    #[must_use]
    pub fn with_key(self, key: Option<String>) -> Self {
        Self { key, ..self }
    }

    /// A file that cannot be read.
    pub fn unreadable(file: &Path, error: &io::Error) -> Self {
        Fault::without_key(None, format!("cannot read it: {error}")).in_file(file)
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

/// A [`ConfigError`] whose file is not known yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line of the key, counted from 1.
    pub line: Option<u64>,
    /// The key with those above it: `tls_server_config.cert_file`.
    pub key: Option<String>,
    /// What is wrong and how to fix it: one line without secrets.
    pub problem: String,
}

impl Fault {
    /// An error about the value of a key.
    pub fn new(key: impl Into<String>, line: Option<u64>, problem: impl Into<String>) -> Self {
        Self { line, key: Some(key.into()), problem: problem.into() }
    }

    /// A fault without a key.
    pub fn without_key(line: Option<u64>, problem: impl Into<String>) -> Self {
        Self { line, key: None, problem: problem.into() }
    }

    /// A fault of the value of a key.
    pub fn at<T>(value: &Spanned<T>, key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::new(key, line_of(value), problem)
    }

    /// The error for a file: one line in which anything that looks like a secret is hidden.
    pub fn in_file(self, file: &Path) -> ConfigError {
        let Self { line, key, problem } = self;
        let clean = |text: &str| one_line(redacted(text).into_owned());
        let (key, problem) = (key.map(|key| clean(&key)), clean(&problem));
        ConfigError { file: file.to_path_buf(), line, key, problem }
    }
}

/// A name, a value or a path may contain any character.
fn one_line(text: String) -> String {
    if text.contains(char::is_control) { text.replace(char::is_control, "\u{fffd}") } else { text }
}

/// The line of a value, counted from 1.
pub fn line_of<T>(value: &Spanned<T>) -> Option<u64> {
    Some(value.referenced.line()).filter(|line| *line > 0)
}
