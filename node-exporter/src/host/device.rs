//! Devices of sysfs: directories of small files.

mod cache;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use exporter_core::collector::Error;

pub(crate) use self::cache::DeviceCache;
use self::cache::Directory;
use super::directory::{DirEntry, join};
use super::file::{EMPTY_PAGE, File, Page, truncated};

/// A device of sysfs: a directory of small files. Its path is resolved only once.
///
/// In sysfs, the directory stays open for the next scrape, as do the files and directories that
/// were opened below it.
#[derive(Clone, Debug)]
pub(crate) struct Device(Arc<Directory>);

impl Device {
    /// A directory of this device, such as `statistics`.
    pub(crate) fn device(&self, name: impl AsRef<Path>) -> Result<Self, Error> {
        let name = name.as_ref();
        let opened = self.0.directory(name.as_os_str(), None).map(Self);
        opened.map_err(|source| read_error(&self.path().join(name), source))
    }

    /// The names of its attributes and directories, in order.
    pub(crate) fn names(&self) -> Result<Vec<String>, Error> {
        Ok(self.entries()?.iter().map(DirEntry::lossy_name).collect())
    }

    pub(super) fn entries(&self) -> Result<Arc<[DirEntry]>, Error> {
        self.0.entries().map_err(|source| read_error(self.path(), source))
    }

    /// The directories of this device by name, in order. Directories removed meanwhile are left
    /// out.
    pub(crate) fn devices(&self) -> Result<Vec<(String, Self)>, Error> {
        self.devices_matching(|_| true)
    }

    /// Like [`Device::devices`], but opens only directories for whose name `is_wanted` returns
    /// true.
    pub(crate) fn devices_matching(
        &self,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, Self)>, Error> {
        let mut devices = Vec::new();
        for entry in self.entries()?.iter().filter(|entry| entry.may_be_directory()) {
            let name = entry.lossy_name();
            if !is_wanted(&name) {
                continue;
            }
            match self.0.directory(&entry.name, Some(entry.inode)) {
                Ok(device) => devices.push((name, Self(device))),
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) => return Err(self.read_error(&name, error)),
            }
        }
        Ok(devices)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The canonical path of a directory or link in the directory of the device.
    pub(crate) fn canonical(&self, name: &str) -> Result<PathBuf, Error> {
        let directory = self.0.directory(OsStr::new(name), None);
        let directory = directory.map_err(|source| self.read_error(name, source))?;
        // The kernel knows the path of an open directory. `canonicalize` needs a system call for
        // each component; it is the fallback where procfs is hidden.
        let open = format!("/proc/self/fd/{}", directory.as_fd().as_raw_fd());
        let path = Path::new(&open).read_link().ok().filter(|path| path.is_absolute());
        path.map_or_else(|| directory.path().canonicalize(), Ok)
            .map_err(|source| read_error(directory.path(), source))
    }

    /// An attribute as read by [`Device::text`], as an owned string.
    pub(crate) fn string(&self, name: &str) -> Result<String, Error> {
        let mut page = EMPTY_PAGE;
        self.text(name, &mut page).map(Cow::into_owned)
    }

    /// An attribute that consists of a number.
    pub(crate) fn number<T: FromStr>(
        &self,
        name: &str,
        expected: &'static str,
    ) -> Result<T, Error> {
        let mut page = EMPTY_PAGE;
        let text = self.text(name, &mut page)?;
        text.parse().map_err(|_| self.parse_error(name, expected, &text))
    }

    /// An attribute of several lines.
    pub(crate) fn file(&self, name: impl AsRef<Path>) -> Result<File, Error> {
        let mut page = EMPTY_PAGE;
        File::of_page(join(self.path(), &name), self.0.read(name.as_ref().as_os_str(), &mut page))
    }

    /// The file of a sensor, with a single read of 128 bytes. Drivers measure at each read and
    /// never return more; some reject a second read.
    pub(crate) fn sensor(&self, name: impl AsRef<Path>) -> Result<File, Error> {
        let mut buffer = [0; 128];
        let read = self.0.read(name.as_ref().as_os_str(), &mut buffer).map(<[u8]>::to_vec);
        File::new(join(self.path(), name), read)
    }

    /// Like [`Device::sensor`], for callers that ignore errors.
    pub(crate) fn sensor_text(&self, name: &str) -> Option<String> {
        let mut buffer = [0; 128];
        let read = self.0.read(OsStr::new(name), &mut buffer).ok()?;
        Some(String::from_utf8_lossy(read).into_owned())
    }

    /// An attribute without surrounding white space. U+FFFD replaces invalid UTF-8.
    pub(crate) fn text<'p>(&self, name: &str, page: &'p mut Page) -> Result<Cow<'p, str>, Error> {
        self.read(name, page).map_err(|source| self.read_error(name, source))
    }

    /// Like [`Device::text`], for callers to which some errors are valid results.
    pub(crate) fn read<'p>(&self, name: &str, page: &'p mut Page) -> io::Result<Cow<'p, str>> {
        // The kernel returns an attribute completely, so one read is enough.
        match self.0.read(OsStr::new(name), page)? {
            bytes if bytes.len() == size_of::<Page>() => Err(ErrorKind::FileTooLarge.into()),
            bytes => Ok(String::from_utf8_lossy(bytes.trim_ascii())),
        }
    }

    /// Whether the device can be kept for the next scrape. Outside sysfs, another directory may
    /// replace it until then.
    pub(crate) fn is_permanent(&self) -> bool {
        self.0.is_permanent()
    }

    pub(crate) fn read_error(&self, name: &str, source: io::Error) -> Error {
        read_error(&self.path().join(name), source)
    }

    /// An error that names the attribute and shows the text that was found.
    pub(crate) fn parse_error(&self, name: &str, expected: &'static str, found: &str) -> Error {
        Error::Parse { path: self.path().join(name), expected, found: truncated(found) }
    }
}

fn read_error(path: &Path, source: io::Error) -> Error {
    Error::Read { path: path.to_owned(), source }
}
