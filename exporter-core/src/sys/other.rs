//! Unix systems other than Linux: what POSIX has.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::SocketAddr;
use std::path::PathBuf;
use std::{env, io};

use rustix::net::sockopt::set_socket_send_buffer_size;

/// There is no systemd.
#[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
pub(crate) fn inherited(_: u16) -> io::Result<Vec<OwnedFd>> {
    Ok(Vec::new())
}

/// The file that the program was started from.
pub(crate) fn running_program() -> io::Result<PathBuf> {
    env::current_exe()
}

/// Only Linux has an abstract namespace.
pub(crate) fn abstract_address(_: &str) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Limits the unsent and unacknowledged data of each connection that the listener accepts to
/// `bytes`. How long it is kept when the peer acknowledges nothing is a setting of the system.
pub(crate) fn bound_unsent(listener: &impl AsFd, bytes: u32) -> io::Result<()> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    Ok(set_socket_send_buffer_size(listener, bytes)?)
}

/// Not every system maps these pages again with their content.
pub(crate) fn release_startup_pages() {}

/// The allocator has no such call.
pub(crate) fn release_free_memory() {}
