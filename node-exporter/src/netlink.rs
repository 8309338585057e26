//! Dumps of kernel tables over netlink: `Documentation/userspace-api/netlink`.
//!
//! Messages are in the byte order of the machine, padded to four bytes. The rest of a message after
//! a malformed part is ignored; other messages are not affected.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::time::Duration;

use exporter_core::collector::Error;
use rustix::io::Errno;
use rustix::net::netdevice::{self, InlinedName};
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

pub(crate) mod ethtool;
pub(crate) mod generic;
pub(crate) mod link;
pub(crate) mod nl80211;
pub(crate) mod qdisc;
pub(crate) mod route;
pub(crate) mod socket;

/// A netlink socket. It is opened by the first request, reused, and reopened after any error, so
/// that a late reply is not mistaken for the reply to the next request.
#[derive(Debug)]
pub(crate) struct Netlink {
    protocol: Option<Protocol>,
    socket: Option<OwnedFd>,
    sequence: u32,
    buffer: Vec<u8>,
}

/// A dump request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The name in error messages.
    pub(crate) name: &'static str,
    /// The type of the message.
    pub(crate) kind: u16,
    /// The payload after the header: a multiple of four bytes.
    pub(crate) body: &'a [u8],
}

/// The maximum size of a packet of a dump.
const MAX_PACKET_LENGTH: usize = 32 << 10;
/// The time limit of a reply. The kernel replies at once or not at all.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The number of attempts to read a table that changes while it is read.
const MAX_ATTEMPTS: usize = 3;

const HEADER_LENGTH: usize = 16;
const FLAGS: u16 = 0x301; // NLM_F_REQUEST | NLM_F_DUMP
const INTERRUPTED: u16 = 0x10;
const NOOP: u16 = 1;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const OVERRUN: u16 = 4;

impl Netlink {
    /// Links, addresses, neighbours.
    pub(crate) const fn route() -> Self {
        Self::new(None)
    }

    /// Generic netlink families, such as ethtool.
    pub(crate) const fn generic() -> Self {
        Self::new(Some(netlink::GENERIC))
    }

    /// Sockets.
    pub(crate) const fn sock_diag() -> Self {
        Self::new(Some(netlink::SOCK_DIAG))
    }

    const fn new(protocol: Option<Protocol>) -> Self {
        Self { protocol, socket: None, sequence: 0, buffer: Vec::new() }
    }

    /// Reads a table. Calls `each` with the payload of every entry. If the table changes during the
    /// dump, the dump is repeated with a new `T`.
    pub(crate) fn dump<T: Default>(
        &mut self,
        request: Request<'_>,
        mut each: impl FnMut(&mut T, &[u8]),
    ) -> Result<T, Error> {
        let mut table = T::default();
        for _ in 0..MAX_ATTEMPTS {
            table = T::default();
            match self.try_dump(request, &mut |entry| each(&mut table, entry)) {
                Ok(DumpStatus::Complete) => break,
                // After the last attempt, an inconsistent table is better than none.
                Ok(DumpStatus::Interrupted) => {}
                Err(source) => {
                    self.socket = None;
                    return Err(Error::System { call: request.name, source });
                }
            }
        }
        Ok(table)
    }

    /// The name of an interface, or `None` if it has been removed.
    pub(crate) fn interface(&mut self, index: u32) -> Option<InlinedName> {
        let socket = connect(&mut self.socket, self.protocol).ok()?;
        netdevice::index_to_name_inlined(socket, index).ok()
    }

    fn try_dump(
        &mut self,
        request: Request<'_>,
        each: &mut dyn FnMut(&[u8]),
    ) -> io::Result<DumpStatus> {
        self.sequence = self.sequence.wrapping_add(1);
        let socket = connect(&mut self.socket, self.protocol)?;
        send(socket, request, self.sequence)?;
        self.buffer.reserve(MAX_PACKET_LENGTH);
        let mut status = DumpStatus::Complete;
        loop {
            self.buffer.clear();
            let length = receive(socket, &mut self.buffer)?;
            if length > self.buffer.len() {
                return Err(io::Error::new(ErrorKind::InvalidData, "a packet that is too long"));
            }
            for message in Messages(&self.buffer) {
                if message.sequence != self.sequence {
                    continue;
                }
                if message.flags & INTERRUPTED != 0 {
                    status = DumpStatus::Interrupted;
                }
                match message.kind {
                    NOOP => {}
                    ERROR | DONE => return result_of(message.body).map(|()| status),
                    OVERRUN => return Err(Errno::NOBUFS.into()),
                    _ => each(message.body),
                }
            }
        }
    }
}

enum DumpStatus {
    Complete,
    /// The table changed during the dump: entries may be missing or duplicate.
    Interrupted,
}

fn connect(socket: &mut Option<OwnedFd>, protocol: Option<Protocol>) -> io::Result<&OwnedFd> {
    if let Some(socket) = socket {
        return Ok(socket);
    }
    let family = AddressFamily::NETLINK;
    let opened = rustix::net::socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
    sockopt::set_socket_timeout(&opened, Timeout::Recv, Some(TIMEOUT))?;
    // Connected to the kernel, so that messages from other processes are not received.
    rustix::net::connect(&opened, &SocketAddrNetlink::new(0, 0))?;
    Ok(socket.insert(opened))
}

fn send(socket: &OwnedFd, request: Request<'_>, sequence: u32) -> io::Result<()> {
    let length = u32::try_from(HEADER_LENGTH + request.body.len()).unwrap_or(u32::MAX);
    let mut message = Vec::with_capacity(HEADER_LENGTH + request.body.len());
    message.extend_from_slice(&length.to_ne_bytes());
    message.extend_from_slice(&request.kind.to_ne_bytes());
    message.extend_from_slice(&FLAGS.to_ne_bytes());
    message.extend_from_slice(&sequence.to_ne_bytes());
    message.extend_from_slice(&[0; 4]); // our port
    message.extend_from_slice(request.body);
    rustix::io::retry_on_intr(|| rustix::net::send(socket, &message, SendFlags::empty()))?;
    Ok(())
}

/// Receives a packet into an empty buffer. Returns the length of the packet, which is larger than
/// the buffer if it did not fit.
fn receive(socket: &OwnedFd, buffer: &mut Vec<u8>) -> io::Result<usize> {
    loop {
        let spare = rustix::buffer::spare_capacity(buffer);
        match rustix::net::recv(socket, spare, RecvFlags::TRUNC) {
            Ok((_, 0)) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok((_, length)) => return Ok(length),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let problem = format!("no reply within {} s", TIMEOUT.as_secs());
                return Err(io::Error::new(ErrorKind::TimedOut, problem));
            }
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The result of a request: a negative error number, or 0. Old kernels send an empty body.
fn result_of(body: &[u8]) -> io::Result<()> {
    let status = body.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
    if status < 0 { Err(io::Error::from_raw_os_error(status.saturating_neg())) } else { Ok(()) }
}

/// The messages of a packet.
struct Messages<'a>(&'a [u8]);

struct Message<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    body: &'a [u8],
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let length = read_u32(self.0)?.try_into().ok()?;
        let message = Message {
            kind: read_u16(self.0.get(4..)?)?,
            flags: read_u16(self.0.get(6..)?)?,
            sequence: read_u32(self.0.get(8..)?)?,
            body: self.0.get(HEADER_LENGTH..length)?,
        };
        self.0 = skip_padded(self.0, length);
        Some(message)
    }
}

/// The attributes of a message or of a nested attribute, with their types.
#[derive(Clone, Debug)]
pub(crate) struct Attributes<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const FLAGS: u16 = 0xc000; // nested, in network byte order
        let length = read_u16(self.0)?.into();
        let kind = read_u16(self.0.get(2..)?)? & !FLAGS;
        let value = self.0.get(4..length)?;
        self.0 = skip_padded(self.0, length);
        Some((kind, value))
    }
}

/// The bytes after `length` bytes and their padding.
fn skip_padded(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(length.next_multiple_of(4)..).unwrap_or_default()
}

/// The first four bytes as a number.
pub(crate) fn read_u32(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

/// The first two bytes as a number.
pub(crate) fn read_u16(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
}

/// The text before the first NUL byte. U+FFFD replaces invalid UTF-8.
pub(crate) fn c_string(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests;
