//! Linux. Contains all unsafe code of the crate: std has no safe API for inherited sockets, the
//! allocator, and the pages of the program.

use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::sockopt::{set_tcp_user_timeout, socket_acceptconn};
use socket2::SockRef;

/// The first descriptor that systemd passes: `SD_LISTEN_FDS_START`.
const LISTEN_FDS_START: RawFd = 3;

/// Takes the `count` listening sockets that systemd passed to this process. Only the first call
/// returns them.
#[expect(unsafe_code, reason = "a descriptor that is only known by its number has no owner yet")]
pub(crate) fn take_inherited_sockets(count: u16) -> io::Result<Vec<OwnedFd>> {
    static IS_TAKEN: AtomicBool = AtomicBool::new(false);
    if IS_TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    let numbers = LISTEN_FDS_START..LISTEN_FDS_START + RawFd::from(count);
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

/// The program that is running, even if its file was replaced or moved.
#[expect(clippy::unnecessary_wraps, reason = "other systems may not know it")]
pub(crate) fn running_program() -> io::Result<PathBuf> {
    Ok("/proc/self/exe".into())
}

/// A Unix address in the abstract namespace.
pub(crate) fn abstract_address(name: &str) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}

/// The time after which the kernel closes a connection whose peer does not acknowledge data.
const UNACKNOWLEDGED_MILLISECONDS: u32 = 60_000;

/// Limits the unsent data of each accepted connection to `bytes`, and the time that the kernel
/// keeps data that the peer does not acknowledge, even after the connection was closed.
pub(crate) fn limit_unsent_data(listener: &impl AsFd, bytes: u32) -> io::Result<()> {
    SockRef::from(listener).set_tcp_notsent_lowat(bytes)?;
    set_tcp_user_timeout(listener, UNACKNOWLEDGED_MILLISECONDS)?;
    Ok(())
}

/// Unmaps the code and constants of the program and its libraries, most of which only startup
/// needed. Pages that are used later are mapped again from the page cache.
#[expect(unsafe_code, reason = "segments of a program are only known by their addresses")]
pub(crate) fn release_startup_pages() {
    // SAFETY: `release_segments` has the type that is expected, and does not unwind.
    unsafe { libc::dl_iterate_phdr(Some(release_segments), std::ptr::null_mut()) };
}

#[expect(unsafe_code, reason = "see above")]
unsafe extern "C" fn release_segments(
    object: *mut libc::dl_phdr_info,
    _: libc::size_t,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the caller, dl_iterate_phdr, passes a valid description of a loaded object.
    let object = unsafe { &*object };
    // SAFETY: as above; the headers are as many as it says.
    let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into()) };
    let page = rustix::param::page_size();
    for header in headers {
        let is_constant = header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0;
        let start = usize::try_from(object.dlpi_addr + header.p_vaddr);
        let (true, Ok(start), Ok(size)) = (is_constant, start, usize::try_from(header.p_memsz))
        else {
            continue;
        };
        // Whole pages only: another segment may have the rest.
        let end = (start + size) / page * page;
        let start = start.next_multiple_of(page);
        let length = end.saturating_sub(start);
        // SAFETY: the pages are a private mapping of a file that nothing has written to, because the
        // segment is not writable, and no segment of a Rust program or a shared library has
        // relocations in its code. The kernel maps them again, with the same content.
        unsafe {
            libc::madvise(std::ptr::without_provenance_mut(start), length, libc::MADV_DONTNEED)
        };
    }
    0
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "of this process, whatever the paths are")]
    fn the_program_runs_after_its_pages_are_released() {
        let resident = || -> u64 {
            let status = fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
            line.trim_end_matches("kB").trim().parse().unwrap()
        };
        // Other tests, which run at the same time, map pages again.
        let is_smaller = || {
            let before = resident();
            release_startup_pages();
            resident() < before
        };
        testing::until(is_smaller, || "the pages are still mapped".to_owned());
    }
}
