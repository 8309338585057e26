//! Querying the space of a mount, in this process or in a child process.
//!
//! A prober is this program, started again with [`ARGUMENT`]. Its standard input is one end of a
//! socket pair: it receives a message with a path and replies with numbers, one at a time. It exits
//! when the other end is closed.

use std::borrow::Cow;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;

use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::host;

/// The first argument of a prober.
pub(crate) const ARGUMENT: &str = "statfs-prober";

/// The maximum length of a path, including the terminating NUL byte.
const PATH_MAX: usize = 4096;

pub(crate) fn main() -> ExitCode {
    serve(statfs)
}

/// Replies until the other end is closed.
pub(super) fn serve(statfs: impl Fn(&Path) -> Reply) -> ExitCode {
    let socket = io::stdin();
    let mut path = [0; PATH_MAX];
    loop {
        let length = match retry_on_intr(|| recv(&socket, &mut path, RecvFlags::empty())) {
            Ok((0, _)) | Err(_) => return ExitCode::SUCCESS,
            Ok((length, _)) => length,
        };
        let reply = statfs(host::path_of(path.get(..length).unwrap_or_default()));
        let message = encode(reply);
        if retry_on_intr(|| send(&socket, &message, SendFlags::NOSIGNAL)).is_err() {
            return ExitCode::SUCCESS;
        }
    }
}

/// The size and usage of a file system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Space {
    /// In bytes, as are the next two.
    pub(crate) size: f64,
    pub(crate) free: f64,
    /// Free for users other than root.
    pub(crate) available: f64,
    pub(crate) files: f64,
    pub(crate) files_free: f64,
}

pub(super) type Reply = Result<Space, Errno>;

pub(super) fn statfs(path: &Path) -> Reply {
    let found = retry_on_intr(|| rustix::fs::statfs(path))?;
    let block_size = found.f_bsize as f64;
    Ok(Space {
        size: found.f_blocks as f64 * block_size,
        free: found.f_bfree as f64 * block_size,
        available: found.f_bavail as f64 * block_size,
        files: found.f_files as f64,
        files_free: found.f_ffree as f64,
    })
}

/// Sends a prober its next path.
pub(super) fn send_query(socket: impl AsFd, path: &Path) -> Result<(), Errno> {
    let path = path.as_os_str().as_encoded_bytes();
    if path.len() >= PATH_MAX {
        return Err(Errno::NAMETOOLONG);
    }
    // The buffer of an abandoned prober may be full; do not wait for it.
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    retry_on_intr(|| send(&socket, path, flags)).map(drop)
}

/// Receives a reply that is available. Fails if the prober has exited.
pub(super) fn receive_reply(socket: impl AsFd) -> Result<Reply, Errno> {
    let mut message = [0; REPLY_LENGTH];
    let (length, _) = retry_on_intr(|| recv(&socket, &mut message, RecvFlags::DONTWAIT))?;
    if length == REPLY_LENGTH { Ok(decode(&message)) } else { Err(Errno::PIPE) }
}

/// An error number or 0, and the fields of a [`Space`]; eight bytes each.
const REPLY_LENGTH: usize = 6 * 8;

fn encode(reply: Reply) -> [u8; REPLY_LENGTH] {
    let (error, numbers) = match reply {
        Ok(Space { size, free, available, files, files_free }) => {
            (0, [size, free, available, files, files_free])
        }
        Err(error) => (error.raw_os_error(), [0.0; 5]),
    };
    let mut message = [0; REPLY_LENGTH];
    let (fields, _) = message.as_chunks_mut();
    let numbers = numbers.map(f64::to_ne_bytes);
    for (field, number) in
        fields.iter_mut().zip([i64::from(error).to_ne_bytes()].iter().chain(&numbers))
    {
        *field = *number;
    }
    message
}

fn decode(message: &[u8; REPLY_LENGTH]) -> Reply {
    let (fields, _) = message.as_chunks();
    let [error, numbers @ ..] = fields else { return Err(Errno::PROTO) };
    if let Ok(error @ 1..) = i32::try_from(i64::from_ne_bytes(*error)) {
        return Err(Errno::from_raw_os_error(error));
    }
    let [size, free, available, files, files_free] = numbers else { return Err(Errno::PROTO) };
    let number = |bytes: &[u8; 8]| f64::from_ne_bytes(*bytes);
    Ok(Space {
        size: number(size),
        free: number(free),
        available: number(available),
        files: number(files),
        files_free: number(files_free),
    })
}

/// The `device_error` label of an error: the message of Go, because alerts and dashboards match it.
pub(super) fn error_label(error: Errno) -> Cow<'static, str> {
    Cow::Borrowed(match error {
        Errno::ACCESS => "permission denied",
        Errno::BUSY => "device or resource busy",
        Errno::CONNABORTED => "software caused connection abort",
        Errno::CONNREFUSED => "connection refused",
        Errno::CONNRESET => "connection reset by peer",
        Errno::HOSTDOWN => "host is down",
        Errno::HOSTUNREACH => "no route to host",
        Errno::INTR => "interrupted system call",
        Errno::INVAL => "invalid argument",
        Errno::IO => "input/output error",
        Errno::KEYEXPIRED => "key has expired",
        Errno::LOOP => "too many levels of symbolic links",
        Errno::NAMETOOLONG => "file name too long",
        Errno::NODEV => "no such device",
        Errno::NOENT => "no such file or directory",
        Errno::NOKEY => "required key not available",
        Errno::NOMEM => "cannot allocate memory",
        Errno::NOSYS => "function not implemented",
        Errno::NOTCONN => "transport endpoint is not connected",
        Errno::NOTDIR => "not a directory",
        Errno::NXIO => "no such device or address",
        Errno::OVERFLOW => "value too large for defined data type",
        Errno::PERM => "operation not permitted",
        Errno::PIPE => "broken pipe",
        Errno::STALE => "stale NFS file handle",
        Errno::TIMEDOUT => "connection timed out",
        error => return Cow::Owned(format!("errno {}", error.raw_os_error())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_round_trip() {
        let space = Space { size: 1e15, free: 1.0, available: 0.5, files: 18e18, files_free: 0.0 };
        for reply in [Ok(space), Err(Errno::STALE)] {
            assert_eq!(decode(&encode(reply)), reply);
        }
    }

    #[test]
    fn errors_have_the_messages_of_go() {
        assert_eq!(error_label(Errno::NOENT), "no such file or directory");
        assert_eq!(error_label(Errno::XFULL), "errno 54");
    }
}
