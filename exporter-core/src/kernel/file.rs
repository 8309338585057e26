//! Reads files of the kernel completely, without blocking on a FIFO or a device.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{FsWord, Mode, OFlags, PROC_SUPER_MAGIC};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

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

/// Cache of open files of the kernel.
///
/// The kernel generates the content when a file is read from its start, so an open file can be read
/// again at a fraction of the cost of opening it: a file of sysfs takes 0.8 µs instead of 8,
/// `/proc/net/netstat` 33 µs instead of 74. If the object behind a file has been removed, reading
/// fails, and the path is opened again. Only files of procfs, sysfs and cgroup2 stay open; others
/// are opened every time.
#[derive(Clone, Debug, Default)]
pub struct FileCache {
    files: Arc<Mutex<HashMap<PathBuf, Arc<OpenFile>>>>,
    shared: Arc<Mutex<HashMap<PathBuf, SharedContent>>>,
    budget: OpenFileBudget,
}

impl FileCache {
    /// The cache of this process, which is also used by the `process_*` metrics.
    pub fn of_process() -> Self {
        static PROCESS_FILES: LazyLock<FileCache> = LazyLock::new(FileCache::default);
        PROCESS_FILES.clone()
    }

    /// Reads a complete file. Not for files of objects that can be renamed, such as network
    /// interfaces: an open file follows its object to the new name.
    pub fn read(&self, path: &Path, records: Records) -> io::Result<Vec<u8>> {
        let cached = self.files().get(path).cloned();
        if let Some(cached) = cached {
            match cached.read_to_end(records) {
                Ok(bytes) => return Ok(bytes),
                Err(_) => self.files().remove(path),
            };
        }
        let file = open(path)?;
        let read =
            |bytes: &mut Vec<u8>| rustix::io::read(&file, rustix::buffer::spare_capacity(bytes));
        let bytes = read_to_end(Records::Long, read)?;
        if is_of_kernel(&file)
            && let Some(cached) = self.budget.keep(file)
        {
            self.files().insert(path.to_owned(), Arc::new(cached));
        }
        Ok(bytes)
    }

    /// Like [`FileCache::read`], for a file that two readers need in every scrape: the second
    /// reader gets the content that the first one has read, if it is less than 100 ms old.
    pub fn read_once(
        &self,
        reader: &'static str,
        path: &Path,
        records: Records,
    ) -> io::Result<Vec<u8>> {
        const MAX_AGE: Duration = Duration::from_millis(100);
        if let Some(shared) = self.shared().remove(path)
            && shared.reader != reader
            && shared.read_at.elapsed() < MAX_AGE
        {
            return Ok(shared.bytes);
        }
        let read_at = Instant::now();
        let bytes = self.read(path, records)?;
        self.shared()
            .insert(path.to_owned(), SharedContent { reader, read_at, bytes: bytes.clone() });
        Ok(bytes)
    }

    /// The limit on open files, shared with files that are kept elsewhere.
    pub fn budget(&self) -> &OpenFileBudget {
        &self.budget
    }

    fn files(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<OpenFile>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self) -> MutexGuard<'_, HashMap<PathBuf, SharedContent>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Content for the second reader of a file.
#[derive(Debug)]
struct SharedContent {
    reader: &'static str,
    read_at: Instant,
    bytes: Vec<u8>,
}

/// A limit on the number of files that stay open.
#[derive(Clone, Debug, Default)]
pub struct OpenFileBudget(Arc<AtomicUsize>);

impl OpenFileBudget {
    /// Each costs the kernel about 5 KiB.
    const MAX: u64 = 1024;

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
    fn read_to_end(&self, records: Records) -> io::Result<Vec<u8>> {
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

/// Whether an open file is on procfs, sysfs or cgroup2, whose files can stay open: see
/// [`FileCache`].
pub fn is_of_kernel(file: impl AsFd) -> bool {
    const SYSFS_MAGIC: FsWord = 0x6265_6572;
    const CGROUP2_MAGIC: FsWord = 0x6367_7270;
    let found = rustix::fs::fstatfs(file).map(|found| found.f_type);
    matches!(found, Ok(PROC_SUPER_MAGIC | SYSFS_MAGIC | CGROUP2_MAGIC))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing;

    #[test]
    fn a_kernel_file_is_opened_once_and_read_again() {
        let cache = FileCache::default();
        let path = Path::new("/proc/thread-self/comm");
        for name in ["first", "second one"] {
            fs::write(path, name).unwrap();
            assert_eq!(cache.read(path, Records::Short).unwrap(), format!("{name}\n").into_bytes());
            assert_eq!(cache.files().len(), 1);
        }
    }

    #[test]
    fn a_file_whose_object_is_gone_is_opened_again() {
        let cache = FileCache::default();
        let path = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let thread = fs::read_link("/proc/thread-self").unwrap();
                let path = Path::new("/proc").join(thread).join("status");
                cache.read(&path, Records::Long).unwrap();
                path
            });
            thread.join().unwrap()
        });
        assert_eq!(cache.files().len(), 1);
        assert_eq!(cache.read(&path, Records::Long).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(cache.files().len(), 0);
        assert_eq!(cache.budget.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn other_files_are_opened_every_time() {
        let cache = FileCache::default();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stat");
        for text in ["cpu 1\n", "cpu 2\n"] {
            // Another file with the same name.
            fs::write(directory.path().join("new"), text).unwrap();
            fs::rename(directory.path().join("new"), &path).unwrap();
            assert_eq!(cache.read(&path, Records::Long).unwrap(), text.as_bytes());
        }
        assert_eq!(cache.files().len(), 0);
    }

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

    #[test]
    fn cached_files_are_complete_with_records_of_any_length() {
        let cache = FileCache::default();
        for (path, records) in [
            ("/proc/self/mountinfo", Records::Long),
            ("/proc/filesystems", Records::Short),
            ("/proc/self/limits", Records::Single),
            ("/proc/kallsyms", Records::Short),
        ] {
            let Ok(expected) = fs::read(path) else { continue };
            for _ in 0..3 {
                let bytes = cache.read(Path::new(path), records).unwrap();
                assert_eq!(bytes.len(), expected.len(), "{path}");
                assert!(bytes == expected, "{path}");
            }
        }
    }

    #[test]
    fn content_is_shared_once() {
        let cache = FileCache::default();
        let path = Path::new("/proc/thread-self/comm");
        let read = |reader| cache.read_once(reader, path, Records::Single).unwrap();
        let handed_over = || {
            fs::write(path, "first").unwrap();
            cache.shared().clear();
            assert_eq!(read("a"), b"first\n");
            assert_eq!(read("a"), b"first\n");
            fs::write(path, "second").unwrap();
            let handed_over = read("b") == b"first\n";
            assert_eq!(read("b"), b"second\n");
            fs::write(path, "third").unwrap();
            assert_eq!(read("b"), b"third\n");
            handed_over
        };
        // A slow machine may take too long between two reads.
        testing::until(handed_over, || "what was read first is not handed over".to_owned());
    }

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
