//! Errors of the configuration.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::PathBuf;

/// An invalid value of a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    key: String,
    text: &'static str,
}

impl Problem {
    pub(super) fn new(key: &str, text: &'static str) -> Self {
        Self { key: key.to_owned(), text }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.text)
    }
}

/// Why a configuration is rejected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{}: [{section}] {problem}", path.display())]
    Key { path: PathBuf, section: String, problem: Problem },
    #[error("{}:{line}: {problem}", path.display())]
    Line { path: PathBuf, line: usize, problem: &'static str },
    #[error(
        "no user: {} has no section with a user; add [client] and user=..., or set \
         --mysqld.username and MYSQLD_EXPORTER_PASSWORD", .0.display()
    )]
    NoUser(PathBuf),
    #[error("[{section}] {lost_protection}: a reload does not weaken TLS, restart for that")]
    WeakerTls { section: String, lost_protection: &'static str },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
}
