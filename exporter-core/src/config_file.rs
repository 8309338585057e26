//! Configuration files: certificates, keys, passwords, the web configuration, the file of a
//! program.
//!
//! A file system whose server does not respond blocks any process that opens a file on it, and a
//! process with a blocked thread cannot be killed. Therefore, a program reads its configuration in
//! a child process, with a time limit: see `docs/adr/0011`.

mod error;
mod pool;
mod process;
mod resolve;
mod secret;
mod wire;
pub mod yaml;

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

pub use self::error::{ConfigError, Fault};
pub(crate) use self::pool::{retry, shut_down, use_processes};
pub(crate) use self::process::{ARGUMENT, main};
pub use self::resolve::resolve;
pub(crate) use self::resolve::{credentials, resolve_in};
pub use self::secret::Secret;
pub use self::yaml::{Spanned, line_of};

/// Larger than any certificate chain or configuration file should be.
pub const SMALL: u64 = 1024 * 1024;
/// Revocation lists of large authorities take megabytes.
pub const LARGE: u64 = 32 * 1024 * 1024;

/// Reads a configuration file of at most `limit` bytes.
///
/// Blocks for a few seconds at most. Errors in addition to those of `open` and `read`: the file is
/// a directory, pipe, socket or terminal, it is too large, or its file system does not respond
/// (`TimedOut`).
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    content(path, limit).1
}

/// The state of a file before it was read, and its bytes.
pub(crate) fn content(path: &Path, limit: u64) -> (Stamp, io::Result<Vec<u8>>) {
    pool::request(path, Some(limit)).unwrap_or_else(|error| (Stamp::TimedOut, Err(error)))
}

/// The current state of a file.
pub(crate) fn stamp(path: &Path) -> Stamp {
    pool::request(path, None).map_or(Stamp::TimedOut, |(stamp, _)| stamp)
}

/// The state of a file. Two stamps differ when the file was changed or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    Absent,
    Present {
        device: u64,
        inode: u64,
        size: u64,
        /// Type and permissions, as in `st_mode`.
        mode: u32,
        /// Seconds and nanoseconds, as are those of `changed`.
        modified: (i64, i64),
        changed: (i64, i64),
    },
    /// The file system did not respond in time.
    TimedOut,
}

impl Stamp {
    fn of(path: &Path) -> Self {
        std::fs::metadata(path).map_or(Self::Absent, |metadata| Self::new(&metadata))
    }

    fn new(file: &Metadata) -> Self {
        Self::Present {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            mode: file.mode(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

/// Reads a file in this process. Only the file system can block it.
fn read_directly(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let problem = format!("it is larger than {} MiB", limit.div_ceil(SMALL));
        return Err(io::Error::new(ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let kind = file.metadata()?.file_type();
    let problem = if kind.is_dir() {
        "it is a directory"
    } else if kind.is_fifo() || kind.is_socket() {
        "it is a pipe or socket, and has to be read again on each reload"
    } else if file.is_terminal() {
        "it is a terminal"
    } else {
        return Ok(file);
    };
    Err(io::Error::new(ErrorKind::InvalidInput, problem))
}
