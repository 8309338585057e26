//! Interfaces of `/sys/class/net`, with most of their attributes from a list over netlink.
//!
//! Listing all interfaces costs about as much as reading two files of one of them. But netlink lists
//! the network namespace of this process, and `/sys` may show another one. Therefore an interface is
//! read from its files until all attributes in the list have been equal to them once. If the list
//! and the directory have different interfaces, all are read from files.

use std::collections::HashMap;
use std::path::Path;

use exporter_core::collector::Error;
use exporter_core::families::Families;

use super::files::{Interfaces, Reader, numbers, state};
use super::netlink::{Row, Sockets};
use super::{COLUMNS, INFO, Interface};
use crate::host::{Host, OrAbsent};
use crate::netlink::ethtool::Mode;
use crate::netlink::link::{InterfaceCounters, LinkStats};

/// A name, and the number of the directory.
type Key = (String, u64);

pub(super) struct Listed {
    sockets: Sockets,
    /// Interfaces that are read from files completely.
    unlisted: Interfaces,
    /// Interfaces whose attributes in [`Only`] are read in this scrape.
    refreshed: Interfaces,
    known: HashMap<Key, Only>,
    /// Where the next refresh begins.
    next: usize,
}

/// Attributes that only files have. They change with the address or the name, or never.
#[derive(Clone, Debug, Default)]
struct Only {
    address: String,
    address_assign_type: Option<f64>,
    device_id: Option<f64>,
    name_assign_type: Option<f64>,
}

/// The number of interfaces whose [`Only`] is read again in a scrape. On most machines, these are
/// all interfaces.
const REFRESHED: usize = 16;

impl Listed {
    pub(super) fn new() -> Self {
        Self {
            sockets: Sockets::new(true),
            unlisted: Interfaces::default(),
            refreshed: Interfaces::default(),
            known: HashMap::new(),
            next: 0,
        }
    }

    pub(super) fn expose(
        &mut self,
        host: &Host,
        wanted: impl Fn(&str) -> bool,
        valid: impl Fn(Interface) -> Interface,
        out: &mut Families,
    ) -> Result<(), Error> {
        let mut found = host.interfaces().or_absent("network interfaces")?;
        let mut listed = self.list(host, &found).unwrap_or_default();
        found.retain(|(name, _)| wanted(name));
        let (interfaces, problem) = self.interfaces(host, &found, &mut listed);
        let interfaces: Vec<_> =
            interfaces.into_iter().map(|(name, interface)| ([name], valid(interface))).collect();
        out.table(&COLUMNS, &interfaces);
        let mut info = out.family(&INFO);
        for ([name], interface) in &interfaces {
            let Interface { address, broadcast, duplex, operstate, alias, .. } = interface;
            info.sample(
                [name, address, broadcast, duplex, operstate, state(interface), alias],
                1.0,
            );
        }
        problem.map_or(Ok(()), Err)
    }

    /// The interfaces of `found`, in the same order, without those removed meanwhile.
    fn interfaces<'f>(
        &mut self,
        host: &Host,
        found: &'f [Key],
        listed: &mut HashMap<String, Interface>,
    ) -> (Vec<(&'f str, Interface)>, Option<Error>) {
        self.refresh(host, found, listed);
        let mut interfaces = HashMap::with_capacity(found.len());
        let mut known = HashMap::with_capacity(found.len());
        let mut unlisted = Vec::new();
        for key in found {
            let (name, _) = key;
            match (self.known.remove_entry(key), listed.remove(name)) {
                (Some((key, only)), Some(interface)) if only.address == interface.address => {
                    interfaces.insert(name.clone(), only.complete(interface));
                    known.insert(key, only);
                }
                (_, interface) => unlisted.push((key.clone(), interface)),
            }
        }
        let mut reader = Reader::new();
        let keys: Vec<_> = unlisted.iter().map(|(key, _)| key.clone()).collect();
        let mut unlisted = unlisted.into_iter();
        self.unlisted.each(host, &keys, |name, device| {
            let read = reader.interface(device);
            // In the same order, without removed interfaces.
            let entry = unlisted.find(|((key, _), _)| key == name);
            if let Some((key, Some(interface))) = entry {
                let only = Only::from_interface(&read);
                if only.complete(interface) == read {
                    known.insert(key, only);
                }
            }
            interfaces.insert(name.to_owned(), read);
        });
        self.known = known;
        let in_order =
            found.iter().filter_map(|(name, _)| Some((name.as_str(), interfaces.remove(name)?)));
        (in_order.collect(), reader.problem)
    }

    /// Reads [`Only`] of the next interfaces again.
    fn refresh(&mut self, host: &Host, found: &[Key], listed: &HashMap<String, Interface>) {
        let count = found.len().min(REFRESHED);
        let next = found.iter().cycle().skip(self.next % found.len().max(1)).take(count);
        let mut next: Vec<_> = next
            .filter(|key| self.known.contains_key(*key) && listed.contains_key(&key.0))
            .cloned()
            .collect();
        next.sort_unstable();
        self.next = if found.len() > REFRESHED { self.next.wrapping_add(REFRESHED) } else { 0 };
        let mut keys = next.iter();
        let known = &mut self.known;
        self.refreshed.each(host, &next, |name, device| {
            let key = keys.find(|(key, _)| key == name);
            if let Some(only) = key.and_then(|key| known.get_mut(key)) {
                [only.address_assign_type, only.device_id, only.name_assign_type] =
                    numbers(device, ["addr_assign_type", "dev_id", "name_assign_type"]);
            }
        });
    }

    /// All interfaces from the list, if it has the same interfaces as `found`.
    fn list(&mut self, host: &Host, found: &[Key]) -> Option<HashMap<String, Interface>> {
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
            Some((row.name, of_sysfs(row.interface, row.device_flags?, mode)))
        };
        Some(rows.into_iter().filter_map(interface).collect())
    }
}

/// An interface of the list as sysfs shows it: some attributes are missing if it is down.
fn of_sysfs(mut interface: Interface, flags: u32, mode: Option<&Mode>) -> Interface {
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

impl Only {
    fn from_interface(interface: &Interface) -> Self {
        Self {
            address: interface.address.clone(),
            address_assign_type: interface.address_assign_type,
            device_id: interface.device_id,
            name_assign_type: interface.name_assign_type,
        }
    }

    /// An interface of the list with these attributes.
    fn complete(&self, interface: Interface) -> Interface {
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

    fn page(listed: &mut Listed, host: &Host) -> String {
        let mut out = Families::default();
        listed.expose(host, |_| true, |interface| interface, &mut out).unwrap();
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
        if Listed::new().list(&host, &found).is_none() {
            return testing::skip(
                "interfaces in a list and in files: /sys shows another network namespace",
            );
        }
        testing::until(
            || {
                let mut listed = Listed::new();
                let from_files = page(&mut listed, &host);
                let known = listed.known.len();
                // From the list, with files only for a few attributes.
                page(&mut listed, &host) == from_files
                    && known == host.interfaces().unwrap().len()
                    && listed.known.len() == known
                    && host.shared_counters.take().is_some_and(|counted| counted.len() == known)
            },
            || "the list never agrees with the files".to_owned(),
        );
    }

    #[test]
    fn interfaces_that_are_down_lack_some_attributes() {
        let interface =
            || Interface { carrier: Some(1.0), dormant: Some(0.0), ..Interface::default() };
        let mode = Mode { index: 1, speed: Some(u32::MAX), duplex: Some(255) };
        let up = of_sysfs(interface(), 0x1003, Some(&mode));
        assert_eq!((up.carrier, up.speed, up.duplex.as_str()), (Some(1.0), Some(-1.0), "unknown"));
        let down = of_sysfs(interface(), 0x1002, Some(&mode));
        assert_eq!(down, Interface { flags: Some(4098.0), ..Interface::default() });
    }
}
