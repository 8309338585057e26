//! Devices of a mounted Btrfs, by `ioctl(2)`: `linux/btrfs.h`.

use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::ioctl::{Updater, ioctl, opcode};

/// A device of a file system.
#[derive(Debug)]
pub(crate) struct BtrfsDevice {
    /// The name without its directory.
    pub(crate) name: String,
    pub(crate) uuid: String,
    /// In bytes.
    pub(crate) size: u64,
    /// In bytes.
    pub(crate) used: u64,
    /// Errors by kind: write, read, flush, corruption, generation.
    pub(crate) errors: [u64; 5],
}

/// The UUID and the devices of the file system to which an open file belongs.
pub(crate) fn btrfs(file: impl AsFd) -> io::Result<(String, Vec<BtrfsDevice>)> {
    let mut fs_info = FsInfo { max_id: 0, num_devices: 0, fsid: [0; 16], rest: [0; 124] };
    request::<{ opcode::read::<FsInfo>(BTRFS, 31) }, _>(&file, &mut fs_info)?;
    let mut devices = Vec::new();
    // Device numbers are not reused, so there may be gaps.
    for devid in 1..=fs_info.max_id.min(MAX_DEVICE_ID) {
        if devices.len() as u64 >= fs_info.num_devices {
            break;
        }
        let mut info = DevInfo {
            devid,
            uuid: [0; 16],
            bytes_used: 0,
            total_bytes: 0,
            unused: [0; 379],
            path: [0; 1024],
        };
        match request::<{ opcode::read_write::<DevInfo>(BTRFS, 30) }, _>(&file, &mut info) {
            Ok(()) => {}
            Err(Errno::NODEV) => continue,
            Err(errno) => return Err(errno.into()),
        }
        let mut stats = DevStats { devid, nr_items: 5, flags: 0, values: [0; 5], unused: [0; 121] };
        request::<{ opcode::read_write::<DevStats>(BTRFS, 52) }, _>(&file, &mut stats)?;
        let path = info.path.split(|&byte| byte == 0).next().unwrap_or_default();
        let path = String::from_utf8_lossy(path);
        devices.push(BtrfsDevice {
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            uuid: uuid(info.uuid),
            size: info.total_bytes,
            used: info.bytes_used,
            errors: stats.values,
        });
    }
    Ok((uuid(fs_info.fsid), devices))
}

/// More than any file system has. Limits the number of system calls.
const MAX_DEVICE_ID: u64 = 65_536;

const BTRFS: u8 = 0x94;

#[repr(C)]
struct FsInfo {
    max_id: u64,
    num_devices: u64,
    fsid: [u8; 16],
    rest: [u64; 124],
}

#[repr(C)]
struct DevInfo {
    devid: u64,
    uuid: [u8; 16],
    bytes_used: u64,
    total_bytes: u64,
    unused: [u64; 379],
    path: [u8; 1024],
}

#[repr(C)]
struct DevStats {
    devid: u64,
    nr_items: u64,
    flags: u64,
    values: [u64; 5],
    unused: [u64; 121],
}

// The sizes in the kernel's ABI.
const _: () = assert!(
    size_of::<FsInfo>() == 1024 && size_of::<DevInfo>() == 4096 && size_of::<DevStats>() == 1032
);

/// Issues an ioctl that reads and writes one of the structs above.
#[expect(unsafe_code, reason = "ioctl has no safe wrapper")]
fn request<const OPCODE: rustix::ioctl::Opcode, T>(
    file: impl AsFd,
    value: &mut T,
) -> Result<(), Errno> {
    // SAFETY: each opcode is made from the struct that it is called with, so its size is the one
    // that the kernel writes; all of them are integers, for which any bytes are good.
    unsafe { ioctl(file, Updater::<OPCODE, T>::new(value)) }
}

fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_formatted() {
        let bytes = std::array::from_fn(|at| u8::try_from(at * 17).unwrap());
        assert_eq!(uuid(bytes), "00112233-4455-6677-8899-aabbccddeeff");
    }

    #[test]
    fn other_file_systems_are_errors() {
        let file = std::fs::File::open("/proc").unwrap();
        assert!(btrfs(&file).is_err());
    }
}
