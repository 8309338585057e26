//! The reasons why a handshake fails: the `reason` label of the counter, and of the log.

use std::io;

use rustls::{CertificateError, Error, PeerIncompatible};

/// The reason why a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub(crate) enum Rejection {
    /// Any other problem of the certificate: damaged, for another usage, with an invalid signature.
    BadCertificate,
    /// The client sent an alert, most often about the certificate of the server.
    ClientRefused,
    Expired,
    NoCertificate,
    NoSharedParameters,
    NotTls,
    NotYetValid,
    Other,
    PlainHttp,
    ProtocolVersion,
    Reset,
    /// The revocation list is out of date, or not from the authority of the certificate.
    RevocationUnknown,
    Revoked,
    SanNotAllowed,
    Timeout,
    UnknownCa,
}

impl Rejection {
    /// All reasons.
    pub(crate) const ALL: [Self; 16] = [
        Self::BadCertificate,
        Self::ClientRefused,
        Self::Expired,
        Self::NoCertificate,
        Self::NoSharedParameters,
        Self::NotTls,
        Self::NotYetValid,
        Self::Other,
        Self::PlainHttp,
        Self::ProtocolVersion,
        Self::Reset,
        Self::RevocationUnknown,
        Self::Revoked,
        Self::SanNotAllowed,
        Self::Timeout,
        Self::UnknownCa,
    ];

    /// The reason of an error from the TLS acceptor.
    pub(crate) fn of(error: &io::Error) -> Self {
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            return Self::of_tls(error);
        }
        match error.kind() {
            io::ErrorKind::TimedOut => Self::Timeout,
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::NotConnected
            | io::ErrorKind::UnexpectedEof => Self::Reset,
            _ => Self::Other,
        }
    }

    pub(crate) fn of_tls(error: &Error) -> Self {
        match error {
            Error::NoCertificatesPresented => Self::NoCertificate,
            Error::InvalidCertificate(error) => Self::of_certificate(error),
            Error::InvalidCertRevocationList(_) => Self::RevocationUnknown,
            Error::AlertReceived(_) => Self::ClientRefused,
            Error::InvalidMessage(_) => Self::NotTls,
            Error::NoApplicationProtocol => Self::NoSharedParameters,
            Error::PeerIncompatible(error) => match error {
                // The first is missing from every hello older than TLS 1.2.
                PeerIncompatible::SignatureAlgorithmsExtensionRequired
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::SupportedVersionsExtensionRequired
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled
                | PeerIncompatible::Tls13RequiredForQuic => Self::ProtocolVersion,
                _ => Self::NoSharedParameters,
            },
            _ => Self::Other,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::SanNotAllowed
            }
            CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. }
            | CertificateError::UnknownRevocationStatus => Self::RevocationUnknown,
            CertificateError::Revoked => Self::Revoked,
            CertificateError::UnknownIssuer => Self::UnknownCa,
            _ => Self::BadCertificate,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BadCertificate => "bad_certificate",
            Self::ClientRefused => "client_refused",
            Self::Expired => "expired",
            Self::NoCertificate => "no_certificate",
            Self::NoSharedParameters => "no_shared_parameters",
            Self::NotTls => "not_tls",
            Self::NotYetValid => "not_yet_valid",
            Self::Other => "other",
            Self::PlainHttp => "plain_http",
            Self::ProtocolVersion => "protocol_version",
            Self::Reset => "reset",
            Self::RevocationUnknown => "revocation_unknown",
            Self::Revoked => "revoked",
            Self::SanNotAllowed => "san_not_allowed",
            Self::Timeout => "timeout",
            Self::UnknownCa => "unknown_ca",
        }
    }
}
