//! Errors of collectors and flags.

use std::error;
use std::io;
use std::path::PathBuf;

/// Why a collector stopped. What it wrote before is exposed.
///
/// `?` converts the errors of the standard library; [`Error::other`] wraps any other:
///
/// ```
/// use exporter_core::collector::Error;
///
/// fn parse(text: &str) -> Result<u64, Error> {
///     let number = text.trim().parse()?;
///     if number == 0 {
///         return Err(Error::other("expected a number above 0"));
///     }
///     Ok(number)
/// }
/// # assert!(parse("7").is_ok() && parse("0").is_err() && parse("x").is_err());
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine lacks what the collector measures. It is not logged as a failure.
    #[error("no {0} here")]
    Absent(&'static str),
    /// An invalid flag: `problem` says why, and how to correct it.
    #[error("--{flag}: {problem}")]
    Flag {
        /// Its name, without dashes.
        flag: &'static str,
        /// Why its value is invalid, and how to correct it.
        problem: String,
    },
    /// A file does not have the expected form.
    #[error("{}: expected {expected}, found {found:?}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What should be there, with an article: `a number`.
        expected: &'static str,
        /// What is there: a word or a line.
        found: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The system call `call` failed.
    #[error("{call} failed")]
    System {
        /// Its name, such as `statfs`.
        call: &'static str,
        /// The error of the system.
        source: io::Error,
    },
    /// Any other error.
    #[error(transparent)]
    Other(Box<dyn error::Error + Send + Sync>),
}

impl Error {
    /// Wraps any error, or a message.
    pub fn other(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }
}

/// Says what was being done when an error occurred.
///
/// ```
/// use exporter_core::collector::{Context, Error, chain};
///
/// fn read(path: &str) -> Result<String, Error> {
///     std::fs::read_to_string(path).context(path)
/// }
///
/// let error = read("/no/such/file").unwrap_err();
/// assert_eq!(chain(&error), "/no/such/file: No such file or directory (os error 2)");
/// ```
pub trait Context<T> {
    /// Wraps an error: it is logged as `<what>: <error>`.
    fn context(self, what: impl Into<String>) -> Result<T, Error>;
}

impl<T, E: Into<Box<dyn error::Error + Send + Sync>>> Context<T> for Result<T, E> {
    fn context(self, what: impl Into<String>) -> Result<T, Error> {
        self.map_err(|error| Error::other(WithContext { what: what.into(), source: error.into() }))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct WithContext {
    what: String,
    source: Box<dyn error::Error + Send + Sync>,
}

macro_rules! from {
    ($($error:ty),+) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::other(error)
            }
        })+
    };
}

from!(
    io::Error,
    std::num::ParseFloatError,
    std::num::ParseIntError,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
    Box<dyn error::Error + Send + Sync>,
    String,
    &str
);

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
