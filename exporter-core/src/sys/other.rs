//! Unix systems other than Linux. Uses only POSIX.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::SocketAddr;
use std::path::PathBuf;
use std::{env, io};

use rustix::net::sockopt::set_socket_send_buffer_size;

/// There is no systemd.
#[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
pub(crate) fn take_inherited_sockets(_: u16) -> io::Result<Vec<OwnedFd>> {
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

/// Limits the unsent and unacknowledged data of each accepted connection to `bytes`. The time that
/// unacknowledged data is kept is a setting of the system.
pub(crate) fn limit_unsent_data(listener: &impl AsFd, bytes: u32) -> io::Result<()> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    Ok(set_socket_send_buffer_size(listener, bytes)?)
}

/// Does nothing: not every system maps released pages again with their content.
pub(crate) fn release_startup_pages() {}

/// Does nothing: the allocators have no such call.
pub(crate) fn release_free_memory() {}
