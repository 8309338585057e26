//! Interfaces from `/sys/class/net`.
//!
//! Only exposed attributes are read: for many of them, the kernel takes the global lock of
//! networking (RTNL). The files stay open between scrapes, because opening and closing them is 90 %
//! of the cost.

use std::collections::HashMap;
use std::io;

use exporter_core::collector::Error;
use rustix::io::Errno;

use super::Interface;
use crate::host::{Device, EMPTY_PAGE, Host, Page};

/// The interfaces of the last scrape, by name and inode number or index. Open files follow a
/// renamed interface, so the name alone does not identify them.
#[derive(Debug, Default)]
pub(super) struct Interfaces(HashMap<(String, u64), Device>);

impl Interfaces {
    /// Calls `visit` for each interface of `found` that exists in sysfs. Closes all others.
    pub(super) fn for_each<'f>(
        &mut self,
        host: &Host,
        found: &'f [(String, u64)],
        mut visit: impl FnMut(&'f str, &Device),
    ) {
        let mut previous = std::mem::take(&mut self.0);
        for key in found {
            let (name, _) = key;
            let (key, device) = match previous.remove_entry(key) {
                Some(known) => known,
                None => match host.device(format!("class/net/{name}")) {
                    Ok(device) => (key.clone(), device),
                    // Not an interface (`bonding_masters`), or removed.
                    Err(_) => continue,
                },
            };
            visit(name, &device);
            if device.is_permanent() {
                self.0.insert(key, device);
            }
        }
    }
}

/// The available attributes of an interface.
pub(super) fn read_numbers<const N: usize>(
    device: &Device,
    attributes: [&'static str; N],
) -> [Option<f64>; N] {
    let mut reader = Reader::new();
    attributes.map(|attribute| reader.number(device, attribute))
}

/// The administrative state.
pub(super) fn state(interface: &Interface) -> &'static str {
    const IFF_UP: u32 = 1;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "32 bits")]
    match interface.flags.map(|flags| flags as u32 & IFF_UP) {
        Some(0) => "down",
        Some(_) => "up",
        None => "unknown",
    }
}

/// Reads the attributes of interfaces.
pub(super) struct Reader {
    page: Page,
    /// The first error of any attribute.
    pub(super) first_error: Option<Error>,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { page: EMPTY_PAGE, first_error: None }
    }

    pub(super) fn interface(&mut self, device: &Device) -> Interface {
        Interface {
            address_assign_type: self.number(device, "addr_assign_type"),
            carrier: self.number(device, "carrier"),
            carrier_changes: self.number(device, "carrier_changes"),
            carrier_down_count: self.number(device, "carrier_down_count"),
            carrier_up_count: self.number(device, "carrier_up_count"),
            device_id: self.number(device, "dev_id"),
            dormant: self.number(device, "dormant"),
            flags: self.number(device, "flags"),
            index: self.number(device, "ifindex"),
            lower: self.number(device, "iflink"),
            link_mode: self.number(device, "link_mode"),
            mtu: self.number(device, "mtu"),
            name_assign_type: self.number(device, "name_assign_type"),
            group: self.number(device, "netdev_group"),
            protocol: self.number(device, "type"),
            speed: self.number(device, "speed"),
            queue_length: self.number(device, "tx_queue_len"),
            address: self.text(device, "address"),
            broadcast: self.text(device, "broadcast"),
            duplex: self.text(device, "duplex"),
            operstate: self.text(device, "operstate"),
            alias: self.text(device, "ifalias"),
        }
    }

    fn text(&mut self, device: &Device, attribute: &'static str) -> String {
        match device.read(attribute, &mut self.page) {
            Ok(text) => text.into_owned(),
            Err(source) => {
                self.record_error(device, attribute, source);
                String::new()
            }
        }
    }

    fn number(&mut self, device: &Device, attribute: &'static str) -> Option<f64> {
        match device.read(attribute, &mut self.page) {
            Ok(text) => {
                let number = number(&text);
                if number.is_none() {
                    let first_error = device.parse_error(attribute, "a number", &text);
                    self.first_error.get_or_insert(first_error);
                }
                number
            }
            Err(source) => {
                self.record_error(device, attribute, source);
                None
            }
        }
    }

    fn record_error(&mut self, device: &Device, attribute: &str, source: io::Error) {
        // Older kernels lack some of the files; some devices return errors, for example when they
        // are down.
        const IGNORED_ERRORS: [Errno; 8] = [
            Errno::NOENT,
            Errno::NODEV,
            Errno::INVAL,
            Errno::OPNOTSUPP,
            Errno::NXIO,
            Errno::IO,
            Errno::ACCESS,
            Errno::PERM,
        ];
        if !Errno::from_io_error(&source).is_some_and(|errno| IGNORED_ERRORS.contains(&errno)) {
            self.first_error.get_or_insert(device.read_error(attribute, source));
        }
    }
}

/// A number in decimal, or in hexadecimal after `0x`.
fn number(text: &str) -> Option<f64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|number| number as f64),
        None => text.parse::<i64>().ok().map(|number| number as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_and_hexadecimal_numbers_are_parsed() {
        for (text, value) in [
            ("1500", Some(1500.0)),
            ("-1", Some(-1.0)),
            ("0x1003", Some(4099.0)),
            ("0x0", Some(0.0)),
            ("", None),
            ("0x", None),
            ("up", None),
            ("1 2", None),
        ] {
            assert_eq!(number(text), value, "{text}");
        }
    }
}
