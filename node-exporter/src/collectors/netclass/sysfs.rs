//! Interfaces of `/sys/class/net`. Most of their attributes are read over netlink.
//!
//! A netlink dump of all interfaces costs about as much as reading two files of one of them. But
//! netlink shows the network namespace of this process, and `/sys` may show another one. Therefore,
//! an interface is read from its files until all attributes of the dump have matched the files
//! once. If the dump and the directory contain different interfaces, all are read from files.

use std::collections::HashMap;
use std::path::Path;

use exporter_core::collector::Error;
use exporter_core::families::Families;

use super::files::{Interfaces, Reader, read_numbers, state};
use super::netlink::{Row, Sockets};
use super::{COLUMNS, INFO, Interface};
use crate::host::{Host, OrAbsent};
use crate::netlink::ethtool::Mode;
use crate::netlink::link::{InterfaceCounters, LinkStats};

/// The name of an interface, and the inode number of its directory.
type Key = (String, u64);

pub(super) struct SysfsInterfaces {
    sockets: Sockets,
    /// Interfaces of which all attributes are read from files.
    from_files: Interfaces,
    /// Interfaces of which only the [`FileAttributes`] are read.
    refreshed: Interfaces,
    verified: HashMap<Key, FileAttributes>,
    /// The index of the first interface to refresh.
    next_refresh: usize,
}

/// Attributes that netlink does not provide, and the address. They do not change unless the address
/// or the name does.
#[derive(Clone, Debug, Default)]
struct FileAttributes {
    address: String,
    address_assign_type: Option<f64>,
    device_id: Option<f64>,
    name_assign_type: Option<f64>,
}

/// The maximum number of interfaces whose [`FileAttributes`] are refreshed in a scrape. Most
/// machines have fewer interfaces.
const MAX_REFRESHED: usize = 16;

impl SysfsInterfaces {
    pub(super) fn new() -> Self {
        Self {
            sockets: Sockets::new(true),
            from_files: Interfaces::default(),
            refreshed: Interfaces::default(),
            verified: HashMap::new(),
            next_refresh: 0,
        }
    }

    pub(super) fn expose(
        &mut self,
        host: &Host,
        is_wanted: impl Fn(&str) -> bool,
        drop_invalid_speed: impl Fn(Interface) -> Interface,
        out: &mut Families,
    ) -> Result<(), Error> {
        let mut found = host.interfaces().or_absent("network interfaces")?;
        let mut dumped = self.dump(host, &found).unwrap_or_default();
        found.retain(|(name, _)| is_wanted(name));
        let (interfaces, first_error) = self.interfaces(host, &found, &mut dumped);
        let interfaces: Vec<_> = interfaces
            .into_iter()
            .map(|(name, interface)| ([name], drop_invalid_speed(interface)))
            .collect();
        out.table(&COLUMNS, &interfaces);
        let mut info = out.family(&INFO);
        for ([name], interface) in &interfaces {
            let Interface { address, broadcast, duplex, operstate, alias, .. } = interface;
            info.sample(
                [name, address, broadcast, duplex, operstate, state(interface), alias],
                1.0,
            );
        }
        first_error.map_or(Ok(()), Err)
    }

    /// The interfaces of `found`, in the same order, without those removed meanwhile.
    fn interfaces<'f>(
        &mut self,
        host: &Host,
        found: &'f [Key],
        dumped: &mut HashMap<String, Interface>,
    ) -> (Vec<(&'f str, Interface)>, Option<Error>) {
        self.refresh(host, found, dumped);
        let mut interfaces = HashMap::with_capacity(found.len());
        let mut verified = HashMap::with_capacity(found.len());
        let mut unverified = Vec::new();
        for key in found {
            let (name, _) = key;
            match (self.verified.remove_entry(key), dumped.remove(name)) {
                (Some((key, file_attributes)), Some(interface))
                    if file_attributes.address == interface.address =>
                {
                    interfaces.insert(name.clone(), file_attributes.merge(interface));
                    verified.insert(key, file_attributes);
                }
                (_, interface) => unverified.push((key.clone(), interface)),
            }
        }
        let mut reader = Reader::new();
        let keys: Vec<_> = unverified.iter().map(|(key, _)| key.clone()).collect();
        let mut unverified = unverified.into_iter();
        self.from_files.for_each(host, &keys, |name, device| {
            let read = reader.interface(device);
            // In the same order, without removed interfaces.
            let entry = unverified.find(|((key, _), _)| key == name);
            if let Some((key, Some(interface))) = entry {
                let file_attributes = FileAttributes::from_interface(&read);
                if file_attributes.merge(interface) == read {
                    verified.insert(key, file_attributes);
                }
            }
            interfaces.insert(name.to_owned(), read);
        });
        self.verified = verified;
        let ordered =
            found.iter().filter_map(|(name, _)| Some((name.as_str(), interfaces.remove(name)?)));
        (ordered.collect(), reader.first_error)
    }

    /// Refreshes the [`FileAttributes`] of the next interfaces.
    fn refresh(&mut self, host: &Host, found: &[Key], dumped: &HashMap<String, Interface>) {
        let count = found.len().min(MAX_REFRESHED);
        let next = found.iter().cycle().skip(self.next_refresh % found.len().max(1)).take(count);
        let mut next: Vec<_> = next
            .filter(|key| self.verified.contains_key(*key) && dumped.contains_key(&key.0))
            .cloned()
            .collect();
        next.sort_unstable();
        self.next_refresh = if found.len() > MAX_REFRESHED {
            self.next_refresh.wrapping_add(MAX_REFRESHED)
        } else {
            0
        };
        let mut keys = next.iter();
        let verified = &mut self.verified;
        self.refreshed.for_each(host, &next, |name, device| {
            let key = keys.find(|(key, _)| key == name);
            if let Some(file_attributes) = key.and_then(|key| verified.get_mut(key)) {
                [
                    file_attributes.address_assign_type,
                    file_attributes.device_id,
                    file_attributes.name_assign_type,
                ] = read_numbers(device, ["addr_assign_type", "dev_id", "name_assign_type"]);
            }
        });
    }

    /// Dumps all interfaces over netlink. `None` if the dump has other interfaces than `found`.
    fn dump(&mut self, host: &Host, found: &[Key]) -> Option<HashMap<String, Interface>> {
        if host.sysfs != Path::new("/sys") {
            return None;
        }
        let mut rows = self.sockets.rows(LinkStats::Include).ok()?;
        let modes = self.sockets.modes().ok()??;
        let counted = rows.iter().filter_map(|row| {
            let (name, alias) = (row.name.clone(), row.interface.alias.clone());
            Some(InterfaceCounters { name, alias, stats: row.stats? })
        });
        host.shared_counters.store(counted.collect());
        rows.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let names = found.iter().map(|(name, _)| name);
        if !names.eq(rows.iter().map(|row| &row.name)) {
            return None;
        }
        let interface = |row: Row| {
            let mode = modes.get(&row.index);
            Some((row.name, as_in_sysfs(row.interface, row.device_flags?, mode)))
        };
        Some(rows.into_iter().filter_map(interface).collect())
    }
}

/// Converts an interface of the dump to what sysfs shows. In sysfs, some attributes of an interface
/// that is down cannot be read.
fn as_in_sysfs(mut interface: Interface, flags: u32, mode: Option<&Mode>) -> Interface {
    const UP: u32 = 1;
    interface.flags = Some(f64::from(flags));
    if flags & UP == 0 {
        (interface.carrier, interface.dormant) = (None, None);
    } else if let Some(mode) = mode {
        // An unknown speed is negative.
        interface.speed = mode.speed.map(|speed| f64::from(speed.cast_signed()));
        let duplex = match mode.duplex {
            Some(0) => "half",
            Some(1) => "full",
            Some(_) => "unknown",
            None => "",
        };
        duplex.clone_into(&mut interface.duplex);
    }
    interface
}

impl FileAttributes {
    fn from_interface(interface: &Interface) -> Self {
        Self {
            address: interface.address.clone(),
            address_assign_type: interface.address_assign_type,
            device_id: interface.device_id,
            name_assign_type: interface.name_assign_type,
        }
    }

    /// Adds these attributes to an interface of the dump.
    fn merge(&self, interface: Interface) -> Interface {
        Interface {
            address_assign_type: self.address_assign_type,
            device_id: self.device_id,
            name_assign_type: self.name_assign_type,
            ..interface
        }
    }
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;

    fn page(dumped: &mut SysfsInterfaces, host: &Host) -> String {
        let mut out = Families::default();
        dumped.expose(host, |_| true, |interface| interface, &mut out).unwrap();
        String::from_utf8(testing::page(&[out])).unwrap()
    }

    /// Reads the machine that runs the test. Other tests add and remove interfaces, so it may take
    /// several attempts.
    #[test]
    fn the_list_agrees_with_the_files() {
        let host = Host::for_tests(Path::new("/"));
        let Ok(found) = host.interfaces() else {
            return testing::skip("interfaces in a list and in files: no /sys/class/net");
        };
        if SysfsInterfaces::new().dump(&host, &found).is_none() {
            return testing::skip(
                "interfaces in a list and in files: /sys shows another network namespace",
            );
        }
        testing::until(
            || {
                let mut dumped = SysfsInterfaces::new();
                let from_files = page(&mut dumped, &host);
                let verified = dumped.verified.len();
                // From the list, with files only for a few attributes.
                page(&mut dumped, &host) == from_files
                    && verified == host.interfaces().unwrap().len()
                    && dumped.verified.len() == verified
                    && host.shared_counters.take().is_some_and(|counted| counted.len() == verified)
            },
            || "the list never agrees with the files".to_owned(),
        );
    }

    #[test]
    fn interfaces_that_are_down_lack_some_attributes() {
        let interface =
            || Interface { carrier: Some(1.0), dormant: Some(0.0), ..Interface::default() };
        let mode = Mode { index: 1, speed: Some(u32::MAX), duplex: Some(255) };
        let up = as_in_sysfs(interface(), 0x1003, Some(&mode));
        assert_eq!((up.carrier, up.speed, up.duplex.as_str()), (Some(1.0), Some(-1.0), "unknown"));
        let down = as_in_sysfs(interface(), 0x1002, Some(&mode));
        assert_eq!(down, Interface { flags: Some(4098.0), ..Interface::default() });
    }
}
