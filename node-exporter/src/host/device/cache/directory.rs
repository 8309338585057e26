//! A directory, and what stays open of it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use exporter_core::file::{FileSystem, OpenFile, OpenFileBudget, OpenSlot};
use rustix::fs::{AtFlags, Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use super::lock;
use super::version::Version;
use crate::host::directory::{DirEntry, entries_of, join};

/// An open directory.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    fd: OwnedFd,
    entries: Option<EntryCache>,
}

impl Directory {
    /// Opens the directory `name` in the directory `parent`. If `cache_entries` returns a cache,
    /// the directory stays open.
    pub(super) fn open(
        parent: impl AsFd,
        name: &Path,
        path: PathBuf,
        cache_entries: impl FnOnce(&OwnedFd) -> Option<EntryCache>,
    ) -> io::Result<Arc<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(parent, name, flags, Mode::empty())?;
        Ok(Arc::new(Self { path, entries: cache_entries(&fd), fd }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory with this name. `inode` is the inode number of the entry, if it was listed.
    pub(crate) fn directory(&self, name: &OsStr, inode: Option<u64>) -> io::Result<Arc<Self>> {
        let open = |cache_entries: &dyn Fn(&OwnedFd) -> Option<EntryCache>| {
            Self::open(&self.fd, name.as_ref(), join(&self.path, name), cache_entries)
        };
        let Some(entries) = &self.entries else { return open(&|_| None) };
        let cached = lock(&entries.directories).get(name);
        if let Some((directory, cached_inode)) = cached
            // sysfs does not reuse inode numbers.
            && (inode.is_some() && inode == cached_inode && entries.is_of_kernel()
                || directory.is_still_at(&self.fd, name))
        {
            return Ok(directory);
        }
        let opened = open(&|fd| entries.for_subdirectory(fd))?;
        lock(&entries.directories).insert(name, inode, &opened, &self.fd);
        Ok(opened)
    }

    /// The entries of this directory, ordered by name.
    pub(crate) fn entries(&self) -> io::Result<Arc<[DirEntry]>> {
        match &self.entries {
            Some(entries) => entries.list(&self.fd),
            None => list_from_start(&self.fd),
        }
    }

    /// Reads the beginning of the file with this name, or path, into `buffer`, with one system call.
    /// Returns the part of the buffer that was filled.
    pub(crate) fn read<'b>(&self, name: &OsStr, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        let length = match &self.entries {
            Some(entries) if entries.is_of_kernel() => entries.read(&self.fd, name, buffer),
            // Whether the file is still the same is known by its own directory.
            Some(entries) => match split(name) {
                Some((directory, name)) => {
                    return self.directory(directory, None)?.read(name, buffer);
                }
                None => entries.read(&self.fd, name, buffer),
            },
            None => open_file(&self.fd, name, OFlags::empty()).and_then(|fd| pread(fd, buffer)),
        };
        Ok(buffer.get(..length?).unwrap_or_default())
    }

    /// Whether the directory stays open, and may be used without looking up its path again. It is
    /// that of the same device as long as the device exists.
    pub(crate) fn is_permanent(&self) -> bool {
        self.entries.as_ref().is_some_and(EntryCache::is_of_kernel)
    }

    /// Whether the directory stays open, and `name` in the directory `parent` still refers to it.
    pub(super) fn is_still_at(&self, parent: impl AsFd, name: impl AsRef<Path>) -> bool {
        let found = rustix::fs::statat(parent, name.as_ref(), AtFlags::empty());
        self.entries
            .as_ref()
            .zip(found.ok())
            .is_some_and(|(entries, found)| entries.version.is_still(&found))
    }
}

#[cfg(test)]
impl Directory {
    /// The numbers of files and directories that are open below it.
    pub(super) fn open_entries(&self) -> (usize, usize) {
        let entries = self.entries.as_ref().unwrap();
        let is_open = |entry: &&Entry| matches!(entry, Entry::Open(_));
        let files = lock(&entries.files).values().filter(is_open).count();
        (files, lock(&entries.directories).open.len())
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The open files and subdirectories of a directory.
///
/// In file systems of the kernel, they belong to the same object as long as it exists. In local
/// file systems, names may refer to other files at any time, but not without a change of the
/// directory: all that is cached is discarded when its change time differs.
#[derive(Debug)]
pub(super) struct EntryCache {
    version: Version,
    budget: OpenFileBudget,
    /// For the directory itself.
    _slot: OpenSlot,
    // These locks are not held while an attribute is read, so a hanging worker does not block the
    // next one.
    files: Mutex<HashMap<OsString, Entry>>,
    directories: Mutex<Directories>,
    /// Not cached in file systems of the kernel.
    listing: Mutex<Option<Arc<[DirEntry]>>>,
}

#[derive(Clone, Debug)]
enum Entry {
    Open(Arc<OpenFile>),
    /// The directory has no entry of this name. Not cached in file systems of the kernel.
    Missing,
}

impl EntryCache {
    /// For an open directory, if the number of open files allows.
    pub(super) fn new(
        directory: &OwnedFd,
        file_system: FileSystem,
        budget: &OpenFileBudget,
    ) -> Option<Self> {
        Some(Self {
            version: Version::of(directory, file_system)?,
            budget: budget.clone(),
            _slot: budget.slot()?,
            files: Mutex::default(),
            directories: Mutex::default(),
            listing: Mutex::default(),
        })
    }

    /// Like [`EntryCache::new`], for a directory below this one. `None` if it is on another file
    /// system, because that may be one whose files have to be opened each time.
    fn for_subdirectory(&self, directory: &OwnedFd) -> Option<Self> {
        Self::new(directory, self.version.file_system, &self.budget)
            .filter(|entries| entries.version.device == self.version.device)
    }

    fn is_of_kernel(&self) -> bool {
        self.version.file_system == FileSystem::Kernel
    }

    /// The entries of the directory, ordered by name.
    fn list(&self, directory: &OwnedFd) -> io::Result<Arc<[DirEntry]>> {
        // The lock also keeps two threads from moving the offset at the same time.
        let mut listing = lock(&self.listing);
        if let Some(entries) = &*listing {
            return Ok(Arc::clone(entries));
        }
        let entries = list_from_start(directory)?;
        if !self.is_of_kernel() {
            *listing = Some(Arc::clone(&entries));
        }
        Ok(entries)
    }

    /// Reads the beginning of the file with this name. Returns the number of bytes.
    fn read(&self, directory: &OwnedFd, name: &OsStr, buffer: &mut [u8]) -> Result<usize, Errno> {
        let cached = lock(&self.files).get(name).cloned();
        match cached {
            Some(Entry::Open(file)) => match pread(&*file, buffer) {
                // All files of a removed device return ENODEV. Other errors, such as that of an
                // interface that is down, are results.
                Err(Errno::NODEV) => {}
                read => return read,
            },
            Some(Entry::Missing) => return Err(Errno::NOENT),
            None => {}
        }
        if !self.is_of_kernel() {
            return self.read_local(directory, name, buffer);
        }
        lock(&self.files).remove(name);
        self.read_and_keep(open_file(directory, name, OFlags::empty())?, name, buffer)
    }

    /// Reads a file of a local file system.
    fn read_local(
        &self,
        directory: &OwnedFd,
        name: &OsStr,
        buffer: &mut [u8],
    ) -> Result<usize, Errno> {
        match open_file(directory, name, OFlags::NOFOLLOW) {
            Ok(file) => self.read_and_keep(file, name, buffer),
            // What a link refers to may change without a change of this directory.
            Err(Errno::LOOP) => pread(open_file(directory, name, OFlags::empty())?, buffer),
            Err(Errno::NOENT) => {
                lock(&self.files).insert(name.to_owned(), Entry::Missing);
                Err(Errno::NOENT)
            }
            Err(other) => Err(other),
        }
    }

    fn read_and_keep(
        &self,
        file: OwnedFd,
        name: &OsStr,
        buffer: &mut [u8],
    ) -> Result<usize, Errno> {
        let read = pread(&file, buffer);
        if let Some(file) = self.budget.keep(file) {
            lock(&self.files).insert(name.to_owned(), Entry::Open(Arc::new(file)));
        }
        read
    }
}

/// Open directories by name, with the inode numbers of their entries if those are known.
#[derive(Debug, Default)]
pub(super) struct Directories {
    pub(super) open: HashMap<OsString, (Arc<Directory>, Option<u64>)>,
    /// The number of directories after the last cleanup.
    len_after_cleanup: usize,
}

impl Directories {
    pub(super) fn get(&self, name: &OsStr) -> Option<(Arc<Directory>, Option<u64>)> {
        self.open.get(name).cloned()
    }

    /// Adds a directory if it may stay open. Removes the directories that no longer exist whenever
    /// the number of directories has doubled.
    pub(super) fn insert(
        &mut self,
        name: &OsStr,
        inode: Option<u64>,
        opened: &Arc<Directory>,
        parent: impl AsFd,
    ) {
        if opened.entries.is_some() {
            if self.open.len() > 2 * self.len_after_cleanup {
                self.open.retain(|name, (directory, _)| directory.is_still_at(&parent, name));
                self.len_after_cleanup = self.open.len();
            }
            self.open.insert(name.to_owned(), (Arc::clone(opened), inode));
        } else {
            self.open.remove(name);
        }
    }
}

/// The entries of a directory, which may have been listed before.
fn list_from_start(directory: &OwnedFd) -> io::Result<Arc<[DirEntry]>> {
    rustix::fs::seek(directory, SeekFrom::Start(0))?;
    entries_of(directory).map(Arc::from)
}

/// The directory and the name of a path of several components.
fn split(path: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let path = Path::new(path);
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty())?;
    Some((directory.as_os_str(), path.file_name()?))
}

/// Opens a file for reading. Does not block if it is a FIFO or a device.
fn open_file(directory: impl AsFd, name: &OsStr, further_flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    rustix::fs::openat(directory, name, flags | further_flags, Mode::empty())
}

fn pread(file: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    rustix::io::retry_on_intr(|| rustix::io::pread(&file, &mut *buffer, 0))
}
