//! Configuration and link state of network interfaces: `/sys/class/net`, see
//! `Documentation/ABI/testing/sysfs-class-net`; or rtnetlink and ethtool's generic netlink family.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use super::Definition;
use crate::filter::Filter;
use crate::host::Host;

mod files;
mod netlink;
mod sysfs;

pub(super) static DEFINITION: Definition =
    Definition::new("netclass", "Settings and state of network interfaces", |host, flags| {
        Ok(Source::blocking(Netclass::new(host, flags)?))
    })
    .cost("about 25 small files per interface")
    .reads(&["/sys/class/net/*/*"])
    .flags(&[&IGNORED, &IGNORE_INVALID_SPEED, &NETLINK, &WITH_STATS])
    .metrics(&[
        &COLUMNS,
        &INFO,
        &netlink::INFO,
        &netlink::ALTERNATIVE_NAMES,
        &netlink::LinkCounters,
    ]);

static IGNORED: Flag =
    Flag::text("collector.netclass.ignored-devices", "^$", "Pattern of the devices to leave out.");
static IGNORE_INVALID_SPEED: Flag = Flag::switch(
    "collector.netclass.ignore-invalid-speed",
    false,
    "Leave out negative speeds, which mean that the speed is unknown.",
);
static NETLINK: Flag =
    Flag::switch("collector.netclass.netlink", false, "Use netlink instead of /sys/class/net.");
static WITH_STATS: Flag = Flag::switch(
    "collector.netclass_rtnl.with-stats",
    false,
    "With netlink, also expose the counters of each device, in place of netdev.",
);

const DEVICE: [&str; 1] = ["device"];

static COLUMNS: [Column<Interface, 1>; 18] = [
    Desc::gauge("node_network_address_assign_type", "Origin of the address.", DEVICE)
        .column(|interface| interface.address_assign_type),
    Desc::gauge("node_network_carrier", "Whether there is a carrier.", DEVICE)
        .column(|interface| interface.carrier),
    Desc::counter("node_network_carrier_changes_total", "Changes of the carrier.", DEVICE)
        .column(|interface| interface.carrier_changes),
    Desc::counter("node_network_carrier_down_changes_total", "Losses of the carrier.", DEVICE)
        .column(|interface| interface.carrier_down_count),
    Desc::counter("node_network_carrier_up_changes_total", "Returns of the carrier.", DEVICE)
        .column(|interface| interface.carrier_up_count),
    Desc::gauge("node_network_device_id", "Distinguishes devices with the same address.", DEVICE)
        .column(|interface| interface.device_id),
    Desc::gauge("node_network_dormant", "Whether the device waits for an event.", DEVICE)
        .column(|interface| interface.dormant),
    Desc::gauge("node_network_flags", "IFF_* bits of the device.", DEVICE)
        .column(|interface| interface.flags),
    Desc::gauge("node_network_iface_id", "Index of the device.", DEVICE)
        .column(|interface| interface.index),
    Desc::gauge("node_network_iface_link", "Index of the device below.", DEVICE)
        .column(|interface| interface.lower),
    Desc::gauge("node_network_iface_link_mode", "Link mode: 0 default, 1 dormant.", DEVICE)
        .column(|interface| interface.link_mode),
    Desc::gauge("node_network_mtu_bytes", "Largest packet that the device sends.", DEVICE)
        .column(|interface| interface.mtu),
    Desc::gauge("node_network_name_assign_type", "Origin of the name.", DEVICE)
        .column(|interface| interface.name_assign_type),
    Desc::gauge("node_network_net_dev_group", "Group of the device.", DEVICE)
        .column(|interface| interface.group),
    Desc::gauge("node_network_protocol_type", "ARPHRD_* type of the device.", DEVICE)
        .column(|interface| interface.protocol),
    Desc::gauge("node_network_speed_bytes", "Speed, in bytes per second.", DEVICE)
        .column(|interface| interface.speed.map(|megabits| megabits * 125_000.0)),
    Desc::gauge("node_network_transmit_queue_length", "Packets the send queue can hold.", DEVICE)
        .column(|interface| interface.queue_length),
    Desc::gauge("node_network_up", "Whether the device is up.", DEVICE)
        .column(|interface| Some(f64::from(u8::from(interface.operstate == "up")))),
];

static INFO: Desc<7> = Desc::gauge(
    "node_network_info",
    "The device, in the labels; always 1.",
    ["device", "address", "broadcast", "duplex", "operstate", "adminstate", "ifalias"],
);

struct Netclass {
    host: Host,
    filter: Filter,
    ignore_invalid_speed: bool,
    source: InterfaceSource,
}

/// Where the interfaces are listed.
enum InterfaceSource {
    /// The interfaces in `/sys/class/net`.
    Sysfs(sysfs::SysfsInterfaces),
    /// With `--collector.netclass.netlink`. Some attributes are still read from files.
    Netlink(netlink::Sockets, files::Interfaces),
}

impl Netclass {
    fn new(host: &Host, flags: &Flags) -> Result<Self, Error> {
        let source = if flags.is_on(&NETLINK) {
            let sockets = netlink::Sockets::new(flags.is_on(&WITH_STATS));
            InterfaceSource::Netlink(sockets, files::Interfaces::default())
        } else {
            InterfaceSource::Sysfs(sysfs::SysfsInterfaces::new())
        };
        Ok(Self {
            host: host.clone(),
            filter: Filter::excluding(flags, &IGNORED)?.of_interfaces(flags)?,
            ignore_invalid_speed: flags.is_on(&IGNORE_INVALID_SPEED),
            source,
        })
    }
}

impl Collector for Netclass {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let filter = &self.filter;
        let is_wanted = |name: &str| !filter.ignores(name);
        let ignore_invalid_speed = self.ignore_invalid_speed;
        let drop_invalid_speed = |mut interface: Interface| {
            interface.speed =
                interface.speed.filter(|&speed| speed >= 0.0 || !ignore_invalid_speed);
            interface
        };
        let host = &self.host;
        match &mut self.source {
            InterfaceSource::Sysfs(interfaces) => {
                interfaces.expose(host, is_wanted, drop_invalid_speed, out)
            }
            InterfaceSource::Netlink(sockets, files) => {
                sockets.expose(host, files, is_wanted, drop_invalid_speed, out)
            }
        }
    }
}

/// A network interface. Values that the kernel does not provide are `None` or empty.
#[derive(Debug, Default, PartialEq)]
struct Interface {
    address_assign_type: Option<f64>,
    carrier: Option<f64>,
    carrier_changes: Option<f64>,
    /// Since Linux 4.16, like the next field.
    carrier_down_count: Option<f64>,
    carrier_up_count: Option<f64>,
    device_id: Option<f64>,
    dormant: Option<f64>,
    flags: Option<f64>,
    index: Option<f64>,
    lower: Option<f64>,
    link_mode: Option<f64>,
    mtu: Option<f64>,
    name_assign_type: Option<f64>,
    group: Option<f64>,
    protocol: Option<f64>,
    /// In Mb/s; negative if the device does not know.
    speed: Option<f64>,
    queue_length: Option<f64>,
    address: String,
    broadcast: String,
    duplex: String,
    operstate: String,
    alias: String,
}
