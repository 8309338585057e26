//! Errors of tokens.

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Error(pub(super) String);
