//! The limit on files that stay open.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use rustix::process::{Resource, getrlimit};

use super::{Records, read_to_end};

/// A limit on the number of files that stay open.
#[derive(Clone, Debug, Default)]
pub struct OpenFileBudget(Arc<AtomicUsize>);

impl OpenFileBudget {
    /// Each costs the kernel about 5 KiB.
    const MAX: u64 = 2048;

    /// Keeps a file open, unless the limit is reached.
    pub fn keep(&self, file: OwnedFd) -> Option<OpenFile> {
        Some(OpenFile { file, _slot: self.slot()? })
    }

    /// Reserves room for one open file, until the result is dropped. `None` if the limit is
    /// reached.
    pub fn slot(&self) -> Option<OpenSlot> {
        // The rest of the descriptors is for connections.
        static MAX: LazyLock<u64> =
            LazyLock::new(|| getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) / 4);
        let slot = OpenSlot(Arc::clone(&self.0));
        ((self.0.fetch_add(1, Ordering::Relaxed) as u64) < Self::MAX.min(*MAX)).then_some(slot)
    }
}

/// An open file that can be read from its start repeatedly.
#[derive(Debug)]
pub struct OpenFile {
    file: OwnedFd,
    _slot: OpenSlot,
}

impl AsFd for OpenFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl OpenFile {
    pub(super) fn read_to_end(&self, records: Records) -> io::Result<Vec<u8>> {
        read_to_end(records, |bytes| {
            let offset = bytes.len() as u64;
            rustix::io::pread(&self.file, rustix::buffer::spare_capacity(bytes), offset)
        })
    }
}

/// Room for one open file: see [`OpenFileBudget::slot`].
#[derive(Debug)]
pub struct OpenSlot(Arc<AtomicUsize>);

impl Drop for OpenSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::open;
    use super::*;

    #[test]
    fn the_number_of_open_files_is_limited() {
        let budget = OpenFileBudget::default();
        let file = || open(Path::new("/proc/self/stat")).unwrap();
        let mut open: Vec<_> = std::iter::from_fn(|| budget.keep(file())).collect();
        assert!((1..=OpenFileBudget::MAX).contains(&(open.len() as u64)));
        open.pop();
        assert!(budget.keep(file()).is_some());
    }
}
