//! Why a server has no answer.

use mysql_async::{DriverError, Error as Driver, IoError};

/// Why a server has no answer. What the driver says is in `problem`; it never holds a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot log in to {address}: {problem}")]
    Login { address: String, problem: String },
    #[error("cannot read {key} {path}: {problem}")]
    File { key: &'static str, path: String, problem: String },
    #[error("{problem}")]
    Statement { problem: String },
    #[error("{address} does not answer: {problem}")]
    Lost { address: String, problem: String },
}

impl From<Error> for exporter_core::collector::Error {
    fn from(error: Error) -> Self {
        Self::Other(Box::new(error))
    }
}

/// Whether the connection is of no more use. The server says that of a connection that it closed,
/// in an answer of its own.
pub(super) fn is_fatal(error: &Driver) -> bool {
    match error {
        Driver::Server(error) => matches!(error.code, 1053 | 1927 | 3169 | 4031),
        _ => true,
    }
}

/// Whether a server that was asked for TLS has none.
pub(super) fn lacks_tls(error: &Driver) -> bool {
    matches!(error, Driver::Driver(DriverError::NoClientSslFlagFromServer))
}

/// One line, with what to do about it where that is known.
pub(super) fn problem(error: &Driver) -> String {
    match error {
        Driver::Server(error) => error.to_string(),
        Driver::Io(IoError::Io(error)) => error.to_string(),
        Driver::Io(IoError::Tls(error)) => format!("TLS: {error}"),
        Driver::Driver(DriverError::NoClientSslFlagFromServer) => {
            "it has no TLS, and TLS is asked for: give it a certificate, or write \
             ssl-mode=DISABLED"
                .into()
        }
        Driver::Driver(DriverError::UnknownAuthPlugin { name }) => format!(
            "the user's authentication plugin {name} is not supported: use caching_sha2_password, \
             mysql_native_password, ed25519 or parsec"
        ),
        Driver::Driver(DriverError::CleartextPluginDisabled) => {
            "it asks for the password in clear text: see enable-cleartext-plugin".into()
        }
        Driver::Driver(error) => error.to_string(),
        other => other.to_string(),
    }
}
