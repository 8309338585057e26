//! Operations without a safe API in std: sockets opened before the program started, and the
//! allocator.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::sockopt::socket_acceptconn;

/// The first descriptor that systemd passes on.
const FIRST: RawFd = 3;

/// Takes the `count` listening sockets that systemd passed to this process. Only the first call
/// returns them.
#[expect(unsafe_code, reason = "a descriptor that is only known by its number has no owner yet")]
pub(crate) fn inherited(count: u16) -> io::Result<Vec<OwnedFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    let numbers = FIRST..FIRST + RawFd::from(count);
    for number in numbers.clone() {
        // SAFETY: the borrow ends here, and the descriptor is only queried. If it is not open, the
        // kernel returns an error.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        if !socket_acceptconn(fd)? {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a listening socket"));
        }
        // Child processes must not inherit them.
        fcntl_setfd(fd, FdFlags::CLOEXEC)?;
    }
    // SAFETY: systemd made these for this process, which it named in LISTEN_PID, nothing in the
    // process has made a listening socket before, and nothing can take them twice.
    Ok(numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) }).collect())
}

/// Returns free memory between allocations to the system.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the allocator is only reachable through its C interface")]
pub(crate) fn release_free_memory() {
    // SAFETY: it takes the allocator's own locks, changes nothing that is in use, and has no
    // preconditions.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators have no such call.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn release_free_memory() {}
