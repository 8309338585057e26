//! Memory, descriptors and traffic from procfs.

use std::path::Path;
use std::str::FromStr;

use rustix::fs::{Mode, OFlags, RawDir};

use crate::kernel::file::{FileCache, Records};

/// Mapped and resident bytes.
pub(super) fn memory() -> Option<(f64, f64)> {
    let statm = FileCache::of_process().read(Path::new("/proc/self/statm"), Records::Single);
    let statm = String::from_utf8(statm.ok()?).ok()?;
    let mut pages = statm.split(' ').map(f64::from_str);
    let page = rustix::param::page_size() as f64;
    Some((pages.next()?.ok()? * page, pages.next()?.ok()? * page))
}

/// IP bytes received and sent.
pub(super) fn traffic() -> Option<(f64, f64)> {
    // Shared with the collector `netstat` of the node exporter.
    let netstat = Path::new("/proc/net/netstat");
    let bytes = FileCache::of_process().read_shared("process", netstat, Records::Single).ok()?;
    parse_traffic(str::from_utf8(&bytes).ok()?)
}

/// Lines come in pairs: names, then values.
fn parse_traffic(netstat: &str) -> Option<(f64, f64)> {
    let mut lines = netstat.lines().filter_map(|line| line.strip_prefix("IpExt: "));
    let (names, values) = (lines.next()?, lines.next()?);
    let value = |wanted| {
        let (_, value) =
            names.split(' ').zip(values.split(' ')).find(|(name, _)| *name == wanted)?;
        value.parse().ok()
    };
    Some((value("InOctets")?, value("OutOctets")?))
}

pub(super) fn open_fds() -> Option<u64> {
    let path = "/proc/self/fd";
    // Since Linux 6.2 the size is the number of descriptors.
    let size = rustix::fs::stat(path).ok()?.st_size;
    match u64::try_from(size) {
        Ok(0) | Err(_) => count_fds(path),
        Ok(count) => Some(count),
    }
}

/// The numeric entries of a directory, without the descriptor that reads it.
fn count_fds(path: &str) -> Option<u64> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    let mut buffer = Vec::with_capacity(4096);
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    let mut count = 0_u64;
    while let Some(entry) = entries.next() {
        let entry = entry.ok()?;
        count += u64::from(entry.file_name().to_bytes().iter().all(u8::is_ascii_digit));
    }
    count.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_counted_on_old_kernels() {
        let now = count_fds("/proc/self/fd").unwrap();
        assert!(now >= 3);
    }

    #[test]
    fn traffic_is_parsed_for_all_kernels() {
        for (netstat, expected) in [
            ("", None),
            ("IpExt: InOctets OutOctets\n", None),
            ("IpExt: InOctets OutOctets\nIpExt: 1\n", None),
            ("IpExt: InOctets OutOctets\nIpExt: 1 x\n", None),
            (
                "TcpExt: A\nTcpExt: 3\nIpExt: InPkts InOctets OutOctets\nIpExt: 9 1 2\n",
                Some((1.0, 2.0)),
            ),
        ] {
            assert_eq!(parse_traffic(netstat), expected, "{netstat:?}");
        }
    }
}
