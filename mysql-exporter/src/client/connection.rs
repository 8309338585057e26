//! An authenticated connection: sends statements, and reads their result sets.

use futures_util::FutureExt;

use super::error::Error;
use super::error_packet;
use super::packet::{MAX_STATUS_PACKET, PacketStream};
use super::result_set::{self, ResultSet};

/// An authenticated connection.
///
/// A call that is dropped before it completes leaves the connection in the middle of a response; the
/// connection must not be used again.
#[derive(Debug)]
pub(crate) struct Connection {
    packets: PacketStream,
    /// Whether result sets end with an OK packet, and have no EOF packet before their rows.
    deprecate_eof: bool,
    /// Whether the response to a command was not read completely.
    has_unread_response: bool,
    /// The version in the greeting.
    version: String,
}

/// The commands that the client sends.
mod command {
    pub(super) const QUIT: u8 = 1;
    pub(super) const QUERY: u8 = 3;
    pub(super) const PING: u8 = 14;
}

impl Connection {
    pub(super) fn new(packets: PacketStream, deprecate_eof: bool, version: String) -> Self {
        Self { packets, deprecate_eof, has_unread_response: false, version }
    }

    /// The version in the server's greeting, which a proxy may have replaced.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Runs one statement.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<ResultSet, Error> {
        self.has_unread_response = true;
        self.packets.send_command(command::QUERY, sql.as_bytes()).await?;
        let result = result_set::read(&mut self.packets, self.deprecate_eof).await;
        self.has_unread_response = result.as_ref().is_err_and(Error::is_fatal);
        result
    }

    /// Checks that the server responds.
    pub(crate) async fn ping(&mut self) -> Result<(), Error> {
        self.has_unread_response = true;
        self.packets.send_command(command::PING, &[]).await?;
        let packet = self.packets.read(MAX_STATUS_PACKET).await?;
        self.has_unread_response = false;
        match packet.first() {
            Some(0x00) => Ok(()),
            Some(0xff) => Err(error_packet::parse(&packet)),
            _ => Err(Error::Malformed("the response to a ping")),
        }
    }
}

impl Drop for Connection {
    /// Sends `COM_QUIT`: a server counts connections that close without it as aborted.
    fn drop(&mut self) {
        if !self.has_unread_response {
            // If the packet does not fit into the socket's buffer, the server counts an abort.
            let _ = self.packets.send_command(command::QUIT, &[]).now_or_never();
        }
    }
}
