//! Listing directories.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use exporter_core::collector::Error;
use rustix::fs::{FileType, Mode, OFlags, RawDir};

/// The names in a directory, in order.
pub(crate) fn list(path: &Path) -> Result<Vec<String>, Error> {
    let names = entries(path)?.into_iter();
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// The names in a directory, in order. They may not be UTF-8.
pub(crate) fn entries(path: &Path) -> Result<Vec<OsString>, Error> {
    let entries = read_entries(path)?.into_iter();
    Ok(entries.map(|entry| entry.name).collect())
}

/// The names of the directories in a directory, in order; links are not followed.
pub(super) fn directories(path: &Path) -> Result<Vec<String>, Error> {
    read_entries(path).map(|entries| names_of_directories(&entries))
}

/// The names of those entries that are directories; links are not followed.
pub(super) fn names_of_directories(entries: &[DirEntry]) -> Vec<String> {
    let directories = entries.iter().filter(|entry| entry.file_type == FileType::Directory);
    directories.map(DirEntry::lossy_name).collect()
}

fn read_entries(path: &Path) -> Result<Vec<DirEntry>, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
        .map_err(io::Error::from)
        .and_then(entries_of)
        .map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Like [`Path::join`], which allocates memory twice.
pub(super) fn join(directory: &Path, name: impl AsRef<Path>) -> PathBuf {
    let (directory, name) = (directory.as_os_str(), name.as_ref());
    let mut path = PathBuf::with_capacity(directory.len() + 1 + name.as_os_str().len());
    path.push(directory);
    path.push(name);
    path
}

/// An entry of a directory.
#[derive(Debug)]
pub(super) struct DirEntry {
    pub(super) name: OsString,
    pub(super) inode: u64,
    pub(super) file_type: FileType,
}

impl DirEntry {
    /// The name; U+FFFD replaces invalid UTF-8.
    pub(super) fn lossy_name(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }

    /// Whether it is a directory, or may be a link to one.
    pub(super) fn may_be_directory(&self) -> bool {
        matches!(self.file_type, FileType::Directory | FileType::Symlink | FileType::Unknown)
    }
}

/// The entries of an open directory whose offset is at the start, ordered by name.
pub(super) fn entries_of(directory: impl AsFd) -> io::Result<Vec<DirEntry>> {
    const BUFFER_SIZE: usize = 4096;
    let mut buffer = Vec::with_capacity(BUFFER_SIZE);
    let mut found = RawDir::new(directory, buffer.spare_capacity_mut());
    let mut entries = Vec::new();
    while let Some(entry) = found.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            entries.push(DirEntry {
                name: OsStr::from_bytes(name).to_owned(),
                inode: entry.ino(),
                file_type: entry.file_type(),
            });
        }
    }
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}
