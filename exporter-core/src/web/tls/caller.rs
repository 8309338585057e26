//! Who is at the other end of a connection, as far as TLS tells.

/// A client whose handshake was completed and admitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// What its certificate calls it: the first of its alternative names, else its subject.
    /// `None` without a certificate. Proven only where the configuration verifies certificates.
    pub(crate) name: Option<String>,
}
