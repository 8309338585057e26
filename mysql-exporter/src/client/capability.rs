//! The protocol's capability flags, as far as the client uses them.

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

/// What the client can do. It takes no files (`LOCAL_FILES`), no compression, and one result set
/// for a statement.
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

/// What a server must be able to do: every one since MySQL 4.1 is.
pub(super) const REQUIRED: u32 = PROTOCOL_41 | SECURE_CONNECTION;
