//! Reads files of the kernel completely, without blocking on a FIFO or a device.

mod budget;
mod cache;
mod file_system;

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

pub use self::budget::{OpenFile, OpenFileBudget, OpenSlot};
pub use self::cache::FileCache;
pub use self::file_system::FileSystem;

/// The maximum size of a file, above that of any file of procfs that an exporter reads. Larger
/// files are errors, not truncated.
const MAX_SIZE: usize = 64 << 20;

/// Most files fit, and are read with one system call.
const INITIAL_CAPACITY: usize = 8 << 10;

/// Opens a file for reading. Does not block if it is a FIFO or a device.
pub fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Reads a complete file. Fails if it has more than 64 MiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    read_to_end(Records::Long, |bytes| {
        rustix::io::read(&file, rustix::buffer::spare_capacity(bytes))
    })
}

/// Calls `read` until it appends nothing, or so little that it must have been the last read.
fn read_to_end(
    records: Records,
    mut read: impl FnMut(&mut Vec<u8>) -> Result<usize, Errno>,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(INITIAL_CAPACITY);
    loop {
        let spare = bytes.capacity() - bytes.len();
        match read(&mut bytes) {
            Ok(_) if bytes.len() > MAX_SIZE => return Err(ErrorKind::FileTooLarge.into()),
            Ok(length) if length == 0 || records.is_last_read(length, spare) => return Ok(bytes),
            Ok(_) if bytes.len() == bytes.capacity() => bytes.reserve(bytes.len()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The length of the records of a file that the kernel generates. A record is what the kernel
/// writes at once: a line, or the whole file.
///
/// A read of procfs returns less than requested only at the end of the file, or if the next record
/// does not fit into the kernel's buffer, which is one page. So a read that is shorter than that
/// explains was the last one, and the read that would return 0 bytes is saved. That read is not
/// free: for `/proc/net/udp`, it visits every socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// Records of any length, such as lines with a column per CPU.
    Long,
    /// Records of less than 2 KiB, such as `/proc/diskstats`; also single values.
    Short,
    /// The whole file is one record, such as `/proc/stat`.
    Single,
}

impl Records {
    /// Whether a read of `length` bytes into a buffer of `spare` bytes was the last one.
    fn is_last_read(self, length: usize, spare: usize) -> bool {
        const PAGE_SIZE: usize = 4 << 10;
        const MAX_SHORT_RECORD: usize = 2 << 10;
        match self {
            Self::Long => false,
            Self::Short => length < spare.min(PAGE_SIZE - MAX_SHORT_RECORD),
            Self::Single => length < spare,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every length of a read that may not be the last one, and one byte around each bound.
    #[test]
    fn short_reads_are_the_last_ones() {
        for (records, length, spare, is_last) in [
            (Records::Long, 1, 8192, false),
            (Records::Short, 2047, 8192, true),
            (Records::Short, 2048, 8192, false),
            (Records::Short, 100, 101, true),
            (Records::Short, 100, 100, false),
            (Records::Single, 8191, 8192, true),
            (Records::Single, 8192, 8192, false),
        ] {
            assert_eq!(
                records.is_last_read(length, spare),
                is_last,
                "{records:?} {length} {spare}"
            );
        }
    }
}
