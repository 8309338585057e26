//! The transport of packets: TCP or a Unix socket, and TLS over TCP.

use std::fmt::Debug;
use std::io;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::address::Address;

/// Bytes in both directions.
pub(crate) type Transport = Box<dyn Bytes>;

pub(crate) trait Bytes: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Bytes for T {}

/// Who can read the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransportSecurity {
    /// Anyone on the network.
    Plain,
    /// A Unix socket: only the server.
    Socket,
    /// The peer, which need not be the server.
    UnverifiedTls,
    /// Only the server, whose certificate was verified.
    VerifiedTls,
}

/// The time after which a dead connection is detected, for example if a firewall has dropped it.
const KEEPALIVE: Duration = Duration::from_secs(60);

pub(super) async fn connect(address: &Address) -> io::Result<Transport> {
    match address {
        Address::Unix { path } => Ok(Box::new(UnixStream::connect(path).await?)),
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            sockopt::set_socket_keepalive(&stream, true)?;
            sockopt::set_tcp_keepidle(&stream, KEEPALIVE)?;
            Ok(Box::new(stream))
        }
    }
}
