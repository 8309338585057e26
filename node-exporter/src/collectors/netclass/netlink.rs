//! Interfaces from rtnetlink and ethtool's generic netlink family: two requests instead of twenty
//! files per interface.

use std::collections::HashMap;
use std::fmt::Write;

use exporter_core::collector::Error;
use exporter_core::desc::{Column, Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;

use super::files::{Interfaces, read_numbers};
use super::{COLUMNS, Interface};
use crate::collectors::netdev::details;
use crate::host::Host;
use crate::netlink::ethtool::{self, Mode};
use crate::netlink::generic;
use crate::netlink::link::{self, Link, LinkStats, Stats};
use crate::netlink::{Attributes, Netlink, c_string, read_u32};

pub(super) static INFO: Desc<6> = Desc::gauge(
    "node_network_info",
    "The device, in the labels; always 1.",
    ["device", "address", "broadcast", "duplex", "operstate", "ifalias"],
);
pub(super) static ALTERNATIVE_NAMES: Desc<2> = Desc::gauge(
    "node_network_altnames_info",
    "Further names of the device; always 1.",
    ["device", "altname"],
);
/// The counters of an interface. The names are those of netdev's detailed metrics; the types are
/// gauges, as in the original.
pub(super) struct LinkCounters;

impl Describe for LinkCounters {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for column in &details::COLUMNS {
            visit(gauge(column));
        }
    }
}

fn gauge(column: &Column<Stats, 1>) -> DynDesc<'_> {
    column.desc.as_dyn().with_kind(Kind::Gauge)
}

/// The netlink sockets.
pub(super) struct Sockets {
    route: Netlink,
    generic: Netlink,
    ethtool: FamilyId,
    with_stats: bool,
}

/// The netlink family ID of ethtool, which is requested once.
#[derive(Clone, Copy)]
enum FamilyId {
    Unknown,
    /// This kernel does not have the family.
    Absent,
    Known(u16),
}

/// An interface with its index.
pub(super) struct Row {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) interface: Interface,
    alternative_names: Vec<String>,
    pub(super) stats: Option<Stats>,
    /// The flags as in sysfs, if the kernel provides enough to compute them.
    pub(super) device_flags: Option<u32>,
}

impl Sockets {
    pub(super) fn new(with_stats: bool) -> Self {
        let (route, generic) = (Netlink::route(), Netlink::generic());
        Self { route, generic, ethtool: FamilyId::Unknown, with_stats }
    }

    pub(super) fn expose(
        &mut self,
        host: &Host,
        interfaces: &mut Interfaces,
        is_wanted: impl Fn(&str) -> bool,
        drop_invalid_speed: impl Fn(Interface) -> Interface,
        out: &mut Families,
    ) -> Result<(), Error> {
        let link_stats = if self.with_stats { LinkStats::Include } else { LinkStats::Skip };
        let mut rows = self.rows(link_stats)?;
        rows.retain(|row| is_wanted(&row.name));
        let (modes, result) = match self.modes() {
            Ok(modes) => (modes.unwrap_or_default(), Ok(())),
            Err(error) => (HashMap::new(), Err(error)),
        };
        add_file_attributes(host, interfaces, &mut rows);
        for row in &mut rows {
            let interface = std::mem::take(&mut row.interface);
            row.interface = drop_invalid_speed(with_link_mode(interface, modes.get(&row.index)));
        }
        write(out, &rows, self.with_stats);
        result
    }

    pub(super) fn rows(&mut self, link_stats: LinkStats) -> Result<Vec<Row>, Error> {
        link::links(&mut self.route, link_stats, row)
    }

    /// The link modes of the interfaces by index. `None` if this kernel does not have ethtool's
    /// netlink family.
    pub(super) fn modes(&mut self) -> Result<Option<HashMap<u32, Mode>>, Error> {
        if let FamilyId::Unknown = self.ethtool {
            let family_id = generic::family_id(&mut self.generic, "ethtool")?;
            self.ethtool = family_id.map_or(FamilyId::Absent, FamilyId::Known);
        }
        let FamilyId::Known(family_id) = self.ethtool else { return Ok(None) };
        let modes = ethtool::modes(&mut self.generic, family_id)?;
        Ok(Some(modes.into_iter().map(|mode| (mode.index, mode)).collect()))
    }
}

fn write(out: &mut Families, rows: &[Row], with_stats: bool) {
    for column in &COLUMNS {
        let mut family = out.family(&column.desc);
        for row in rows {
            if let Some(value) = (column.value)(&row.interface) {
                family.sample([&row.name], value);
            }
        }
    }
    let mut info = out.family(&INFO);
    for Row { name, interface, .. } in rows {
        let Interface { address, broadcast, duplex, operstate, alias, .. } = interface;
        info.sample([name, address, broadcast, duplex, operstate, alias], 1.0);
    }
    let mut names = out.family(&ALTERNATIVE_NAMES);
    for row in rows {
        for alternative in &row.alternative_names {
            names.sample([&row.name, alternative], 1.0);
        }
    }
    for column in details::COLUMNS.iter().filter(|_| with_stats) {
        let mut family = out.open(gauge(column));
        for row in rows {
            if let Some(value) = row.stats.as_ref().and_then(column.value) {
                family.sample(&[&row.name], value);
            }
        }
    }
}

fn row(link: Link<'_>) -> Option<Row> {
    let u32_value = |value: &[u8]| read_u32(value).map(f64::from);
    let byte = |value: &[u8]| value.first().copied();
    let (mut name, mut alternative_names, mut stats) = (None, Vec::new(), None);
    let (mut promiscuity, mut all_multicast) = (None, None);
    let mut interface = Interface {
        flags: Some(f64::from(link.flags)),
        index: Some(f64::from(link.index)),
        // An interface without the attribute is its own lower device.
        lower: Some(f64::from(link.index)),
        protocol: Some(f64::from(link.kind)),
        operstate: operstate(0).to_owned(),
        dormant: Some(0.0),
        ..Interface::default()
    };
    for (kind, value) in link.attributes {
        match kind {
            link::NAME => name = Some(c_string(value)),
            link::ADDRESS => interface.address = hardware_address(value),
            link::BROADCAST => interface.broadcast = hardware_address(value),
            link::MTU => interface.mtu = u32_value(value),
            link::LOWER => interface.lower = u32_value(value),
            link::QUEUE_LENGTH => interface.queue_length = u32_value(value),
            link::OPERSTATE => {
                let code = byte(value).unwrap_or_default();
                operstate(code).clone_into(&mut interface.operstate);
                interface.dormant = Some(f64::from(u8::from(code == DORMANT)));
            }
            link::LINK_MODE => interface.link_mode = byte(value).map(f64::from),
            link::ALIAS => interface.alias = c_string(value),
            link::STATS64 => stats = Stats::parse(value),
            link::GROUP => interface.group = u32_value(value),
            link::PROMISCUITY => promiscuity = read_u32(value),
            link::ALL_MULTICAST => all_multicast = read_u32(value),
            link::CARRIER => interface.carrier = byte(value).map(f64::from),
            link::CARRIER_CHANGES => interface.carrier_changes = u32_value(value),
            link::CARRIER_UP_COUNT => interface.carrier_up_count = u32_value(value),
            link::CARRIER_DOWN_COUNT => interface.carrier_down_count = u32_value(value),
            link::PROPERTIES => {
                let names = Attributes(value).filter(|(kind, _)| *kind == link::ALTERNATIVE_NAME);
                alternative_names.extend(names.map(|(_, name)| c_string(name)));
            }
            _ => {}
        }
    }
    let device_flags = promiscuity.zip(all_multicast).map(|(promiscuity, all_multicast)| {
        device_flags_of(link.flags, promiscuity, all_multicast)
    });
    let (index, name) = (link.index, name?);
    Some(Row { index, name, interface, alternative_names, stats, device_flags })
}

/// Reverses `netif_get_flags`, which adds the state of the device, and replaces its effective
/// promiscuous and multicast modes by the configured ones.
fn device_flags_of(flags: u32, promiscuity: u32, all_multicast: u32) -> u32 {
    const RUNNING: u32 = 1 << 6;
    const PROMISCUOUS: u32 = 1 << 8;
    const ALL_MULTICAST: u32 = 1 << 9;
    const LOWER_UP: u32 = 1 << 16;
    const DORMANT: u32 = 1 << 17;
    let own = flags & !(RUNNING | PROMISCUOUS | ALL_MULTICAST | LOWER_UP | DORMANT);
    own | if promiscuity > 0 { PROMISCUOUS } else { 0 }
        | if all_multicast > 0 { ALL_MULTICAST } else { 0 }
}

const DORMANT: u8 = 5;

/// The name of an `IF_OPER_*` state in sysfs.
fn operstate(state: u8) -> &'static str {
    match state {
        1 => "notpresent",
        2 => "down",
        3 => "lowerlayerdown",
        4 => "testing",
        DORMANT => "dormant",
        6 => "up",
        _ => "unknown",
    }
}

fn hardware_address(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        let separator = if index == 0 { "" } else { ":" };
        // Writing to a String does not fail.
        let _ = write!(text, "{separator}{byte:02x}");
    }
    text
}

fn with_link_mode(mut interface: Interface, mode: Option<&Mode>) -> Interface {
    if let Some(mode) = mode {
        // An unknown speed is negative, as in sysfs.
        interface.speed = mode.speed.map(|speed| f64::from(speed.cast_signed()));
        let duplex = match mode.duplex {
            Some(0) => "Half",
            Some(1) => "Full",
            Some(_) => "Unknown",
            None => "",
        };
        duplex.clone_into(&mut interface.duplex);
    }
    interface
}

/// Adds the attributes that netlink does not provide.
fn add_file_attributes(host: &Host, interfaces: &mut Interfaces, rows: &mut [Row]) {
    let found: Vec<_> = rows.iter().map(|row| (row.name.clone(), row.index.into())).collect();
    let mut rows = rows.iter_mut();
    interfaces.for_each(host, &found, |name, device| {
        // In the same order, without removed interfaces.
        if let Some(Row { interface, .. }) = rows.find(|row| row.name == name) {
            [interface.address_assign_type, interface.device_id, interface.name_assign_type] =
                read_numbers(device, ["addr_assign_type", "dev_id", "name_assign_type"]);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_parsed() {
        let attribute = |kind: u16, value: &[u8]| {
            let length = 4 + value.len();
            let header = [u16::try_from(length).unwrap(), kind].map(u16::to_ne_bytes);
            let padding = vec![0; length.next_multiple_of(4) - length];
            [header.as_flattened(), value, &padding].concat()
        };
        let header =
            [&[0, 0][..], &1_u16.to_ne_bytes(), &7_u32.to_ne_bytes(), &[3, 16, 0, 0, 0, 0, 0, 0]];
        let entry = [
            header.concat(),
            attribute(link::NAME, b"eth0\0"),
            attribute(link::ADDRESS, &[2, 0, 0, 0, 0, 0xfe]),
            attribute(link::MTU, &1500_u32.to_ne_bytes()),
            attribute(link::OPERSTATE, &[6]),
            attribute(link::PROPERTIES, &attribute(link::ALTERNATIVE_NAME, b"enp1s0\0")),
        ]
        .concat();
        let found = row(Link::parse(&entry).unwrap()).unwrap();
        assert_eq!((found.index, found.name.as_str()), (7, "eth0"));
        assert_eq!(found.interface.address, "02:00:00:00:00:fe");
        assert_eq!(found.interface.mtu, Some(1500.0));
        assert_eq!(found.interface.lower, Some(7.0));
        assert_eq!(found.interface.operstate, "up");
        assert_eq!(found.alternative_names, ["enp1s0"]);
        // A truncated entry is either invalid or has fewer attributes.
        for end in 0..entry.len() {
            let _ = Link::parse(&entry[..end]).and_then(row);
        }
    }
}
