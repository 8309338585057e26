//! CPU numbers: the directories and lists of `/sys/devices/system/cpu`.

use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;

use exporter_core::collector::Error;
use rustix::io::Errno;

use crate::host::{File, Host, if_exists};

/// Relative to sysfs.
pub(crate) const DIRECTORY: &str = "devices/system/cpu";

/// More than any kernel supports.
const MAX_CPUS: u32 = 1 << 16;

/// The numbers of the CPUs that have a directory, sorted as text: 0, 1, 10, 2. Empty without sysfs.
pub(crate) fn numbers(host: &Host) -> Result<Vec<String>, Error> {
    let number = |name: String| {
        let number = name.strip_prefix("cpu")?;
        let all_digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        all_digits.then(|| number.to_owned())
    };
    let names = if_exists(host.list_sys(DIRECTORY))?.unwrap_or_default();
    Ok(names.into_iter().filter_map(number).collect())
}

/// A file of a CPU. `None` if the CPU does not have it, or if it cannot be read now.
pub(crate) fn file(host: &Host, number: &str, file: &str) -> Result<Option<File>, Error> {
    if_readable(read(host, number, file))
}

/// Like [`file()`], but keeps the file open for the next scrape.
pub(crate) fn file_cached(host: &Host, number: &str, file: &str) -> Result<Option<File>, Error> {
    if_readable(host.sys_cached(path(number, file)))
}

fn if_readable(file: Result<File, Error>) -> Result<Option<File>, Error> {
    match file {
        Ok(file) => Ok(Some(file)),
        Err(Error::Read { source, .. }) if is_inaccessible(&source) || is_transient(&source) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether a CPU has a readable file. Callers keep the result, which saves a system call in each
/// scrape.
pub(crate) fn has_file(host: &Host, number: &str, file: &str) -> Result<bool, Error> {
    match read(host, number, file) {
        Ok(_) => Ok(true),
        Err(Error::Read { source, .. }) if is_inaccessible(&source) => Ok(false),
        Err(Error::Read { source, .. }) if is_transient(&source) => Ok(true),
        Err(error) => Err(error),
    }
}

fn read(host: &Host, number: &str, file: &str) -> Result<File, Error> {
    host.sys(path(number, file))
}

fn path(number: &str, file: &str) -> String {
    format!("{DIRECTORY}/cpu{number}/{file}")
}

fn is_inaccessible(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
}

/// Whether the error will pass: the CPU is idle or going offline.
fn is_transient(error: &io::Error) -> bool {
    [Errno::AGAIN, Errno::BUSY, Errno::NODEV, Errno::NXIO]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// A set of CPUs in the format of the kernel: `0-3,8`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuSet(Vec<RangeInclusive<u32>>);

impl CpuSet {
    pub(crate) fn parse(file: &File) -> Result<Self, Error> {
        Self::from_text(file.trimmed()).ok_or_else(|| file.parse_error("CPU numbers such as 0-3,8"))
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut ranges = Vec::new();
        // The kernel writes sorted ranges. Rejecting others bounds the result of a damaged file.
        let mut next = 0;
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            if first < next || last < first || last >= MAX_CPUS {
                return None;
            }
            next = last + 1;
            ranges.push(first..=last);
        }
        Some(Self(ranges))
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        self.0.iter().any(|range| range.contains(&number))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().cloned().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_parsed() {
        for (text, numbers) in [
            ("", Some(vec![])),
            ("0", Some(vec![0])),
            ("1,3-5,9", Some(vec![1, 3, 4, 5, 9])),
            ("0-4294967295", None),
            ("0-65535,0-65535", None),
            ("3-1", None),
            ("-1", None),
            ("(null)", None),
        ] {
            let set = CpuSet::from_text(text);
            assert_eq!(set.map(|set| set.iter().collect()), numbers, "{text}");
        }
    }
}
