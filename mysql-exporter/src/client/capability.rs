//! The capability flags of the protocol that the client uses.

pub(super) const LONG_PASSWORD: u32 = 1;
pub(super) const LONG_FLAG: u32 = 1 << 2;
pub(super) const PROTOCOL_41: u32 = 1 << 9;
pub(super) const SSL: u32 = 1 << 11;
pub(super) const TRANSACTIONS: u32 = 1 << 13;
pub(super) const SECURE_CONNECTION: u32 = 1 << 15;
pub(super) const PLUGIN_AUTH: u32 = 1 << 19;
pub(super) const CONNECT_ATTRS: u32 = 1 << 20;
pub(super) const PLUGIN_AUTH_LENENC: u32 = 1 << 21;
pub(super) const DEPRECATE_EOF: u32 = 1 << 24;

/// The capabilities of the client. It supports no files (`LOCAL_FILES`), no compression, and only
/// one result set per statement.
pub(super) const CLIENT: u32 = LONG_PASSWORD
    | LONG_FLAG
    | PROTOCOL_41
    | SSL
    | TRANSACTIONS
    | SECURE_CONNECTION
    | PLUGIN_AUTH
    | CONNECT_ATTRS
    | PLUGIN_AUTH_LENENC
    | DEPRECATE_EOF;

/// The required capabilities of a server. All servers since MySQL 4.1 have them.
pub(super) const REQUIRED: u32 = PROTOCOL_41 | SECURE_CONNECTION;
