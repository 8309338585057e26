//! Errors of statements.

use std::sync::Arc;

use crate::client;

/// Why a statement has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot log in to {address}: {problem}")]
    Login { address: String, problem: Arc<client::Error> },
    #[error("{address} does not respond: {problem}")]
    ConnectionLost { address: String, problem: client::Error },
    #[error("{0}")]
    Statement(client::Error),
}

impl Error {
    /// The error code of the server, if a statement failed.
    pub(crate) fn server_code(&self) -> Option<u16> {
        match self {
            Self::Statement(client::Error::Server { code, .. }) => Some(*code),
            _ => None,
        }
    }

    /// Whether the login failed because the server or the user has the maximum number of connections.
    pub(super) fn is_server_full(&self) -> bool {
        let Self::Login { problem, .. } = self else { return false };
        // ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED.
        matches!(**problem, client::Error::Server { code: 1040 | 1203 | 1226, .. })
    }
}

impl From<Error> for exporter_core::collector::Error {
    fn from(error: Error) -> Self {
        Self::Other(Box::new(error))
    }
}
