//! What packets travel over: TCP or a Unix socket, and TLS on top of TCP.

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

/// Who can read what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// Anybody on the way.
    Plain,
    /// A Unix socket: nobody but the server.
    Socket,
    /// Whoever answered, which need not be the server.
    UnverifiedTls,
    /// Nobody but the server, whose certificate was verified.
    VerifiedTls,
}

/// A connection that a firewall has forgotten is found out after about this long.
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
