//! Interfaces as `/sys/class/net` shows them.
//!
//! Only what is exposed is read: each file costs three system calls, and the kernel takes a lock
//! that all of networking shares for many of them.

use std::io;

use exporter_core::collector::Error;
use exporter_core::families::Families;
use rustix::io::Errno;

use super::{COLUMNS, INFO, Interface};
use crate::host::{BLANK, Device, Host, OrAbsent, Page};

pub(super) fn expose(
    host: &Host,
    wanted: impl Fn(&str) -> bool,
    valid: impl Fn(Interface) -> Interface,
    out: &mut Families,
) -> Result<(), Error> {
    let names = host.list_sys("class/net").or_absent("network interfaces")?;
    let mut interfaces = Vec::with_capacity(names.len());
    let mut problem = None;
    for name in names.iter().filter(|name| wanted(name)) {
        // Not an interface (`bonding_masters`), or not any more.
        let Ok(device) = host.device(format!("class/net/{name}")) else { continue };
        let mut reader = Reader { device, page: BLANK, problem: None };
        interfaces.push(([name.as_str()], valid(reader.interface())));
        problem = problem.or(reader.problem);
    }
    out.table(&COLUMNS, &interfaces);
    let mut info = out.family(&INFO);
    for ([name], interface) in &interfaces {
        let Interface { address, broadcast, duplex, operstate, alias, .. } = interface;
        info.sample([name, address, broadcast, duplex, operstate, state(interface), alias], 1.0);
    }
    problem.map_or(Ok(()), Err)
}

/// Some attributes of an interface, those that it has.
pub(super) fn numbers<const N: usize>(
    host: &Host,
    name: &str,
    attributes: [&str; N],
) -> [Option<f64>; N] {
    let Ok(device) = host.device(format!("class/net/{name}")) else { return [None; N] };
    let mut reader = Reader { device, page: BLANK, problem: None };
    attributes.map(|attribute| reader.number(attribute))
}

/// What the administrator wants the interface to be.
fn state(interface: &Interface) -> &'static str {
    const IFF_UP: u32 = 1;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "32 bits")]
    match interface.flags.map(|flags| flags as u32 & IFF_UP) {
        Some(0) => "down",
        Some(_) => "up",
        None => "unknown",
    }
}

/// Reads the attributes of one interface.
struct Reader {
    device: Device,
    page: Page,
    /// The first that was wrong with any of them.
    problem: Option<Error>,
}

impl Reader {
    fn interface(&mut self) -> Interface {
        Interface {
            address_assign_type: self.number("addr_assign_type"),
            carrier: self.number("carrier"),
            carrier_changes: self.number("carrier_changes"),
            carrier_down_count: self.number("carrier_down_count"),
            carrier_up_count: self.number("carrier_up_count"),
            device_id: self.number("dev_id"),
            dormant: self.number("dormant"),
            flags: self.number("flags"),
            index: self.number("ifindex"),
            lower: self.number("iflink"),
            link_mode: self.number("link_mode"),
            mtu: self.number("mtu"),
            name_assign_type: self.number("name_assign_type"),
            group: self.number("netdev_group"),
            protocol: self.number("type"),
            speed: self.number("speed"),
            queue_length: self.number("tx_queue_len"),
            address: self.text("address"),
            broadcast: self.text("broadcast"),
            duplex: self.text("duplex"),
            operstate: self.text("operstate"),
            alias: self.text("ifalias"),
        }
    }

    fn text(&mut self, attribute: &str) -> String {
        match self.device.read(attribute, &mut self.page) {
            Ok(text) => text.into_owned(),
            Err(source) => {
                self.failed(attribute, source);
                String::new()
            }
        }
    }

    fn number(&mut self, attribute: &str) -> Option<f64> {
        match self.device.read(attribute, &mut self.page) {
            Ok(text) => {
                let number = number(&text);
                if number.is_none() {
                    let problem = self.device.unlike(attribute, "a number", &text);
                    self.problem.get_or_insert(problem);
                }
                number
            }
            Err(source) => {
                self.failed(attribute, source);
                None
            }
        }
    }

    fn failed(&mut self, attribute: &str, source: io::Error) {
        // Older kernels have not all of the files; a device that is down, gone or of a kind that
        // has no such thing refuses to be read.
        const EXPECTED: [Errno; 8] = [
            Errno::NOENT,
            Errno::NODEV,
            Errno::INVAL,
            Errno::OPNOTSUPP,
            Errno::NXIO,
            Errno::IO,
            Errno::ACCESS,
            Errno::PERM,
        ];
        if !Errno::from_io_error(&source).is_some_and(|errno| EXPECTED.contains(&errno)) {
            self.problem.get_or_insert(self.device.unread(attribute, source));
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
    fn numbers() {
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
