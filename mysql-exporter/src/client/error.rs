//! Errors of the client.

use std::io;
use std::sync::Arc;

use exporter_core::redact::redacted;

#[cfg(feature = "rds-iam")]
use crate::rds_iam;

/// Why a login or a statement failed. No variant contains a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "it asks for the password in clear text, which is off: set enable-cleartext-plugin=1 if \
         that is intended"
    )]
    CleartextDisabled,
    #[error("it closed the connection")]
    Closed,
    #[error("cannot read {key} {}: {source}", redacted(path))]
    File { key: &'static str, path: String, source: io::Error },
    #[error("it asks for a file of this host, which is refused")]
    FileRequested,
    #[error("{0}")]
    Io(io::Error),
    #[error("{key} {}: {problem}", redacted(path))]
    Key { key: &'static str, path: String, problem: String },
    #[error("no response in {0} seconds")]
    Timeout(u64),
    #[error("it sent an invalid packet: {0}")]
    Malformed(&'static str),
    #[error("it has no TLS, but TLS is required: give it a certificate, or set ssl-mode=DISABLED")]
    NoTls,
    #[error(
        "it asks for the whole password on a connection that others can read ({plugin}): use a \
         socket, or TLS with the certificate verified (ssl-ca, ssl-mode=VERIFY_IDENTITY); or set \
         server-public-key-path to its key, or get-server-public-key=1 to trust any key that it \
         sends. Or the user does not exist: MySQL responds to unknown users in the same way, with \
         a plugin that it picks"
    )]
    PasswordExposed { plugin: &'static str },
    /// The text stays the same until the next attempt, so that it is logged once.
    #[error(
        "{0}; attempts are at least a minute apart, so that the server does not block this host"
    )]
    Paused(Arc<Self>),
    #[error("its RSA public key is not usable: {0}")]
    PublicKey(&'static str),
    #[error("ERROR {code}{}: {message}", state.as_ref().map(|s| format!(" ({s})")).unwrap_or_default())]
    Server { code: u16, state: Option<String>, message: String },
    #[error("TLS: {0}")]
    Tls(String),
    #[cfg(feature = "rds-iam")]
    #[error("rds-iam: {0}")]
    Token(#[from] rds_iam::Error),
    #[error("it sent more than {0}")]
    TooLarge(&'static str),
    #[error("{plugin}: {problem}")]
    Unsafe { plugin: &'static str, problem: &'static str },
    #[error(
        "the authentication plugin {0:?} is not supported: use caching_sha2_password, \
         sha256_password, mysql_native_password, ed25519 or parsec; or the user does not exist: \
         MySQL responds to unknown users in the same way, with a plugin that it picks"
    )]
    UnknownPlugin(String),
}

impl Error {
    /// Whether the connection cannot be used any more. Some errors of a server announce that it closes
    /// the connection.
    pub(crate) fn is_fatal(&self) -> bool {
        match self {
            Self::Server { code, .. } => matches!(code, 1053 | 1927 | 3169 | 4031),
            _ => true,
        }
    }

    /// Whether the connection was closed or broke, without a violation of the protocol.
    pub(crate) fn is_disconnect(&self) -> bool {
        match self {
            Self::Closed | Self::Io(_) => true,
            Self::Server { .. } => self.is_fatal(),
            _ => false,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_place_of_a_path_is_not_shown() {
        let body = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgev2Wcz4kQhCwT5P2";
        for path in [body.to_owned(), format!("-----BEGIN PRIVATE KEY-----{body}")] {
            let source = io::ErrorKind::NotFound.into();
            let error = Error::File { key: "ssl-key", path, source }.to_string();
            assert!(error.starts_with("cannot read ssl-key (not shown)"), "{error}");
        }
    }
}
