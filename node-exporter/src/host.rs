//! The files of the machine, below the roots from the command line.

mod device;
mod directory;
mod file;

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use exporter_core::collector::Error;
use exporter_core::file::{FileCache, OpenFile, Records, is_of_kernel};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::dbus::Bus;
use crate::netlink::link::SharedCounters;

pub(crate) use self::device::{Device, DeviceCache};
use self::directory::{directories, numbered};
pub(crate) use self::directory::{entries, list};
pub(crate) use self::file::{BLANK, Fields, File, Page};

/// The roots of the machine's file systems. All file access of this program goes through it.
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
    /// Files that stay open.
    pub(crate) kept: FileCache,
    /// Devices that stay open.
    pub(crate) devices: DeviceCache,
    /// Counters of interfaces that are requested once per scrape.
    pub(crate) shared_counters: SharedCounters,
    /// The system bus, for data from services instead of files.
    pub(crate) bus: Bus,
}

#[cfg(test)]
impl Host {
    /// A machine whose files are below `root`: `proc`, `sys`, `udev/data`, and the rest.
    pub(crate) fn for_tests(root: &Path) -> Self {
        let kept = FileCache::default();
        Self {
            procfs: root.join("proc"),
            sysfs: root.join("sys"),
            rootfs: root.to_owned(),
            udev: root.join("udev/data"),
            devices: DeviceCache::new(kept.budget().clone()),
            kept,
            shared_counters: SharedCounters::default(),
            bus: Bus::system(),
        }
    }
}

impl Host {
    /// Reads a file below procfs, such as `net/dev`, and keeps it open for the next scrape. For files
    /// whose lines are shorter than 2 KiB.
    pub(crate) fn proc(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.keep(self.procfs.join(path), Records::Short)
    }

    /// Like [`Host::proc`], for files whose lines may have any length, or with CPUs as columns.
    pub(crate) fn proc_long_lines(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.keep(self.procfs.join(path), Records::Long)
    }

    /// Like [`Host::proc`], for files that the kernel writes at once.
    pub(crate) fn proc_at_once(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.keep(self.procfs.join(path), Records::Single)
    }

    /// Like [`Host::proc_at_once`], for files that two collectors read: the second one gets what
    /// the first has read in the same scrape.
    pub(crate) fn proc_once(
        &self,
        reader: &'static str,
        path: impl AsRef<Path>,
    ) -> Result<File, Error> {
        let path = self.procfs.join(path);
        let read = self.kept.read_once(reader, &path, Records::Single);
        File::new(path, read)
    }

    /// Like [`Host::proc`], for a small file that its reader keeps open, if the limit allows.
    pub(crate) fn proc_opened(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<(File, Option<OpenFile>), Error> {
        let path = self.procfs.join(path);
        let opened = match exporter_core::file::open(&path) {
            Ok(opened) => opened,
            Err(source) => return Err(Error::Read { path, source }),
        };
        let file = File::read_small(path, &opened)?;
        let kept = is_of_kernel(&opened).then(|| self.kept.budget().keep(opened)).flatten();
        Ok((file, kept))
    }

    /// Whether there is such a file below procfs.
    pub(crate) fn has_proc(&self, path: impl AsRef<Path>) -> bool {
        rustix::fs::stat(self.procfs.join(path)).is_ok()
    }

    /// Reads a file below sysfs, such as `class/net/eth0/mtu`.
    pub(crate) fn sys(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        read_small(self.sysfs.join(path))
    }

    /// Like [`Host::sys`], and keeps the file open: for files that are read in every scrape. Not
    /// for files below `class/net`, because an open file follows an interface that is renamed.
    pub(crate) fn sys_kept(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.keep(self.sysfs.join(path), Records::Single)
    }

    fn keep(&self, path: PathBuf, records: Records) -> Result<File, Error> {
        let read = self.kept.read(&path, records);
        File::new(path, read)
    }

    /// Reads a file below the root, such as `etc/os-release`.
    pub(crate) fn root(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        File::read(self.rootfs.join(path))
    }

    /// Like [`Host::proc_long_lines`], as bytes, for a file that may not be UTF-8.
    pub(crate) fn proc_bytes(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, Error> {
        let path = self.procfs.join(path);
        self.kept.read(&path, Records::Long).map_err(|source| Error::Read { path, source })
    }

    /// Udev's data of a device, such as `b8:0`.
    pub(crate) fn udev(&self, device: impl AsRef<Path>) -> Result<File, Error> {
        File::read(self.udev.join(device))
    }

    /// Like [`Host::list_sys`], below procfs.
    pub(crate) fn list_proc(&self, path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
        list(&self.procfs.join(path))
    }

    /// The names in a directory below sysfs, in order. In names that are not
    /// UTF-8, U+FFFD replaces the invalid bytes.
    pub(crate) fn list_sys(&self, path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
        list(&self.sysfs.join(path))
    }

    /// The names of the directories in a directory below procfs, in order; links are not followed.
    pub(crate) fn directories_proc(&self, path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
        directories(self.procfs.join(path))
    }

    /// Opens a file or directory below the root, for use with system calls.
    pub(crate) fn open_root(&self, path: &Path) -> Result<OwnedFd, Error> {
        let path = self.rootfs.join(path.strip_prefix("/").unwrap_or(path));
        exporter_core::file::open(&path).map_err(|source| Error::Read { path, source })
    }

    /// The names of the directories in a directory below sysfs, in order; links are not followed.
    pub(crate) fn directories_sys(&self, path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
        directories(self.sysfs.join(path))
    }

    /// The target of a symbolic link below sysfs, unresolved.
    pub(crate) fn link_sys(&self, path: impl AsRef<Path>) -> Result<PathBuf, Error> {
        let path = self.sysfs.join(path);
        path.read_link().map_err(|source| Error::Read { path, source })
    }

    /// The network interfaces in sysfs, ordered by name. The number with each name identifies the
    /// interface that has this name now.
    pub(crate) fn interfaces(&self) -> Result<Vec<(String, u64)>, Error> {
        let path = self.sysfs.join("class/net");
        let mut names = numbered(&path).map_err(|source| Error::Read { path, source })?;
        // `bonding_masters`
        names.retain(|(.., kind)| *kind != FileType::RegularFile);
        let names = names.into_iter();
        Ok(names.map(|(name, number, _)| (name.to_string_lossy().into_owned(), number)).collect())
    }

    /// A directory below sysfs, for reading several of its attributes, such as `class/net/eth0`.
    pub(crate) fn device(&self, path: impl AsRef<Path>) -> Result<Device, Error> {
        self.devices.device(self.sysfs.join(path))
    }

    /// Like [`Host::device`], for a caller that keeps the device between scrapes by itself.
    pub(crate) fn uncached_device(&self, path: impl AsRef<Path>) -> Result<Device, Error> {
        self.devices.uncached_device(self.sysfs.join(path))
    }

    /// The devices in a directory below sysfs, such as `class/nvme`, in the order of their names.
    /// A device that is removed meanwhile is left out.
    pub(crate) fn devices(&self, path: impl AsRef<Path>) -> Result<Vec<(String, Device)>, Error> {
        self.device(path)?.devices()
    }
}

fn read_small(path: PathBuf) -> Result<File, Error> {
    match exporter_core::file::open(&path) {
        Ok(opened) => File::read_small(path, &opened),
        Err(source) => Err(Error::Read { path, source }),
    }
}

/// Identity and modification time of the file at `path`. An error if it is not a regular file.
pub(crate) fn plain(path: &Path) -> Result<Stat, Error> {
    let fail = |source| Error::Read { path: path.to_owned(), source };
    let stat = rustix::fs::stat(path).map_err(|errno| fail(errno.into()))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(stat),
        _ => Err(fail(io::Error::new(ErrorKind::InvalidInput, "not a plain file"))),
    }
}

/// Reads a whole file, without blocking if it is a FIFO or device.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    exporter_core::file::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Treats a missing file as a missing feature.
pub(crate) trait OrAbsent {
    fn or_absent(self, what: &'static str) -> Self;
}

impl<T> OrAbsent for Result<T, Error> {
    fn or_absent(self, what: &'static str) -> Self {
        self.map_err(|error| match error {
            Error::Read { source, .. } if is_missing(&source) => Error::Absent(what),
            other => other,
        })
    }
}

/// Treats a missing file as nothing to report.
pub(crate) fn if_there<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Read { source, .. }) if is_missing(&source) => Ok(None),
        Err(error) => Err(error),
    }
}

/// True if a component of the path does not exist, or is a file where a directory is expected: the
/// kernel has files beside the directories of devices, such as `/sys/fs/xfs/stats/stats`.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Treats an attribute that is missing, or not supported by the driver or the kernel, as nothing
/// to report.
pub(crate) fn if_supported<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Read { source, .. }) if is_unsupported(&source) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::NOENT
                | Errno::INVAL
                | Errno::OPNOTSUPP
                | Errno::NODATA
                | Errno::NODEV
                | Errno::NXIO
        )
    )
}

/// A path from bytes in a kernel file.
pub(crate) fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
