//! The machine's files, under whatever roots the command line gives them.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::{FromStr, SplitAsciiWhitespace};

use exporter_core::collector::Error;
use exporter_core::file::{self, FileCache, OpenFile, OpenFileBudget};
use rustix::fs::{FileType, Mode, OFlags, RawDir, Stat};
use rustix::io::Errno;

use crate::dbus::Bus;

/// Where the machine's file systems are mounted. The only way to a file in this program.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// `--path.procfs`
    pub(crate) procfs: PathBuf,
    /// `--path.sysfs`
    pub(crate) sysfs: PathBuf,
    /// `--path.rootfs`
    pub(crate) rootfs: PathBuf,
    /// `--path.udev.data`
    pub(crate) udev: PathBuf,
    /// What stays open of all that.
    pub(crate) kept: FileCache,
    /// The system bus, for what is asked of a service instead of read from a file.
    pub(crate) bus: Bus,
}

impl Host {
    /// Reads a file below procfs, such as `net/dev`, and keeps it open for the next time.
    pub(crate) fn proc(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.keep(self.procfs.join(path))
    }

    /// Reads a file below sysfs, such as `class/net/eth0/mtu`.
    pub(crate) fn sys(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        File::read(self.sysfs.join(path))
    }

    /// As [`Host::sys`], and keeps the file open for the next time: for what is read in every
    /// scrape. Not below `class/net`, where a file stays with an interface that gets another name.
    pub(crate) fn sys_kept(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.keep(self.sysfs.join(path))
    }

    fn keep(&self, path: PathBuf) -> Result<File, Error> {
        let read = self.kept.read(&path);
        File::new(path, read)
    }

    /// Reads a file below the root, such as `etc/os-release`.
    pub(crate) fn root(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        File::read(self.rootfs.join(path))
    }

    /// Reads a file of procfs as it is, for what need not be UTF-8.
    pub(crate) fn proc_bytes(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, Error> {
        let path = self.procfs.join(path);
        file::read(&path).map_err(|source| Error::Read { path, source })
    }

    /// What udev knows of a device, such as `b8:0`.
    pub(crate) fn udev(&self, device: impl AsRef<Path>) -> Result<File, Error> {
        File::read(self.udev.join(device))
    }

    /// The names in a directory below sysfs, in order. A name that is not UTF-8 has U+FFFD in
    /// the place of what is not.
    pub(crate) fn list_sys(&self, path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
        list(&self.sysfs.join(path))
    }

    /// The names of the directories in a directory below sysfs, in order; links are not followed.
    pub(crate) fn directories_sys(&self, path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
        let path = self.sysfs.join(path);
        let all = numbered(&path).map_err(|source| Error::Read { path, source })?.into_iter();
        let directories = all.filter(|(.., kind)| *kind == FileType::Directory);
        Ok(directories.map(|(name, ..)| name.to_string_lossy().into_owned()).collect())
    }

    /// The network interfaces that sysfs shows, in the order of their names. The number with each
    /// name is of the interface that has it now, and never of another.
    pub(crate) fn interfaces(&self) -> Result<Vec<(String, u64)>, Error> {
        let path = self.sysfs.join("class/net");
        let names = numbered(&path).map_err(|source| Error::Read { path, source })?.into_iter();
        Ok(names.map(|(name, number, _)| (name.to_string_lossy().into_owned(), number)).collect())
    }

    /// A directory below sysfs of which several attributes are wanted, such as `class/net/eth0`.
    pub(crate) fn device(&self, path: impl AsRef<Path>) -> Result<Device, Error> {
        Device::open(self.sysfs.join(path))
    }

    /// As [`Host::device`], for a device to be kept from one scrape to the next.
    pub(crate) fn kept_device(&self, path: impl AsRef<Path>) -> Result<KeptDevice, Error> {
        let device = self.device(path)?;
        Ok(KeptDevice { device, places: self.kept.budget().clone(), files: Vec::new() })
    }
}

/// The names in a directory, in order.
pub(crate) fn list(path: &Path) -> Result<Vec<String>, Error> {
    let names = entries(path)?.into_iter();
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// The names in a directory, in order, as they are.
pub(crate) fn entries(path: &Path) -> Result<Vec<OsString>, Error> {
    let numbered =
        numbered(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(numbered.into_iter().map(|(name, ..)| name).collect())
}

/// The names in a directory, in order, with the numbers and types of the files that have them.
fn numbered(path: &Path) -> io::Result<Vec<(OsString, u64, FileType)>> {
    const BUFFER: usize = 4096;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty())?;
    let mut buffer = Vec::with_capacity(BUFFER);
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

/// Which file is at `path` and when it last changed. What is no plain file is an error.
pub(crate) fn plain(path: &Path) -> Result<Stat, Error> {
    let fail = |source| Error::Read { path: path.to_owned(), source };
    let stat = rustix::fs::stat(path).map_err(|errno| fail(errno.into()))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(stat),
        _ => Err(fail(io::Error::new(ErrorKind::InvalidInput, "not a plain file"))),
    }
}

/// Reads a file whole, without ever waiting for a FIFO or device in its place.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    file::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// A directory whose small files are read one by one: a device of sysfs. It is found once, not
/// once for each of them.
#[derive(Debug)]
pub(crate) struct Device {
    path: PathBuf,
    fd: OwnedFd,
}

/// As much as an attribute of sysfs can hold.
pub(crate) type Page = [u8; 4096];

pub(crate) const BLANK: Page = [0; 4096];

impl Device {
    fn open(path: PathBuf) -> Result<Self, Error> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(fd) => Ok(Self { path, fd }),
            Err(errno) => Err(Error::Read { path, source: errno.into() }),
        }
    }

    /// An attribute without the white space around it; what is not UTF-8 is U+FFFD.
    pub(crate) fn text<'p>(&self, name: &str, page: &'p mut Page) -> Result<Cow<'p, str>, Error> {
        self.read(name, page).map_err(|source| self.unread(name, source))
    }

    /// As [`Device::text`], for those who take some errors for an answer.
    pub(crate) fn read<'p>(&self, name: &str, page: &'p mut Page) -> io::Result<Cow<'p, str>> {
        let file = self.attribute(name)?;
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut page[..]))?;
        trimmed(page, length)
    }

    fn attribute(&self, name: &str) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        Ok(rustix::fs::openat(&self.fd, name, flags, Mode::empty())?)
    }

    pub(crate) fn unread(&self, name: &str, source: io::Error) -> Error {
        Error::Read { path: self.path.join(name), source }
    }

    /// An error that names an attribute and shows what it `found` there.
    pub(crate) fn unlike(&self, name: &str, expected: &'static str, found: &str) -> Error {
        Error::Parse { path: self.path.join(name), expected, found: shortened(found) }
    }
}

/// An attribute that has been read. The kernel gives it whole or not at all, so one read does.
fn trimmed(page: &Page, length: usize) -> io::Result<Cow<'_, str>> {
    if length == page.len() {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(String::from_utf8_lossy(page.get(..length).unwrap_or_default().trim_ascii()))
}

/// A device whose attributes stay open, as far as there is room: see [`FileCache`].
#[derive(Debug)]
pub(crate) struct KeptDevice {
    device: Device,
    places: OpenFileBudget,
    files: Vec<(&'static str, OpenFile)>,
}

impl KeptDevice {
    /// As [`Device::read`].
    pub(crate) fn read<'p>(
        &mut self,
        name: &'static str,
        page: &'p mut Page,
    ) -> io::Result<Cow<'p, str>> {
        if let Some(at) = self.files.iter().position(|(kept, _)| *kept == name)
            && let Some((_, file)) = self.files.get(at)
        {
            match rustix::io::retry_on_intr(|| rustix::io::pread(file, &mut page[..], 0)) {
                // All that a file says of a device that is gone. What it says of one that is
                // there, as that it is down, is an answer.
                Err(Errno::NODEV) => self.files.swap_remove(at),
                read => return trimmed(page, read?),
            };
        }
        let file = self.device.attribute(name)?;
        let read = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut page[..]));
        self.files.extend(self.places.keep(file).map(|kept| (name, kept)));
        trimmed(page, read?)
    }

    /// Whether anything of it is open: elsewhere than on sysfs nothing is, and another directory
    /// may have its place by the next time.
    pub(crate) fn is_kept(&self) -> bool {
        !self.files.is_empty()
    }

    /// What it was found by, for errors.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }
}

/// A file read whole. It remembers its path, so that what is wrong in it can be told.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    text: String,
}

impl File {
    /// Reads without ever waiting: a FIFO or device in the place of a file is an error or empty.
    pub(crate) fn read(path: PathBuf) -> Result<Self, Error> {
        let read = file::read(&path);
        Self::new(path, read)
    }

    fn new(path: PathBuf, read: io::Result<Vec<u8>>) -> Result<Self, Error> {
        match read {
            Ok(bytes) => {
                // A name in a line may be anything; the numbers beside it are still good.
                let text = String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
                Ok(Self { path, text })
            }
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    /// Reads a sensor: one read of 128 bytes. Drivers measure when they are read, some refuse a
    /// second read, and none has more to say.
    pub(crate) fn sensor(path: PathBuf) -> Result<Self, Error> {
        let mut bytes = [0; 128];
        match file::open(&path).and_then(|file| Ok(rustix::io::read(&file, &mut bytes)?)) {
            Ok(length) => {
                let bytes = bytes.get(..length).unwrap_or_default();
                Ok(Self { path, text: String::from_utf8_lossy(bytes).into_owned() })
            }
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self { path: PathBuf::from("test"), text: text.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All of it; what is not UTF-8 is U+FFFD.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// All of it without the white space around it: how most files of sysfs are read.
    pub(crate) fn trimmed(&self) -> &str {
        self.text.trim()
    }

    /// The whole file as one number.
    pub(crate) fn number<T: FromStr>(&self, expected: &'static str) -> Result<T, Error> {
        self.trimmed().parse().map_err(|_| self.unlike(expected))
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = Fields<'_>> {
        self.text.lines().map(|line| Fields::new(&self.path, line))
    }

    /// The fields of the first line, or none at all if the file is empty.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields::new(&self.path, self.text.lines().next().unwrap_or_default())
    }

    /// An error that names this file and shows how it begins.
    pub(crate) fn unlike(&self, expected: &'static str) -> Error {
        let found = self.text.lines().next().unwrap_or_default().to_owned();
        Error::Parse { path: self.path.clone(), expected, found: shortened(&found) }
    }
}

/// The fields of a line, taken from the left.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    path: &'a Path,
    line: &'a str,
    rest: SplitAsciiWhitespace<'a>,
}

impl<'a> Fields<'a> {
    fn new(path: &'a Path, line: &'a str) -> Self {
        Self { path, line, rest: line.split_ascii_whitespace() }
    }

    #[cfg(test)]
    pub(crate) fn of(line: &'a str) -> Self {
        Self::new(Path::new("test"), line)
    }

    /// The whole line, whatever has been taken from it.
    pub(crate) fn line(&self) -> &'a str {
        self.line
    }

    pub(crate) fn skip(&mut self, fields: usize) {
        self.rest.by_ref().take(fields).for_each(drop);
    }

    /// The next field, or nothing at the end of the line.
    pub(crate) fn optional(&mut self) -> Option<&'a str> {
        self.rest.next()
    }

    /// All fields from here on.
    pub(crate) fn words(self) -> SplitAsciiWhitespace<'a> {
        self.rest
    }

    pub(crate) fn word(&mut self, expected: &'static str) -> Result<&'a str, Error> {
        self.rest.next().ok_or_else(|| self.unlike(expected))
    }

    pub(crate) fn number<T: FromStr>(&mut self, expected: &'static str) -> Result<T, Error> {
        self.word(expected)?.parse().map_err(|_| self.unlike(expected))
    }

    /// A number written in hexadecimal, without a prefix.
    pub(crate) fn hex(&mut self, expected: &'static str) -> Result<u64, Error> {
        u64::from_str_radix(self.word(expected)?, 16).map_err(|_| self.unlike(expected))
    }

    /// The next number, or nothing where an older kernel's line ends.
    pub(crate) fn newer<T: FromStr>(&mut self, expected: &'static str) -> Result<Option<T>, Error> {
        self.rest.clone().next().map(|_| self.number(expected)).transpose()
    }

    /// An error that names the file and shows the line.
    pub(crate) fn unlike(&self, expected: &'static str) -> Error {
        Error::Parse { path: self.path.to_owned(), expected, found: shortened(self.line) }
    }
}

/// As much of a line as belongs in an error.
fn shortened(line: &str) -> String {
    const MOST: usize = 120;
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// Takes a missing file for a missing feature.
pub(crate) trait OrAbsent {
    fn or_absent(self, what: &'static str) -> Self;
}

impl<T> OrAbsent for Result<T, Error> {
    fn or_absent(self, what: &'static str) -> Self {
        self.map_err(|error| match error {
            Error::Read { source, .. } if source.kind() == ErrorKind::NotFound => {
                Error::Absent(what)
            }
            other => other,
        })
    }
}

/// Takes a missing file for nothing to report.
pub(crate) fn if_there<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A path from bytes that a file of the kernel holds.
pub(crate) fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
