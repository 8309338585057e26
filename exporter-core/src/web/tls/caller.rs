//! The identity of a client.

/// A client whose handshake was completed and accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The first alternative name of its certificate, else the subject. `None` without a
    /// certificate.
    pub(crate) name: Option<String>,
    /// Whether the configuration verifies certificates: otherwise the client may claim any name.
    pub(crate) is_verified: bool,
}

impl Caller {
    pub(crate) fn verified_name(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| self.is_verified)
    }
}
