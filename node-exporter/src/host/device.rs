//! Devices of sysfs: directories of small files.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use exporter_core::collector::Error;
use exporter_core::file::{OpenFile, OpenFileBudget};
use rustix::fs::{CWD, Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use super::directory::numbered_of;
use super::file::{File, shortened};

/// A directory of small files: a device of sysfs. Its path is resolved once, not once for each
/// file.
#[derive(Debug)]
pub(crate) struct Device {
    path: PathBuf,
    fd: OwnedFd,
}

/// The maximum size of a sysfs attribute.
pub(crate) type Page = [u8; 4096];

pub(crate) const BLANK: Page = [0; 4096];

impl Device {
    pub(super) fn open(path: PathBuf) -> Result<Self, Error> {
        Self::open_at(CWD, &path.clone(), path)
    }

    /// A directory of this device, such as `statistics`.
    pub(crate) fn device(&self, name: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_at(&self.fd, name.as_ref(), self.path.join(&name))
    }

    fn open_at(at: impl AsFd, name: &Path, path: PathBuf) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::openat(at, name, flags, Mode::empty()) {
            Ok(fd) => Ok(Self { path, fd }),
            Err(errno) => Err(Error::Read { path, source: errno.into() }),
        }
    }

    /// The names of its attributes and directories, in order.
    pub(crate) fn names(&self) -> Result<Vec<String>, Error> {
        let names = rustix::fs::seek(&self.fd, SeekFrom::Start(0)).map_err(io::Error::from);
        let names = names.and_then(|_| numbered_of(&self.fd));
        let names = names.map_err(|source| Error::Read { path: self.path.clone(), source })?;
        Ok(names.into_iter().map(|(name, ..)| name.to_string_lossy().into_owned()).collect())
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
        for name in self.names()?.into_iter().filter(|name| wanted(name)) {
            match self.device(&name) {
                Ok(device) => devices.push((name, device)),
                Err(Error::Read { source, .. })
                    if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(devices)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a directory of the device, or of one that it links to, without links.
    pub(crate) fn canonical(&self, name: &str) -> io::Result<PathBuf> {
        let directory =
            rustix::fs::openat(&self.fd, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        // The kernel knows the path of an open directory; otherwise each of its parts would be asked
        // whether it is a link. Where procfs is hidden, that is the way.
        let open = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
        let path = open.read_link().ok().filter(|path| path.is_absolute());
        path.map_or_else(|| self.path.join(name).canonicalize(), Ok)
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
        let opened = self.attribute(name.as_ref());
        File::read_small(self.path.join(name), opened)
    }

    /// A sensor: one read of 128 bytes. Drivers measure on each read, some reject a second read,
    /// and none returns more.
    pub(crate) fn sensor(&self, name: impl AsRef<Path>) -> Result<File, Error> {
        let opened = self.attribute(name.as_ref());
        File::read_sensor(self.path.join(name), opened)
    }

    /// An attribute without the white space around it; what is not UTF-8 is U+FFFD.
    pub(crate) fn text<'p>(&self, name: &str, page: &'p mut Page) -> Result<Cow<'p, str>, Error> {
        self.read(name, page).map_err(|source| self.unread(name, source))
    }

    /// Like [`Device::text`], for callers that handle some errors as results.
    pub(crate) fn read<'p>(&self, name: &str, page: &'p mut Page) -> io::Result<Cow<'p, str>> {
        let file = self.attribute(name)?;
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut page[..]))?;
        trimmed(page, length)
    }

    fn attribute(&self, name: impl AsRef<Path>) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        Ok(rustix::fs::openat(&self.fd, name.as_ref(), flags, Mode::empty())?)
    }

    pub(crate) fn unread(&self, name: &str, source: io::Error) -> Error {
        Error::Read { path: self.path.join(name), source }
    }

    /// An error that names an attribute and shows what it `found` there.
    pub(crate) fn unlike(&self, name: &str, expected: &'static str, found: &str) -> Error {
        Error::Parse { path: self.path.join(name), expected, found: shortened(found) }
    }
}

/// An attribute that has been read. The kernel returns it completely or not at all, so one read
/// is enough.
fn trimmed(page: &Page, length: usize) -> io::Result<Cow<'_, str>> {
    if length == page.len() {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(String::from_utf8_lossy(page.get(..length).unwrap_or_default().trim_ascii()))
}

/// A device whose attributes stay open, within the limit of `FileCache`.
#[derive(Debug)]
pub(crate) struct KeptDevice {
    device: Device,
    places: OpenFileBudget,
    files: Vec<(&'static str, OpenFile)>,
}

impl KeptDevice {
    pub(super) fn new(device: Device, places: OpenFileBudget) -> Self {
        Self { device, places, files: Vec::new() }
    }

    /// Like [`Device::read`].
    pub(crate) fn read<'p>(
        &mut self,
        name: &'static str,
        page: &'p mut Page,
    ) -> io::Result<Cow<'p, str>> {
        if let Some(at) = self.files.iter().position(|(kept, _)| *kept == name)
            && let Some((_, file)) = self.files.get(at)
        {
            match rustix::io::retry_on_intr(|| rustix::io::pread(file, &mut page[..], 0)) {
                // Every file of a removed device returns this. Other errors, such as for an
                // interface that is down, are results.
                Err(Errno::NODEV) => self.files.swap_remove(at),
                read => return trimmed(page, read?),
            };
        }
        let file = self.device.attribute(name)?;
        let read = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut page[..]));
        self.files.extend(self.places.keep(file).map(|kept| (name, kept)));
        trimmed(page, read?)
    }

    /// Whether any file of it is open. Outside sysfs none is, and another directory may replace it
    /// before the next scrape.
    pub(crate) fn is_kept(&self) -> bool {
        !self.files.is_empty()
    }

    /// Its path, for errors.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }
}
