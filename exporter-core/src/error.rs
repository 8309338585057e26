//! Errors of collectors and flags.

use std::error;
use std::io;
use std::path::PathBuf;

/// Why a collector stopped. What it wrote before is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine has no such thing. Nobody needs to act on it.
    #[error("no {0} here")]
    Absent(&'static str),
    /// A flag that cannot mean anything: `problem` says why and how to mend it.
    #[error("--{flag}: {problem}")]
    Flag { flag: &'static str, problem: String },
    #[error("{}: expected {expected}, found {found:?}", path.display())]
    Parse { path: PathBuf, expected: &'static str, found: String },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// A system call; `call` names it.
    #[error("{call} failed")]
    System { call: &'static str, source: io::Error },
    #[error(transparent)]
    Other(Box<dyn error::Error + Send + Sync>),
}

/// An error with all its causes on one line, as logs show it.
pub fn chain(error: &(dyn error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
