//! Listening sockets: TCP, Unix, and those passed by systemd.

use std::fmt::{self, Display, Formatter};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{env, fs, io, net, process};

use rustix::io::Errno;
use rustix::net::{SocketType, sockopt};
use socket2::{Domain, SockAddr, SockRef, Type};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::client_address::Peer;
use super::socket::Socket;
use crate::sys;

/// An address of `--web.listen-address`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    /// `:9100`, on every address of the machine, or `host:9100`.
    Tcp { host: String, port: u16 },
    /// `unix:/run/exporter.sock`, with the mode of the file in `unix:/run/exporter.sock,mode=0660`.
    Unix { path: PathBuf, mode: Option<u32> },
}

/// Why a socket cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address has another form.
    #[error(
        "--web.listen-address: invalid address {0:?}; \
         expected :9100, host:9100, [::1]:9100 or unix:/path"
    )]
    Address(String),
    /// A socket that systemd passed is not a listening stream socket.
    #[error("cannot use the sockets that systemd opened")]
    Adopt(#[source] io::Error),
    /// The address, and why it is not available.
    #[error("cannot listen on {0}")]
    Bind(String, #[source] io::Error),
    /// systemd passed no sockets.
    #[error(
        "no socket activation file descriptors found: --web.systemd-socket needs a .socket unit"
    )]
    NotActivated,
}

impl FromStr for Address {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let address = match text.strip_prefix("unix:") {
            Some(rest) => unix(rest),
            None => tcp(text),
        };
        address.ok_or_else(|| ListenError::Address(text.to_owned()))
    }
}

fn unix(rest: &str) -> Option<Address> {
    let (path, mode) = match rest.rsplit_once(",mode=") {
        Some((path, mode)) => {
            let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o777)?;
            (path, Some(mode))
        }
        None => (rest, None),
    };
    path.starts_with('/').then(|| Address::Unix { path: path.into(), mode })
}

fn tcp(text: &str) -> Option<Address> {
    let (host, port) = text.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        // Two colons without brackets: the port is ambiguous.
        None if host.contains(':') => return None,
        None => host,
    };
    Some(Address::Tcp { host: host.to_owned(), port: port.parse().ok()? })
}

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: ListeningSocket,
    /// A socket file, which is removed with the listener.
    file: Option<PathBuf>,
}

#[derive(Debug)]
enum ListeningSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The receive buffer in bytes; the kernel doubles it.
const RECEIVE_BUFFER: u32 = 32 * 1024;
/// The send buffer in bytes: what the kernel stores of a response that the client does not read.
/// Without a limit, these buffers of all connections count as memory of the service, and could be
/// megabytes each.
const UNSENT_BUFFER: u32 = 128 * 1024;

/// The maximum backlog that the kernel allows by default.
const BACKLOG: u32 = 4096;

impl Listener {
    /// Opens all of these addresses, in the form of `--web.listen-address`. Must be called within
    /// the runtime; resolves names, which may block.
    pub fn bind(addresses: &[String]) -> Result<Vec<Self>, ListenError> {
        let bind = |text: &String| {
            let failed = |error| ListenError::Bind(text.clone(), error);
            match text.parse()? {
                Address::Tcp { host, port } => {
                    let socket = ListeningSocket::Tcp(bind_tcp(&host, port).map_err(failed)?);
                    Ok(Self { socket, file: None })
                }
                Address::Unix { path, mode } => {
                    let socket = ListeningSocket::Unix(bind_unix(&path, mode).map_err(failed)?);
                    Ok(Self { socket, file: Some(path) })
                }
            }
        };
        addresses.iter().map(bind).collect()
    }

    /// Wraps a TCP socket that is open already. Must be called within the runtime.
    pub fn from_tcp(socket: net::TcpListener) -> io::Result<Self> {
        Self::adopt(socket.into())
    }

    /// Wraps a Unix socket that is open already. Must be called within the runtime.
    pub fn from_unix(socket: StdUnixListener) -> io::Result<Self> {
        Self::adopt(socket.into())
    }

    /// Opens the first free port of a range, for several processes of one program on a machine. Must
    /// be called within the runtime; resolves a name, which may block.
    pub fn bind_first_free(host: &str, ports: RangeInclusive<u16>) -> Result<Self, ListenError> {
        let range = format!("{host}:{}-{}", ports.start(), ports.end());
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the range of ports is empty");
        for port in ports {
            match bind_tcp(host, port) {
                Ok(socket) => return Ok(Self { socket: ListeningSocket::Tcp(socket), file: None }),
                Err(error) => last = error,
            }
        }
        Err(ListenError::Bind(range, last))
    }

    /// The sockets that systemd opened for this process. Only the first call returns them.
    pub fn from_systemd() -> Result<Vec<Self>, ListenError> {
        let sockets = sys::take_inherited_sockets(systemd_sockets()).map_err(ListenError::Adopt)?;
        let listeners = sockets.into_iter().map(Self::adopt).collect::<Result<Vec<_>, _>>();
        let listeners = listeners.map_err(ListenError::Adopt)?;
        if listeners.is_empty() { Err(ListenError::NotActivated) } else { Ok(listeners) }
    }

    /// Whether systemd passed sockets to this process.
    pub(crate) fn has_systemd_sockets() -> bool {
        systemd_sockets() > 0
    }

    fn adopt(fd: OwnedFd) -> io::Result<Self> {
        if sockopt::socket_type(&fd)? != SocketType::STREAM {
            return Err(io::Error::other("not a stream socket"));
        }
        let socket = match SockRef::from(&fd).local_addr()?.domain() {
            Domain::UNIX => {
                let listener = StdUnixListener::from(fd);
                listener.set_nonblocking(true)?;
                ListeningSocket::Unix(UnixListener::from_std(listener)?)
            }
            Domain::IPV4 | Domain::IPV6 => {
                let listener = net::TcpListener::from(fd);
                listener.set_nonblocking(true)?;
                sys::limit_unsent_data(&listener, UNSENT_BUFFER)?;
                ListeningSocket::Tcp(TcpListener::from_std(listener)?)
            }
            _ => {
                return Err(io::Error::other("neither an IP nor a Unix socket"));
            }
        };
        Ok(Self { socket, file: None })
    }

    pub(super) async fn accept(&self) -> io::Result<(Socket, Peer)> {
        match &self.socket {
            ListeningSocket::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // A response is written at once; Nagle's algorithm would only delay it.
                let _ = stream.set_nodelay(true);
                Ok((Socket::Tcp(stream), Peer::Ip(address.ip().to_canonical())))
            }
            ListeningSocket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let uid = stream.peer_cred().ok().map(|credentials| credentials.uid());
                Ok((Socket::Unix(stream), Peer::Unix { uid }))
            }
        }
    }

    /// The TCP address, with the port that the system chose for port 0.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.socket {
            ListeningSocket::Tcp(listener) => listener.local_addr().ok(),
            ListeningSocket::Unix(_) => None,
        }
    }
}

impl Display for Listener {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.socket {
            ListeningSocket::Tcp(listener) => match listener.local_addr() {
                Ok(address) => write!(f, "{address}"),
                Err(_) => f.write_str("tcp"),
            },
            ListeningSocket::Unix(listener) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                write!(f, "unix:{}", path.unwrap_or(Path::new("")).display())
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(path) = &self.file {
            let _ = fs::remove_file(path);
        }
    }
}

/// The number of sockets that systemd passed to this process.
fn systemd_sockets() -> u16 {
    let number = |name| env::var(name).ok()?.parse::<u32>().ok();
    if number("LISTEN_PID") != Some(process::id()) {
        return 0;
    }
    number("LISTEN_FDS").and_then(|count| u16::try_from(count).ok()).unwrap_or(0)
}

fn bind_tcp(host: &str, port: u16) -> io::Result<TcpListener> {
    if host.is_empty() {
        // One socket for both families, unless the kernel lacks IPv6.
        return listen(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).or_else(
            |error| match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => {
                    listen(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
                }
                _ => Err(error),
            },
        );
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    // IPv4 first, as in Go.
    let mut addresses: Vec<_> = (host, port).to_socket_addrs()?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    for address in addresses {
        match listen(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    socket.set_reuseaddr(true)?;
    if address.is_ipv6() {
        // `[::]` means every address, regardless of net.ipv6.bindv6only.
        sockopt::set_ipv6_v6only(&socket, !address.ip().is_unspecified())?;
    }
    // Requests are small; the kernel need not keep more of what is not read yet.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    sys::limit_unsent_data(&socket, UNSENT_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn bind_unix(path: &Path, mode: Option<u32>) -> io::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file, no socket"));
        }
        Ok(_) if is_in_use(path)? => return Err(io::ErrorKind::AddrInUse.into()),
        Ok(_) => fs::remove_file(path)?,
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    if let Some(mode) = mode {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    Ok(listener)
}

/// Whether a server listens on the socket at `path`. Does not wait for an accept: a server with a
/// full queue listens, too; only Linux can tell it from one that is gone.
fn is_in_use(path: &Path) -> io::Result<bool> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let refused = socket.connect(&SockAddr::unix(path)?).err().map(|error| error.kind());
    // Connected, or unknown: the file is not replaced.
    Ok(!matches!(refused, Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)))
}
