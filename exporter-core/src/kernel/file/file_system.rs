//! File systems on which a file can be read again without opening it again.

use std::os::fd::AsFd;

use rustix::fs::{FsWord, PROC_SUPER_MAGIC};

/// A file system whose files can stay open between scrapes: see [`FileCache`].
///
/// [`FileCache`]: super::FileCache
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileSystem {
    /// procfs, sysfs and cgroup2. If the object behind an open file is gone, reading fails.
    Kernel,
    /// ext2 to ext4, XFS, Btrfs and tmpfs. A file may be replaced while it is open, which
    /// `stat` reveals.
    Local,
}

impl FileSystem {
    /// The file system of an open file. `None` for all others: a file of NFS may be stale while it
    /// is open, and overlayfs keeps the inode number of a file that it replaces by a copy.
    pub fn of(file: impl AsFd) -> Option<Self> {
        const SYSFS_MAGIC: FsWord = 0x6265_6572;
        const CGROUP2_MAGIC: FsWord = 0x6367_7270;
        const EXT_MAGIC: FsWord = 0xef53;
        const XFS_MAGIC: FsWord = 0x5846_5342;
        const BTRFS_MAGIC: FsWord = 0x9123_683e;
        const TMPFS_MAGIC: FsWord = 0x0102_1994;
        match rustix::fs::fstatfs(file).ok()?.f_type {
            PROC_SUPER_MAGIC | SYSFS_MAGIC | CGROUP2_MAGIC => Some(Self::Kernel),
            EXT_MAGIC | XFS_MAGIC | BTRFS_MAGIC | TMPFS_MAGIC => Some(Self::Local),
            _ => None,
        }
    }
}
