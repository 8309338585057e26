//! A client of the MySQL protocol with the features that an exporter needs: it logs in, sends
//! statements, and reads result sets as text.
//!
//! It does not trust the server. Every length and count is checked against the packet that contains
//! it, and against a limit, before memory is allocated for it. The client never sends a file, and sends
//! the password only if nobody but the server can read it. See
//! `docs/adr/0012-a-mysql-client-of-our-own.md`.

mod auth;
mod blocking;
mod capability;
mod connection;
mod error;
mod error_packet;
mod greeting;
mod login;
mod packet;
mod password;
mod payload;
mod result_set;
mod tls;
mod transport;

pub(crate) use self::connection::Connection;
pub(crate) use self::error::Error;
pub(crate) use self::login::UnauthenticatedConnection;
#[cfg(test)]
pub(crate) use self::login::log_in_over;
pub(crate) use self::result_set::{ResultSet, Row};
