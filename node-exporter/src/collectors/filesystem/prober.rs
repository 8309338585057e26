//! Asking a mount for its space, here or in a process of its own.
//!
//! A prober is this program, started again with [`ARGUMENT`]. On its standard input it has one
//! end of a socket pair: a message with a path comes in, a message with numbers goes out, one at
//! a time. The end of the stream is the end of the prober.

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

/// The longest path that the kernel takes, with its end.
const PATH_MAX: usize = 4096;

pub(crate) fn main() -> ExitCode {
    serve(statfs)
}

/// Answers until the other side is gone.
pub(super) fn serve(statfs: impl Fn(&Path) -> Answer) -> ExitCode {
    let socket = io::stdin();
    let mut path = [0; PATH_MAX];
    loop {
        let length = match retry_on_intr(|| recv(&socket, &mut path, RecvFlags::empty())) {
            Ok((0, _)) | Err(_) => return ExitCode::SUCCESS,
            Ok((length, _)) => length,
        };
        let answer = statfs(host::path_of(path.get(..length).unwrap_or_default()));
        let message = encode(answer);
        if retry_on_intr(|| send(&socket, &message, SendFlags::NOSIGNAL)).is_err() {
            return ExitCode::SUCCESS;
        }
    }
}

/// What a file system says of itself.
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

pub(super) type Answer = Result<Space, Errno>;

pub(super) fn statfs(path: &Path) -> Answer {
    let found = retry_on_intr(|| rustix::fs::statfs(path))?;
    let block = found.f_bsize as f64;
    Ok(Space {
        size: found.f_blocks as f64 * block,
        free: found.f_bfree as f64 * block,
        available: found.f_bavail as f64 * block,
        files: found.f_files as f64,
        files_free: found.f_ffree as f64,
    })
}

/// Sends a prober its next path.
pub(super) fn ask(socket: impl AsFd, path: &Path) -> Result<(), Errno> {
    let path = path.as_os_str().as_encoded_bytes();
    if path.len() >= PATH_MAX {
        return Err(Errno::NAMETOOLONG);
    }
    // One that was abandoned may have its buffer full; it is not waited for.
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    retry_on_intr(|| send(&socket, path, flags)).map(drop)
}

/// What a prober has answered, which must be at hand; an error if it is gone.
pub(super) fn answer(socket: impl AsFd) -> Result<Answer, Errno> {
    let mut message = [0; MESSAGE];
    let (length, _) = retry_on_intr(|| recv(&socket, &mut message, RecvFlags::DONTWAIT))?;
    if length == MESSAGE { Ok(decode(&message)) } else { Err(Errno::PIPE) }
}

/// Six numbers: the error or 0, and what is in a [`Space`].
const MESSAGE: usize = 6 * 8;

fn encode(answer: Answer) -> [u8; MESSAGE] {
    let numbers = match answer {
        Ok(Space { size, free, available, files, files_free }) => {
            [0.0, size, free, available, files, files_free]
        }
        Err(error) => [f64::from(error.raw_os_error()), 0.0, 0.0, 0.0, 0.0, 0.0],
    };
    let mut message = [0; MESSAGE];
    for (bytes, number) in message.as_chunks_mut().0.iter_mut().zip(numbers) {
        *bytes = number.to_ne_bytes();
    }
    message
}

fn decode(message: &[u8; MESSAGE]) -> Answer {
    let mut numbers = [0.0; 6];
    for (number, bytes) in numbers.iter_mut().zip(message.as_chunks().0) {
        *number = f64::from_ne_bytes(*bytes);
    }
    let [error, size, free, available, files, files_free] = numbers;
    match error as i32 {
        0 => Ok(Space { size, free, available, files, files_free }),
        error => Err(Errno::from_raw_os_error(error)),
    }
}

/// An error as it is in the `device_error` label: in the words that Go has for it, since alerts
/// and dashboards know those.
pub(super) fn text(error: Errno) -> Cow<'static, str> {
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
    fn answers_survive_their_way() {
        let space = Space { size: 1e15, free: 1.0, available: 0.5, files: 18e18, files_free: 0.0 };
        for answer in [Ok(space), Err(Errno::STALE)] {
            assert_eq!(decode(&encode(answer)), answer);
        }
    }

    #[test]
    fn errors_have_words() {
        assert_eq!(text(Errno::NOENT), "no such file or directory");
        assert_eq!(text(Errno::XFULL), "errno 54");
    }
}
