//! A client of the MySQL protocol, with what an exporter needs of it: it logs in, sends statements
//! and reads their result sets as text.
//!
//! It does not trust the server. Every length and count is checked against the packet it is in, and
//! against a limit, before memory is taken for it. The server never gets a file, and it gets the
//! password only where nobody else can read it. See `docs/adr/0012-a-mysql-client-of-our-own.md`.

mod auth;
mod capability;
mod error;
mod greeting;
mod login;
mod packet;
mod payload;
mod result_set;
mod tls;
mod transport;

use futures_util::FutureExt;

pub(crate) use self::error::Error;
pub(crate) use self::login::Greeted;
use self::packet::PacketStream;
pub(crate) use self::result_set::{ResultSet, Row};
#[cfg(test)]
use crate::config::Login;

/// A connection that is logged in.
///
/// A call that is dropped before it is done leaves the connection in the middle of an answer: it
/// must not be used again.
#[derive(Debug)]
pub(crate) struct Connection {
    packets: PacketStream,
    /// Whether result sets end with an OK packet, without an EOF packet before their rows.
    deprecate_eof: bool,
    /// Whether a command was sent whose answer is not read to its end.
    pending: bool,
    /// The version in the greeting.
    version: String,
}

/// The commands that the client sends.
mod command {
    pub(super) const QUIT: u8 = 1;
    pub(super) const QUERY: u8 = 3;
    pub(super) const PING: u8 = 14;
}

/// The largest packet that ends a command without a result set.
const STATUS_LIMIT: usize = 64 << 10;

impl Connection {
    /// Logs in over a transport that a test made.
    #[cfg(test)]
    pub(crate) async fn over(
        transport: transport::Transport,
        login: &Login,
    ) -> Result<Self, Error> {
        let password = login::password(login).await?;
        Greeted::over(transport, None, password).await?.log_in(login).await
    }

    /// The server's version, as it was before the login. A proxy may have made it up.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Runs one statement.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<ResultSet, Error> {
        self.pending = true;
        self.packets.start(command::QUERY, sql.as_bytes()).await?;
        let answer = result_set::read(&mut self.packets, self.deprecate_eof).await;
        self.pending = answer.as_ref().is_err_and(Error::is_fatal);
        answer
    }

    /// Waits for the server to answer.
    pub(crate) async fn ping(&mut self) -> Result<(), Error> {
        self.pending = true;
        self.packets.start(command::PING, &[]).await?;
        let packet = self.packets.read(STATUS_LIMIT).await?;
        self.pending = false;
        match packet.first() {
            Some(0x00) => Ok(()),
            Some(0xff) => Err(Error::from_packet(&packet)),
            _ => Err(Error::Malformed("the answer to a ping")),
        }
    }
}

impl Drop for Connection {
    /// Tells the server that the connection ends: it counts one that just closes as aborted.
    fn drop(&mut self) {
        if !self.pending {
            // The packet fits into the socket's buffer. If it does not, the server counts.
            let _ = self.packets.start(command::QUIT, &[]).now_or_never();
        }
    }
}
