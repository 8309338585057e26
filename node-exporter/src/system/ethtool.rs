//! `ioctl(SIOCETHTOOL)`: information from a network driver (`linux/ethtool.h`).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The driver of a device. Unknown fields are empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Driver {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) firmware_version: String,
    pub(crate) bus_info: String,
    pub(crate) expansion_rom_version: String,
    /// The number of statistics.
    statistics: u32,
}

/// The legacy link settings: the first 32 bits of `enum ethtool_link_mode_bit_indices`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Link {
    pub(crate) supported: u32,
    pub(crate) advertised: u32,
    pub(crate) autonegotiation: bool,
}

const SIOCETHTOOL: u64 = 0x8946;
const GET_SETTINGS: u32 = 0x1;
const GET_DRIVER: u32 = 0x3;
const GET_STRINGS: u32 = 0x1b;
const GET_STATISTICS: u32 = 0x1d;
/// The string set with the names of statistics.
const STATISTICS: u32 = 1;
const STRING_LENGTH: usize = 32;
/// More than any driver has.
const MAX_STATISTICS: u32 = 32_768;
/// Room for statistics that the driver adds between the requests, for example with new queues: the
/// kernel writes all of them, regardless of the size of the buffer.
const EXTRA_STATISTICS: usize = 4_096;

/// Requests the driver of a device (`ETHTOOL_GDRVINFO`).
pub(crate) fn driver(socket: BorrowedFd<'_>, device: &str) -> io::Result<Driver> {
    let mut words = [0_u32; 49];
    words[0] = GET_DRIVER;
    request(socket, device, &mut words)?;
    let bytes = bytes_of(&words);
    let text =
        |offset: usize| c_string(bytes.get(offset..offset + STRING_LENGTH).unwrap_or_default());
    Ok(Driver {
        name: text(4),
        version: text(36),
        firmware_version: text(68),
        bus_info: text(100),
        expansion_rom_version: text(132),
        statistics: words[45].min(MAX_STATISTICS),
    })
}

/// Requests the link settings of a device (`ETHTOOL_GSET`).
pub(crate) fn link(socket: BorrowedFd<'_>, device: &str) -> io::Result<Link> {
    let mut words = [0_u32; 11];
    words[0] = GET_SETTINGS;
    request(socket, device, &mut words)?;
    let autonegotiation = bytes_of(&words).get(18).is_some_and(|&byte| byte != 0);
    Ok(Link { supported: words[1], advertised: words[2], autonegotiation })
}

/// Requests the statistics of a device with their names (`ETHTOOL_GSTRINGS`, `ETHTOOL_GSTATS`).
pub(crate) fn statistics(
    socket: BorrowedFd<'_>,
    device: &str,
    driver: &Driver,
) -> io::Result<Vec<(String, u64)>> {
    if driver.statistics == 0 {
        return Ok(Vec::new());
    }
    let count = driver.statistics as usize + EXTRA_STATISTICS;
    let mut strings = vec![0_u32; 3 + count * STRING_LENGTH / 4];
    write_header(&mut strings, [GET_STRINGS, STATISTICS, driver.statistics]);
    request(socket, device, &mut strings)?;
    let mut numbers = vec![0_u32; 2 + count * 2];
    write_header(&mut numbers, [GET_STATISTICS, driver.statistics]);
    request(socket, device, &mut numbers)?;

    let (strings, numbers) = (bytes_of(&strings), bytes_of(&numbers));
    let names = strings.get(12..).unwrap_or_default().chunks_exact(STRING_LENGTH).map(c_string);
    let values = numbers.get(8..).unwrap_or_default().as_chunks::<8>().0;
    let found = names.zip(values).take(driver.statistics as usize);
    Ok(found
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name, u64::from_ne_bytes(*value)))
        .collect())
}

fn write_header<const N: usize>(words: &mut [u32], header: [u32; N]) {
    for (word, value) in words.iter_mut().zip(header) {
        *word = value;
    }
}

/// Sends a command. The result is written to the same buffer.
#[expect(unsafe_code, reason = "ethtool's ioctl has no safe wrapper among our dependencies")]
fn request(socket: BorrowedFd<'_>, device: &str, command: &mut [u32]) -> io::Result<()> {
    let mut name = [0; libc::IFNAMSIZ];
    if device.len() >= name.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, from) in name.iter_mut().zip(device.bytes()) {
        *to = from.cast_signed();
    }
    let mut interface = libc::ifreq {
        ifr_name: name,
        ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_data: command.as_mut_ptr().cast() },
    };
    // SAFETY: `command` outlives the call and is as long as the kernel's struct for its first
    // word, with room for more where the kernel decides how much it writes.
    let result =
        unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as libc::Ioctl, &raw mut interface) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The words as bytes.
fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// The text before the first NUL byte. U+FFFD replaces invalid UTF-8.
fn c_string(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use rustix::net::{AddressFamily, SocketType};

    use super::*;

    #[test]
    fn a_device_without_a_driver_is_an_error() {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).unwrap();
        for device in ["lo", "no such device", "a name that is far too long"] {
            link(socket.as_fd(), device).unwrap_err();
        }
        driver(socket.as_fd(), "no-such-device").unwrap_err();
    }

    #[test]
    fn text_ends_at_nul() {
        assert_eq!(c_string(b"e1000e\0\0rest"), "e1000e");
        assert_eq!(c_string(b"whole"), "whole");
        assert_eq!(c_string(b"\xff\0"), "\u{fffd}");
    }
}
