//! The identity of a client.

/// A client whose handshake was completed and accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The first alternative name of its certificate, else the subject. `None` without a
    /// certificate. Verified only if the configuration verifies certificates.
    pub(crate) name: Option<String>,
}
