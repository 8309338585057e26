//! Access to the files of the machine, below the root paths of the command line.

mod device;
mod directory;
mod file;

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use exporter_core::collector::Error;
use exporter_core::file::{FileCache, FileSystem, OpenFile, Records};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::dbus::Bus;
use crate::netlink::link::SharedCounters;

pub(crate) use self::device::{Device, DeviceCache};
use self::directory::{directories, join, names_of_directories};
pub(crate) use self::directory::{entries, list};
pub(crate) use self::file::{EMPTY_PAGE, Fields, File, Page};

/// The root paths of the machine's file systems. All file access of this program goes through it.
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
    /// Open files of procfs and sysfs.
    pub(crate) file_cache: FileCache,
    /// Open directories of sysfs.
    pub(crate) device_cache: DeviceCache,
    /// Counters of interfaces that are requested once per scrape.
    pub(crate) shared_counters: SharedCounters,
    /// The system bus, for data from services instead of files.
    pub(crate) bus: Bus,
}

#[cfg(test)]
impl Host {
    /// A machine with its files below `root`: procfs in `proc`, sysfs in `sys`, udev in
    /// `udev/data`.
    pub(crate) fn for_tests(root: &Path) -> Self {
        let file_cache = FileCache::default();
        Self {
            procfs: root.join("proc"),
            sysfs: root.join("sys"),
            rootfs: root.to_owned(),
            udev: root.join("udev/data"),
            device_cache: DeviceCache::new(file_cache.budget().clone()),
            file_cache,
            shared_counters: SharedCounters::default(),
            bus: Bus::system(),
        }
    }
}

impl Host {
    /// Reads a file below procfs, such as `net/dev`, and keeps it open for the next scrape. Only
    /// for files with lines shorter than 2 KiB.
    pub(crate) fn proc(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.read_cached(join(&self.procfs, path), Records::Short)
    }

    /// Like [`Host::proc`], for files with lines of any length, such as files with a column per
    /// CPU.
    pub(crate) fn proc_long_lines(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.read_cached(join(&self.procfs, path), Records::Long)
    }

    /// Like [`Host::proc`], for files that the kernel generates as a single record.
    pub(crate) fn proc_single_record(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.read_cached(join(&self.procfs, path), Records::Single)
    }

    /// Like [`Host::proc_single_record`], for a file that two collectors read in each scrape: the
    /// second collector gets the content that the first one has read.
    pub(crate) fn proc_shared(
        &self,
        reader: &'static str,
        path: impl AsRef<Path>,
    ) -> Result<File, Error> {
        let path = join(&self.procfs, path);
        let read = self.file_cache.read_shared(reader, &path, Records::Single);
        File::new(path, read)
    }

    /// Like [`Host::proc`], for a small file that the caller keeps open. Returns no open file if
    /// the limit on open files is reached.
    pub(crate) fn proc_with_handle(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<(File, Option<OpenFile>), Error> {
        let path = join(&self.procfs, path);
        let opened = match exporter_core::file::open(&path) {
            Ok(opened) => opened,
            Err(source) => return Err(Error::Read { path, source }),
        };
        let file = File::read_small(path, &opened)?;
        let is_of_kernel = FileSystem::of(&opened) == Some(FileSystem::Kernel);
        let open_file = is_of_kernel.then(|| self.file_cache.budget().keep(opened)).flatten();
        Ok((file, open_file))
    }

    /// Whether a file below procfs exists.
    pub(crate) fn has_proc(&self, path: impl AsRef<Path>) -> bool {
        rustix::fs::stat(join(&self.procfs, path)).is_ok()
    }

    /// Reads a file below sysfs, such as `class/net/eth0/mtu`.
    pub(crate) fn sys(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        read_small(join(&self.sysfs, path))
    }

    /// Like [`Host::sys`], but keeps the file open for the next scrape. Not for files below
    /// `class/net`: an open file follows an interface that is renamed.
    pub(crate) fn sys_cached(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        self.read_cached(join(&self.sysfs, path), Records::Single)
    }

    fn read_cached(&self, path: PathBuf, records: Records) -> Result<File, Error> {
        let read = self.file_cache.read(&path, records);
        File::new(path, read)
    }

    /// Reads a file below the root, such as `etc/os-release`.
    pub(crate) fn root(&self, path: impl AsRef<Path>) -> Result<File, Error> {
        File::read(join(&self.rootfs, path))
    }

    /// Like [`Host::proc_long_lines`], as bytes, for a file that may not be UTF-8.
    pub(crate) fn proc_bytes(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, Error> {
        let path = join(&self.procfs, path);
        self.file_cache.read(&path, Records::Long).map_err(|source| Error::Read { path, source })
    }

    /// The database of udev, with a file for each device, such as `b8:0`.
    pub(crate) fn udev(&self) -> Result<Device, Error> {
        self.device_cache.device(self.udev.clone())
    }

    /// Like [`Host::list_sys`], below procfs.
    pub(crate) fn list_proc(&self, path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
        list(&join(&self.procfs, path))
    }

    /// The names in a directory below sysfs, in order. In names that are not
    /// UTF-8, U+FFFD replaces the invalid bytes.
    pub(crate) fn list_sys(&self, path: impl AsRef<Path>) -> Result<Vec<String>, Error> {
        self.device(path)?.names()
    }

    /// The names of the directories in a directory below procfs, in order; links are not followed.
    pub(crate) fn list_proc_directories(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<Vec<String>, Error> {
        directories(&join(&self.procfs, path))
    }

    /// Opens a file or directory below the root, for use with system calls.
    pub(crate) fn open_root(&self, path: &Path) -> Result<OwnedFd, Error> {
        let path = join(&self.rootfs, path.strip_prefix("/").unwrap_or(path));
        exporter_core::file::open(&path).map_err(|source| Error::Read { path, source })
    }

    /// The names of the directories in a directory below sysfs, in order; links are not followed.
    pub(crate) fn list_sys_directories(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<Vec<String>, Error> {
        self.device(path)?.entries().map(|entries| names_of_directories(&entries))
    }

    /// The target of a symbolic link below sysfs, unresolved.
    pub(crate) fn read_link_sys(&self, path: impl AsRef<Path>) -> Result<PathBuf, Error> {
        let path = join(&self.sysfs, path);
        path.read_link().map_err(|source| Error::Read { path, source })
    }

    /// The network interfaces in sysfs, ordered by name, with the inode numbers of their entries. A
    /// new interface with an old name has another inode number.
    pub(crate) fn interfaces(&self) -> Result<Vec<(String, u64)>, Error> {
        Ok(self
            .device("class/net")?
            .entries()?
            .iter()
            // Not `bonding_masters`.
            .filter(|entry| entry.may_be_directory())
            .map(|entry| (entry.lossy_name(), entry.inode))
            .collect())
    }

    /// A directory below sysfs, for reading several of its attributes, such as `class/net/eth0`.
    pub(crate) fn device(&self, path: impl AsRef<Path>) -> Result<Device, Error> {
        self.device_cache.device(join(&self.sysfs, path))
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

/// The metadata of the file at `path`. Fails if it is not a regular file.
pub(crate) fn stat_regular_file(path: &Path) -> Result<Stat, Error> {
    let fail = |source| Error::Read { path: path.to_owned(), source };
    let stat = rustix::fs::stat(path).map_err(|errno| fail(errno.into()))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(stat),
        _ => Err(fail(io::Error::new(ErrorKind::InvalidInput, "not a plain file"))),
    }
}

/// Reads a whole file, without blocking if it is a FIFO or device.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    exporter_core::file::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Converts the error of a missing file to [`Error::Absent`].
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

/// Returns `None` if the file does not exist.
pub(crate) fn if_exists<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Read { source, .. }) if is_missing(&source) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a component of the path does not exist, or is not a directory. The latter happens where
/// the kernel has files beside the directories of devices, such as `/sys/fs/xfs/stats/stats`.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Returns `None` if an attribute does not exist, or if the driver or the kernel does not support
/// it.
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
