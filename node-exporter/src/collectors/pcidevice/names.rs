//! The names of devices in `pci.ids`.
//!
//! The file has about 40,000 names. It is read when there are new devices, and only the names of
//! present devices are kept.

use std::collections::HashMap;
use std::path::PathBuf;

use tracing::warn;

use super::device::Ids;
use crate::host::{File, Host};

/// The paths of the file in distributions, below the root.
const DEFAULT_PATHS: [&str; 2] = ["usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids"];

#[derive(Debug)]
pub(super) struct Names {
    files: Vec<PathBuf>,
    /// The devices at the last scrape.
    devices: Vec<Ids>,
    /// Their names.
    found: Vec<[String; 5]>,
}

impl Names {
    /// Uses the given file, or that of the distribution if `file` is empty.
    pub(super) fn new(host: &Host, file: &str) -> Self {
        let files = match file {
            "" => DEFAULT_PATHS.iter().map(|file| host.rootfs.join(file)).collect(),
            file => vec![file.into()],
        };
        Self { files, devices: Vec::new(), found: Vec::new() }
    }

    /// Names of vendor, device, subsystem vendor, subsystem and class for each device, with numbers
    /// in place of names that the file does not have.
    pub(super) fn for_devices(&mut self, devices: impl Iterator<Item = Ids>) -> &[[String; 5]] {
        let devices: Vec<_> = devices.collect();
        if devices != self.devices {
            self.found = self.look_up(&devices);
            self.devices = devices;
        }
        &self.found
    }

    fn look_up(&self, devices: &[Ids]) -> Vec<[String; 5]> {
        let file = self.files.iter().find_map(|file| File::read(file.clone()).ok());
        if file.is_none() {
            let tried: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
            warn!(
                "collector pcidevice: no names of devices: cannot read {}; \
                 set --collector.pcidevice.idsfile",
                tried.join(" or ")
            );
        }
        let known = parse(file.as_ref().map_or("", File::text), devices);
        let name = |key: &Key| known.get(key).map(|name| (*name).to_owned());
        let or_number =
            |key: Key, number: u32| name(&key).unwrap_or_else(|| format!("{number:04x}"));
        let names = devices.iter().map(|ids| {
            let class = classes(ids.class).iter().find_map(name);
            [
                or_number(Key::Vendor(ids.vendor), ids.vendor),
                or_number(Key::Device(ids.vendor, ids.device), ids.device),
                or_number(Key::Vendor(ids.subsystem_vendor), ids.subsystem_vendor),
                or_number(subsystem(ids), ids.subsystem_device),
                class.unwrap_or_else(|| format!("Unknown class ({:06x})", ids.class)),
            ]
        });
        names.collect()
    }
}

/// The kind of object that a line of the file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Class(u32),
    Device(u32, u32),
    /// The programming interface of a subclass.
    Interface(u32),
    Subclass(u32),
    /// Vendor and device, then those of the subsystem.
    Subsystem(u32, u32, u32, u32),
    Vendor(u32),
}

/// From the most to the least specific.
fn classes(class: u32) -> [Key; 3] {
    [Key::Interface(class), Key::Subclass(class >> 8), Key::Class(class >> 16)]
}

fn subsystem(ids: &Ids) -> Key {
    Key::Subsystem(ids.vendor, ids.device, ids.subsystem_vendor, ids.subsystem_device)
}

/// The names in the file that any of the devices needs.
fn parse<'a>(text: &'a str, devices: &[Ids]) -> HashMap<Key, &'a str> {
    let mut names: HashMap<Key, Option<&str>> = HashMap::new();
    for ids in devices {
        names.extend(classes(ids.class).map(|key| (key, None)));
        names.insert(Key::Vendor(ids.vendor), None);
        names.insert(Key::Device(ids.vendor, ids.device), None);
        names.insert(Key::Vendor(ids.subsystem_vendor), None);
        names.insert(subsystem(ids), None);
    }
    let mut parent = Parent::Nothing;
    for line in text.lines() {
        if let Some((key, name)) = named(line, &mut parent)
            && let Some(entry) = names.get_mut(&key)
        {
            *entry = Some(name);
        }
    }
    names.into_iter().filter_map(|(key, name)| Some((key, name?))).collect()
}

/// The parents of an indented line.
#[derive(Clone, Copy, Debug)]
enum Parent {
    Class(u32),
    Device(u32, u32),
    Nothing,
    Subclass(u32),
    Vendor(u32),
}

/// Parses a line. An indented line belongs to the last line with less indentation.
fn named<'a>(line: &'a str, parent: &mut Parent) -> Option<(Key, &'a str)> {
    let rest = line.trim_start_matches('\t');
    let depth = line.len() - rest.len();
    let (ids, name) = rest.split_once("  ")?;
    let name = name.trim_ascii();
    let hex = |id: &str| u32::from_str_radix(id, 16).ok();
    let key = match (depth, *parent) {
        (0, _) if rest.starts_with('#') => return None,
        (0, _) => match ids.strip_prefix("C ") {
            Some(class) => Key::Class(hex(class)?),
            None => Key::Vendor(hex(ids)?),
        },
        (1, Parent::Class(class) | Parent::Subclass(class)) => {
            // A subclass only has the class above it.
            let class = if let Parent::Subclass(_) = parent { class >> 8 } else { class };
            Key::Subclass(class << 8 | hex(ids)? & 0xff)
        }
        (1, Parent::Vendor(vendor) | Parent::Device(vendor, _)) => Key::Device(vendor, hex(ids)?),
        (2, Parent::Subclass(subclass)) => Key::Interface(subclass << 8 | hex(ids)? & 0xff),
        (2, Parent::Device(vendor, device)) => {
            let (subvendor, subdevice) = ids.split_once(' ')?;
            Key::Subsystem(vendor, device, hex(subvendor)?, hex(subdevice)?)
        }
        _ => return None,
    };
    *parent = match key {
        Key::Class(class) => Parent::Class(class & 0xff),
        Key::Device(vendor, device) => Parent::Device(vendor, device),
        Key::Subclass(subclass) => Parent::Subclass(subclass),
        Key::Vendor(vendor) => Parent::Vendor(vendor),
        Key::Interface(_) | Key::Subsystem(..) => *parent,
    };
    Some((key, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# comment\n\
        10aa  Vendor A\n\t0001  Device one\n\t\t10bb 00ff  Board\n\t0002  Device two\n\
        \t\t10bb 00ff  Other board\n10bb  Vendor B\nnonsense\n\tzz  nothing\n\
        C 02  Network controller\n\t00  Ethernet controller\n\t\t01  Special\n\t80  Network other\n";

    #[test]
    fn indented_lines_belong_to_their_parents() {
        let mut parent = Parent::Nothing;
        let found: Vec<_> = TEXT.lines().filter_map(|line| named(line, &mut parent)).collect();
        let expected = [
            (Key::Vendor(0x10aa), "Vendor A"),
            (Key::Device(0x10aa, 1), "Device one"),
            (Key::Subsystem(0x10aa, 1, 0x10bb, 0xff), "Board"),
            (Key::Device(0x10aa, 2), "Device two"),
            (Key::Subsystem(0x10aa, 2, 0x10bb, 0xff), "Other board"),
            (Key::Vendor(0x10bb), "Vendor B"),
            (Key::Class(2), "Network controller"),
            (Key::Subclass(0x200), "Ethernet controller"),
            (Key::Interface(0x2_0001), "Special"),
            (Key::Subclass(0x280), "Network other"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_most_specific_class_is_used() {
        for (class, expected) in [
            (0x2_0001, Some("Special")),
            (0x2_0002, Some("Ethernet controller")),
            (0x2_9000, Some("Network controller")),
            (0x3_0000, None),
        ] {
            let ids = Ids { class, ..Ids::default() };
            let known = parse(TEXT, &[ids]);
            let found = classes(class).iter().find_map(|key| known.get(key).copied());
            assert_eq!(found, expected, "{class:x}");
        }
    }
}
