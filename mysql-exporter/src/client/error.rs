//! Why a server cannot be asked.

use std::io;
use std::sync::Arc;

use exporter_core::redact::redacted;

use super::payload::Payload;

/// Why a login or a statement failed. No variant holds a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "it asks for the password in clear text, and that is off: set enable-cleartext-plugin=1 \
         if it is meant to"
    )]
    CleartextDisabled,
    #[error("it closed the connection")]
    Closed,
    #[error("cannot read {key} {}: {source}", redacted(path))]
    File { key: &'static str, path: String, source: io::Error },
    #[error("it asks for a file of this host, and does not get it")]
    FileRequested,
    #[error("{0}")]
    Io(io::Error),
    #[error("{key} {}: {problem}", redacted(path))]
    Key { key: &'static str, path: String, problem: String },
    #[error("no answer in {0} seconds")]
    Late(u64),
    #[error("it sent a packet that is not valid: {0}")]
    Malformed(&'static str),
    #[error("it has no TLS, but TLS is required: give it a certificate, or set ssl-mode=DISABLED")]
    NoTls,
    #[error(
        "it asks for the whole password on a connection that others could read ({plugin}): use a \
         socket, or TLS with the certificate verified (ssl-ca, ssl-mode=VERIFY_IDENTITY); or set \
         server-public-key-path to its key, or get-server-public-key=1 to trust whatever key it \
         sends. Or the user does not exist: MySQL asks unknown users in the same way, for a plugin \
         that it picks"
    )]
    PasswordExposed { plugin: &'static str },
    /// The text is the same until the next attempt: the log has it once.
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
    Token(String),
    #[error("it sent more than {0}")]
    TooLarge(&'static str),
    #[error("{plugin}: {problem}")]
    Unsafe { plugin: &'static str, problem: &'static str },
    #[error(
        "the authentication plugin {0:?} is not supported: use caching_sha2_password, \
         sha256_password, mysql_native_password, ed25519 or parsec; or the user does not exist: \
         MySQL asks unknown users in the same way, for a plugin that it picks"
    )]
    UnknownPlugin(String),
}

/// The longest message of a server that is shown.
const MESSAGE: usize = 512;

impl Error {
    /// Reads an ERR packet.
    pub(super) fn from_packet(packet: &[u8]) -> Self {
        Self::parse(packet).unwrap_or(Self::Malformed("an error"))
    }

    fn parse(packet: &[u8]) -> Result<Self, Self> {
        let mut payload = Payload::new(packet);
        payload.u8()?;
        let code = payload.u16()?;
        // Before the login there is no state.
        let state = match payload.rest().first() {
            Some(b'#') => {
                let [_, state @ ..] = payload.array::<6>()?;
                Some(String::from_utf8_lossy(&state).into_owned())
            }
            _ => None,
        };
        let message = String::from_utf8_lossy(payload.rest()).chars().take(MESSAGE).collect();
        Ok(Self::Server { code, state, message })
    }

    /// Whether the connection is of no more use. A server says that of one that it closes, in an
    /// error of its own.
    pub(crate) fn is_fatal(&self) -> bool {
        match self {
            Self::Server { code, .. } => matches!(code, 1053 | 1927 | 3169 | 4031),
            _ => true,
        }
    }

    /// Whether the connection ended, for whatever reason, without the server at fault.
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
    fn a_key_in_the_place_of_its_file_is_not_shown() {
        let body = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgev2Wcz4kQhCwT5P2";
        for path in [body.to_owned(), format!("-----BEGIN PRIVATE KEY-----{body}")] {
            let source = io::ErrorKind::NotFound.into();
            let error = Error::File { key: "ssl-key", path, source }.to_string();
            assert!(error.starts_with("cannot read ssl-key (not shown)"), "{error}");
        }
    }

    #[test]
    fn errors_are_read() {
        let long = [&b"\xff\x01\0"[..], &[b'x'; 5000]].concat();
        for (packet, text) in [
            (&b"\xff\x15\x04#28000Access denied"[..], "ERROR 1045 (28000): Access denied"),
            (b"\xff\x69\x04Host is blocked", "ERROR 1129: Host is blocked"),
            (b"\xff\x69", "it sent a packet that is not valid: an error"),
            (b"\xff\x15\x04#28", "it sent a packet that is not valid: an error"),
            (&long, &format!("ERROR 1: {}", "x".repeat(512))),
        ] {
            assert_eq!(Error::from_packet(packet).to_string(), text);
        }
    }
}
