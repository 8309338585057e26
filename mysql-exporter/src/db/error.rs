//! Why a server has no answer.

use crate::client;

/// Why a server has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot log in to {address}: {problem}")]
    Login { address: String, problem: client::Error },
    #[error("{address} does not answer: {problem}")]
    Lost { address: String, problem: client::Error },
    #[error("{0}")]
    Statement(client::Error),
}

impl From<Error> for exporter_core::collector::Error {
    fn from(error: Error) -> Self {
        Self::Other(Box::new(error))
    }
}
