//! The state of a directory.

use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};

use exporter_core::file::FileSystem;
use rustix::fs::Stat;

/// Identifies a directory, and a state in which its names refer to the same files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) file_system: FileSystem,
    pub(super) device: u64,
    inode: u64,
    /// When an entry was last added, removed or replaced: seconds and nanoseconds. `None` in file
    /// systems of the kernel, where an open file tells whether its object still exists.
    changed: Option<(i64, u64)>,
}

impl Version {
    /// The version of an open directory. `None` if it was changed so recently that another change
    /// might not be noticed.
    pub(super) fn of(directory: &OwnedFd, file_system: FileSystem) -> Option<Self> {
        let stat = rustix::fs::fstat(directory).ok()?;
        let changed = match file_system {
            FileSystem::Kernel => None,
            _ if is_recent(stat.st_ctime, SystemTime::now()) => return None,
            _ => Some((stat.st_ctime, stat.st_ctime_nsec)),
        };
        Some(Self { file_system, device: stat.st_dev, inode: stat.st_ino, changed })
    }

    /// Whether these metadata, which a path leads to, are those of the same directory in the same
    /// state. While the directory is open, no other one has its inode number.
    pub(super) fn is_still(&self, found: &Stat) -> bool {
        (self.device, self.inode) == (found.st_dev, found.st_ino)
            && self.changed.is_none_or(|it| it == (found.st_ctime, found.st_ctime_nsec))
    }
}

/// Whether a change at `now` might get the same time as the last one, which happened at `changed`.
/// File systems made for ext3 count whole seconds.
fn is_recent(changed: i64, now: SystemTime) -> bool {
    const RESOLUTION: Duration = Duration::from_secs(2);
    let settled = u64::try_from(changed)
        .ok()
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .and_then(|changed| changed.checked_add(RESOLUTION));
    settled.is_none_or(|settled| now < settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_recent_for_two_seconds() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_500);
        for (changed, expected) in
            [(0, false), (998, false), (999, true), (1000, true), (1001, true), (5000, true)]
        {
            assert_eq!(is_recent(changed, now), expected, "{changed}");
        }
        for changed in [-1, i64::MIN, i64::MAX] {
            assert!(is_recent(changed, now), "{changed}");
        }
    }
}
