//! One device of the bus.

use std::path::Path;

use exporter_core::collector::Error;

use crate::host::{self, EMPTY_PAGE, Host, if_exists};

/// Relative to sysfs.
pub(super) const DIRECTORY: &str = "bus/pci/devices";

#[derive(Debug)]
pub(super) struct Device {
    pub(super) location: Location,
    /// The upstream bridge, unless the device is on a root bus.
    parent: Option<Location>,
    pub(super) ids: Ids,
    pub(super) measurements: Measurements,
    pub(super) power_state: Option<String>,
}

/// Segment, bus, device and function, as written by the kernel.
#[derive(Debug, PartialEq)]
pub(super) struct Location([String; 4]);

/// The numbers that identify a device in `pci.ids`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) class: u32,
    pub(super) vendor: u32,
    pub(super) device: u32,
    pub(super) subsystem_vendor: u32,
    pub(super) subsystem_device: u32,
    pub(super) revision: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Measurements {
    /// In transfers per second.
    pub(super) max_link_speed: Option<f64>,
    pub(super) max_link_width: Option<f64>,
    pub(super) link_speed: Option<f64>,
    pub(super) link_width: Option<f64>,
    pub(super) d3cold_allowed: f64,
    pub(super) autoprobe: f64,
    pub(super) functions: f64,
    pub(super) max_functions: f64,
    pub(super) vectors: f64,
    pub(super) numa_node: Option<f64>,
}

impl Device {
    /// `None` if the device has been removed, or if the name is not that of a PCI device.
    pub(super) fn read(host: &Host, name: &str) -> Result<Option<Self>, Error> {
        let Some(location) = Location::parse(name) else { return Ok(None) };
        let path = format!("{DIRECTORY}/{name}");
        let Some(directory) = if_exists(host.device(&path))? else { return Ok(None) };
        let attributes = Attributes(&directory);
        let ids = Ids {
            class: attributes.id("class")?,
            vendor: attributes.id("vendor")?,
            device: attributes.id("device")?,
            subsystem_vendor: attributes.id("subsystem_vendor")?,
            subsystem_device: attributes.id("subsystem_device")?,
            revision: attributes.id("revision")?,
        };
        let measurements = Measurements {
            max_link_speed: attributes.speed("max_link_speed")?,
            max_link_width: attributes.number("max_link_width")?,
            link_speed: attributes.speed("current_link_speed")?,
            link_width: attributes.number("current_link_width")?,
            d3cold_allowed: attributes.number("d3cold_allowed")?.unwrap_or_default(),
            autoprobe: attributes.number("sriov_drivers_autoprobe")?.unwrap_or_default(),
            functions: attributes.number("sriov_numvfs")?.unwrap_or_default(),
            max_functions: attributes.number("sriov_totalvfs")?.unwrap_or_default(),
            vectors: attributes.number("sriov_vf_total_msix")?.unwrap_or_default(),
            numa_node: attributes.number("numa_node")?.filter(|node| *node >= 0.0),
        };
        let power_state = attributes.text("power_state").filter(|state| !state.is_empty());
        let parent = host.read_link_sys(&path).ok().and_then(|target| parent_of(&target));
        Ok(Some(Self { location, parent, ids, measurements, power_state }))
    }

    /// The labels of the parent device: `*` if there is none.
    pub(super) fn parent(&self) -> [&str; 4] {
        self.parent.as_ref().map_or(["*"; 4], Location::labels)
    }
}

/// The parent device, from the target of the link of a device:
/// `../../../devices/pci0000:00/0000:00:02.1/0000:01:00.0`.
fn parent_of(target: &Path) -> Option<Location> {
    Location::parse(target.parent()?.file_name()?.to_str()?)
}

impl Location {
    /// Parses a name such as `0000:45:00.0`.
    fn parse(name: &str) -> Option<Self> {
        let (rest, function) = name.split_once('.')?;
        let mut parts = rest.split(':');
        let (segment, bus, device) = (parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |part: &str| u32::from_str_radix(part, 16).is_ok();
        let parts_are_hex = [segment, bus, device, function].into_iter().all(is_hex);
        (parts.next().is_none() && parts_are_hex)
            .then(|| Self([segment, bus, device, function].map(ToOwned::to_owned)))
    }

    pub(super) fn labels(&self) -> [&str; 4] {
        self.0.each_ref().map(String::as_str)
    }
}

impl Ids {
    /// Class, vendor, device, subsystem vendor, subsystem and revision, as written by the kernel.
    pub(super) fn labels(&self) -> [String; 6] {
        [
            format!("{:#08x}", self.class),
            format!("{:#06x}", self.vendor),
            format!("{:#06x}", self.device),
            format!("{:#06x}", self.subsystem_vendor),
            format!("{:#06x}", self.subsystem_device),
            format!("{:#04x}", self.revision),
        ]
    }
}

struct Attributes<'a>(&'a host::Device);

impl Attributes<'_> {
    /// `None` if a device lacks the attribute, or cannot read it at the moment.
    fn text(&self, name: &str) -> Option<String> {
        Some(self.0.read(name, &mut EMPTY_PAGE.clone()).ok()?.into_owned())
    }

    /// A number written as `0x1022`.
    fn id(&self, name: &str) -> Result<u32, Error> {
        let mut page = EMPTY_PAGE;
        let text = self.0.text(name, &mut page)?;
        let number = text.strip_prefix("0x").and_then(|hex| u32::from_str_radix(hex, 16).ok());
        number.ok_or_else(|| self.0.parse_error(name, "a number such as 0x1022", &text))
    }

    fn number(&self, name: &str) -> Result<Option<f64>, Error> {
        let Some(text) = self.text(name).filter(|text| is_known(text)) else { return Ok(None) };
        let number =
            text.parse::<i64>().map_err(|_| self.0.parse_error(name, "a number", &text))?;
        Ok(Some(number as f64))
    }

    fn speed(&self, name: &str) -> Result<Option<f64>, Error> {
        let Some(text) = self.text(name).filter(|text| is_known(text)) else { return Ok(None) };
        let speed = speed(&text);
        speed.map(Some).ok_or_else(|| self.0.parse_error(name, "a speed such as `8.0 GT/s`", &text))
    }
}

fn is_known(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("Unknown")
}

/// Transfers per second.
fn speed(text: &str) -> Option<f64> {
    // Older kernels write `GT/s` alone.
    let (number, unit) = text.split_once(' ')?;
    if !unit.starts_with("GT/s") {
        return None;
    }
    number.parse::<f64>().ok().map(|giga| giga * 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_parsed() {
        let location = Location::parse("0000:45:0a.7").unwrap();
        assert_eq!(location.labels(), ["0000", "45", "0a", "7"]);
        assert_eq!(Location::parse("10000:e1:00.0").unwrap().labels(), ["10000", "e1", "00", "0"]);
        for name in ["", "0000:45:00", "45:00.0", "0000:45:00.x", "0:0:0:0.0", "pci0000:00"] {
            assert_eq!(Location::parse(name), None, "{name}");
        }
    }

    #[test]
    fn the_parent_is_found_in_the_link() {
        for (target, expected) in [
            (
                "../../../devices/pci0000:00/0000:00:02.1/0000:01:00.0",
                Location::parse("0000:00:02.1"),
            ),
            ("../../../devices/pci0000:00/0000:00:02.1", None),
            ("0000:01:00.0", None),
        ] {
            assert_eq!(parent_of(Path::new(target)), expected, "{target}");
        }
    }

    #[test]
    fn speeds_are_parsed() {
        for (text, expected) in [
            ("8.0 GT/s PCIe", Some(8e9)),
            ("2.5 GT/s", Some(2.5e9)),
            ("8.0", None),
            ("x GT/s PCIe", None),
            ("8.0 MT/s", None),
        ] {
            assert_eq!(speed(text), expected, "{text}");
        }
        assert!(["", "Unknown", "Unknown speed"].into_iter().all(|text| !is_known(text)));
    }

    #[test]
    fn ids_have_the_format_of_the_kernel() {
        let ids = Ids { class: 0x6_0400, vendor: 0x1022, revision: 1, ..Ids::default() };
        assert_eq!(ids.labels(), ["0x060400", "0x1022", "0x0000", "0x0000", "0x0000", "0x01"]);
    }
}
