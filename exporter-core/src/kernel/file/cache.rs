//! A cache of open files.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::Stat;

use super::{FileSystem, OpenFile, OpenFileBudget, Records, open, read_to_end};

/// Cache of open files.
///
/// The kernel generates the content when a file is read from its start, so an open file can be read
/// again at a fraction of the cost of opening it: a file of sysfs takes 0.8 µs instead of 8,
/// `/proc/net/netstat` 33 µs instead of 74. If the object behind a file has been removed, reading
/// fails, and the path is opened again. A file of a local file system is read again only if its
/// path still leads to it. Files of other file systems are opened every time: see [`FileSystem`].
#[derive(Clone, Debug, Default)]
pub struct FileCache {
    // By path. `OsString` hashes all bytes at once, `PathBuf` every component.
    files: Arc<Mutex<HashMap<OsString, Arc<CachedFile>>>>,
    shared: Arc<Mutex<HashMap<OsString, SharedContent>>>,
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
        let cached = self.files().get(path.as_os_str()).cloned();
        if let Some(cached) = cached {
            match cached.read_again(path, records) {
                Ok(bytes) => return Ok(bytes),
                Err(_) => self.files().remove(path.as_os_str()),
            };
        }
        let file = open(path)?;
        let read =
            |bytes: &mut Vec<u8>| rustix::io::read(&file, rustix::buffer::spare_capacity(bytes));
        let bytes = read_to_end(Records::Long, read)?;
        if let Some(cached) = CachedFile::new(file, &self.budget) {
            self.files().insert(path.as_os_str().to_owned(), Arc::new(cached));
        }
        Ok(bytes)
    }

    /// Like [`FileCache::read`], for a file that two readers need in every scrape: the second
    /// reader gets the content that the first one has read, if it is less than 100 ms old.
    pub fn read_shared(
        &self,
        reader: &'static str,
        path: &Path,
        records: Records,
    ) -> io::Result<Vec<u8>> {
        const MAX_AGE: Duration = Duration::from_millis(100);
        if let Some(shared) = self.shared().remove(path.as_os_str())
            && shared.reader != reader
            && shared.read_at.elapsed() < MAX_AGE
        {
            return Ok(shared.bytes);
        }
        let read_at = Instant::now();
        let bytes = self.read(path, records)?;
        self.shared().insert(path.into(), SharedContent { reader, read_at, bytes: bytes.clone() });
        Ok(bytes)
    }

    /// The limit on open files, shared with files that are kept elsewhere.
    pub fn budget(&self) -> &OpenFileBudget {
        &self.budget
    }

    fn files(&self) -> MutexGuard<'_, HashMap<OsString, Arc<CachedFile>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self) -> MutexGuard<'_, HashMap<OsString, SharedContent>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that stays open.
#[derive(Debug)]
struct CachedFile {
    file: OpenFile,
    /// The inode of a file that may be replaced.
    inode: Option<Inode>,
}

impl CachedFile {
    fn new(file: OwnedFd, budget: &OpenFileBudget) -> Option<Self> {
        let inode = match FileSystem::of(&file)? {
            FileSystem::Kernel => None,
            FileSystem::Local => Some(Inode::of(&rustix::fs::fstat(&file).ok()?)),
        };
        Some(Self { file: budget.keep(file)?, inode })
    }

    /// Reads the file, unless its path leads to another one.
    fn read_again(&self, path: &Path, records: Records) -> io::Result<Vec<u8>> {
        match self.inode {
            None => self.file.read_to_end(records),
            // A read of a regular file is short only at its end.
            Some(inode) if inode == Inode::of(&rustix::fs::stat(path)?) => {
                self.file.read_to_end(Records::Single)
            }
            Some(_) => Err(ErrorKind::NotFound.into()),
        }
    }
}

/// Identifies a file of the machine while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inode {
    file_system: u64,
    number: u64,
}

impl Inode {
    fn of(stat: &Stat) -> Self {
        Self { file_system: stat.st_dev, number: stat.st_ino }
    }
}

/// Content for the second reader of a file.
#[derive(Debug)]
struct SharedContent {
    reader: &'static str,
    read_at: Instant,
    bytes: Vec<u8>,
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
    }

    /// On ext4, XFS, Btrfs or tmpfs, the first file stays open.
    #[test]
    fn a_file_that_is_replaced_is_opened_again() {
        let cache = FileCache::default();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stat");
        let read = || cache.read(&path, Records::Short);
        for text in ["cpu 1\n", "cpu 2\n"] {
            fs::write(directory.path().join("new"), text).unwrap();
            fs::rename(directory.path().join("new"), &path).unwrap();
            for _ in 0..2 {
                assert_eq!(read().unwrap(), text.as_bytes());
            }
        }
        // The same file.
        let long = "cpu 3\n".repeat(10_000);
        fs::write(&path, &long).unwrap();
        assert!(read().unwrap() == long.as_bytes());
        fs::remove_file(&path).unwrap();
        assert_eq!(read().unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(cache.files().len(), 0);
    }

    #[test]
    fn a_link_that_is_replaced_is_followed_again() {
        let cache = FileCache::default();
        let directory = tempfile::tempdir().unwrap();
        let path = |name| directory.path().join(name);
        for text in ["first", "second"] {
            fs::create_dir(path(text)).unwrap();
            fs::write(path(text).join("file"), text).unwrap();
            std::os::unix::fs::symlink(text, path("new")).unwrap();
            fs::rename(path("new"), path("current")).unwrap();
            let read = cache.read(&path("current/file"), Records::Short).unwrap();
            assert_eq!(read, text.as_bytes());
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
        let read = |reader| cache.read_shared(reader, path, Records::Single).unwrap();
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
}
