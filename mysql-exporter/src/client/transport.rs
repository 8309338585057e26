//! The transport of packets: TCP or a Unix socket, and TLS over TCP.

use std::fmt::Debug;
use std::io;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::address::Address;

/// A byte stream in both directions.
pub(crate) type Transport = Box<dyn ByteStream>;

pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> ByteStream for T {}

/// Who can read what the client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransportSecurity {
    /// Anyone on the network.
    Plain,
    /// Only the server, over a Unix socket.
    UnixSocket,
    /// The peer, which is not necessarily the server.
    UnverifiedTls,
    /// Only the server, whose certificate was verified.
    VerifiedTls,
}

/// The idle time before the first keepalive probe. Keepalive detects dead connections, for example
/// ones that a firewall has dropped.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);

pub(super) async fn connect(address: &Address) -> io::Result<Transport> {
    match address {
        Address::Unix { path } => Ok(Box::new(UnixStream::connect(path).await?)),
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            sockopt::set_socket_keepalive(&stream, true)?;
            sockopt::set_tcp_keepidle(&stream, KEEPALIVE_IDLE)?;
            Ok(Box::new(stream))
        }
    }
}
