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
use rustix::fs::SeekFrom;

pub(crate) use self::cache::DeviceCache;
use self::cache::Directory;
use super::directory::numbered_of;
use super::file::{BLANK, File, Page, shortened};

/// A directory of small files: a device of sysfs. Its path is resolved once, not once for each
/// file.
///
/// In sysfs, it stays open until the next scrape with the files that were read and the directories
/// that were opened below it.
#[derive(Clone, Debug)]
pub(crate) struct Device(Arc<Directory>);

impl Device {
    /// A directory of this device, such as `statistics`.
    pub(crate) fn device(&self, name: impl AsRef<Path>) -> Result<Self, Error> {
        self.0.directory(name.as_ref().as_os_str(), None).map(Self)
    }

    /// The names of its attributes and directories, in order.
    pub(crate) fn names(&self) -> Result<Vec<String>, Error> {
        Ok(self.numbered()?.into_iter().map(|(name, _)| name).collect())
    }

    /// The names, each with the inode number of its directory entry.
    fn numbered(&self) -> Result<Vec<(String, u64)>, Error> {
        let names = rustix::fs::seek(self.0.as_fd(), SeekFrom::Start(0)).map_err(io::Error::from);
        let names = names.and_then(|_| numbered_of(self.0.as_fd()));
        let names = names.map_err(|source| unread(self.path(), source))?.into_iter();
        Ok(names.map(|(name, number, _)| (name.to_string_lossy().into_owned(), number)).collect())
    }

    /// The directories of this device by name, in order. Directories removed meanwhile are left
    /// out.
    pub(crate) fn devices(&self) -> Result<Vec<(String, Self)>, Error> {
        self.devices_that(|_| true)
    }

    /// Like [`Device::devices`], of those with a name that is `wanted`. The others are not opened.
    pub(crate) fn devices_that(
        &self,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, Self)>, Error> {
        let mut devices = Vec::new();
        for (name, number) in self.numbered()?.into_iter().filter(|(name, _)| wanted(name)) {
            match self.0.directory(OsStr::new(&name), Some(number)) {
                Ok(device) => devices.push((name, Self(device))),
                Err(Error::Read { source, .. })
                    if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(devices)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of a directory of the device, or of one that it links to, without links.
    pub(crate) fn canonical(&self, name: &str) -> Result<PathBuf, Error> {
        let directory = self.0.directory(OsStr::new(name), None)?;
        // The kernel knows the path of an open directory; otherwise each of its parts would be asked
        // whether it is a link. Where procfs is hidden, that is the way.
        let open = format!("/proc/self/fd/{}", directory.as_fd().as_raw_fd());
        let path = Path::new(&open).read_link().ok().filter(|path| path.is_absolute());
        path.map_or_else(|| directory.path().canonicalize(), Ok)
            .map_err(|source| unread(directory.path(), source))
    }

    /// An attribute as read by [`Device::text`], as an owned string.
    pub(crate) fn string(&self, name: &str) -> Result<String, Error> {
        let mut page = BLANK;
        self.text(name, &mut page).map(Cow::into_owned)
    }

    /// An attribute that consists of a number.
    pub(crate) fn number<T: FromStr>(
        &self,
        name: &str,
        expected: &'static str,
    ) -> Result<T, Error> {
        let mut page = BLANK;
        let text = self.text(name, &mut page)?;
        text.parse().map_err(|_| self.unlike(name, expected, &text))
    }

    /// An attribute of several lines.
    pub(crate) fn file(&self, name: impl AsRef<Path>) -> Result<File, Error> {
        let mut page = BLANK;
        File::of_page(self.path().join(&name), self.0.read(name.as_ref().as_os_str(), &mut page))
    }

    /// A sensor: one read of 128 bytes. Drivers measure on each read, some reject a second read,
    /// and none returns more.
    pub(crate) fn sensor(&self, name: impl AsRef<Path>) -> Result<File, Error> {
        let mut room = [0; 128];
        let read = self.0.read(name.as_ref().as_os_str(), &mut room).map(<[u8]>::to_vec);
        File::new(self.path().join(name), read)
    }

    /// An attribute without the white space around it; what is not UTF-8 is U+FFFD.
    pub(crate) fn text<'p>(&self, name: &str, page: &'p mut Page) -> Result<Cow<'p, str>, Error> {
        self.read(name, page).map_err(|source| self.unread(name, source))
    }

    /// Like [`Device::text`], for callers that handle some errors as results.
    pub(crate) fn read<'p>(&self, name: &str, page: &'p mut Page) -> io::Result<Cow<'p, str>> {
        // The kernel returns an attribute completely or not at all, so one read is enough.
        match self.0.read(OsStr::new(name), page)? {
            bytes if bytes.len() == size_of::<Page>() => Err(ErrorKind::FileTooLarge.into()),
            bytes => Ok(String::from_utf8_lossy(bytes.trim_ascii())),
        }
    }

    /// Whether it stays open. Outside sysfs it does not, and another directory may replace it before
    /// the next scrape.
    pub(crate) fn is_kept(&self) -> bool {
        self.0.is_kept()
    }

    pub(crate) fn unread(&self, name: &str, source: io::Error) -> Error {
        unread(&self.path().join(name), source)
    }

    /// An error that names an attribute and shows what it `found` there.
    pub(crate) fn unlike(&self, name: &str, expected: &'static str, found: &str) -> Error {
        Error::Parse { path: self.path().join(name), expected, found: shortened(found) }
    }
}

fn unread(path: &Path, source: io::Error) -> Error {
    Error::Read { path: path.to_owned(), source }
}
