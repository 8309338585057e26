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
    let entries = entries_with_inodes(path)
        .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(entries.into_iter().map(|(name, ..)| name).collect())
}

/// The names of the directories in a directory, in order; links are not followed.
pub(super) fn directories(path: PathBuf) -> Result<Vec<String>, Error> {
    let entries =
        entries_with_inodes(&path).map_err(|source| Error::Read { path, source })?.into_iter();
    let directories = entries.filter(|(.., kind)| *kind == FileType::Directory);
    Ok(directories.map(|(name, ..)| name.to_string_lossy().into_owned()).collect())
}

/// The names in a directory, in order, with the inode numbers and types of the files.
pub(super) fn entries_with_inodes(path: &Path) -> io::Result<Vec<(OsString, u64, FileType)>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    entries_with_inodes_of(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Like [`entries_with_inodes`], for an open directory whose offset is at the start.
pub(super) fn entries_with_inodes_of(
    directory: impl AsFd,
) -> io::Result<Vec<(OsString, u64, FileType)>> {
    const BUFFER_SIZE: usize = 4096;
    let mut buffer = Vec::with_capacity(BUFFER_SIZE);
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push((OsStr::from_bytes(name).to_owned(), entry.ino(), entry.file_type()));
        }
    }
    names.sort_unstable_by(|(a, ..), (b, ..)| a.cmp(b));
    Ok(names)
}
