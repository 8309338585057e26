//! Traffic counters of network interfaces: rtnetlink's `RTM_GETLINK`, or
//! `/proc/net/dev`; and on request its addresses.
//!
//! Both show the network namespace of this process. For `/proc/net/dev`, the kernel adds up
//! some of its counters; the metrics have the same sums with both sources, unless detailed metrics
//! are requested.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use super::Definition;
use crate::filter::Filter;
use crate::host::Host;
use crate::netlink::Netlink;

mod address;
pub(super) mod details;
mod source;

pub(super) static DEFINITION: Definition =
    Definition::new("netdev", "Network interface traffic and errors", |host, flags| {
        Ok(Source::blocking(Netdev::new(host, flags)?))
    })
    .cost("one dump of the interfaces")
    .reads(&["/proc/net/dev", "/sys/class/net/*/ifalias"])
    .flags(&[
        &INCLUDE,
        &EXCLUDE,
        &OLD_INCLUDE,
        &OLD_EXCLUDE,
        &ADDRESS_INFO,
        &DETAILED,
        &NETLINK,
        &LABEL_ALIAS,
    ]) // All names in SUMS_RENAMED are also names of detailed metrics.
    .metrics(&[&COLUMNS, &SUMS, &details::COLUMNS, &address::INFO]);

static INCLUDE: Flag =
    Flag::text("collector.netdev.device-include", "", "Pattern of the devices to expose.");
static EXCLUDE: Flag =
    Flag::text("collector.netdev.device-exclude", "", "Pattern of the devices to leave out.");
static OLD_INCLUDE: Flag =
    Flag::text("collector.netdev.device-whitelist", "", "Old name of device-include.").hidden();
static OLD_EXCLUDE: Flag =
    Flag::text("collector.netdev.device-blacklist", "", "Old name of device-exclude.").hidden();
static ADDRESS_INFO: Flag =
    Flag::switch("collector.netdev.address-info", false, "Expose the addresses of each device.");
static DETAILED: Flag = Flag::switch(
    "collector.netdev.enable-detailed-metrics",
    false,
    "Expose all counters of the kernel under names of their own, not the sums of /proc/net/dev.",
);
static NETLINK: Flag =
    Flag::switch("collector.netdev.netlink", true, "Ask over netlink, not /proc/net/dev.");
static LABEL_ALIAS: Flag =
    Flag::switch("collector.netdev.label-ifalias", false, "Add the alias of each device.");

const DEVICE: [&str; 1] = ["device"];

/// The counters of `/proc/net/dev`, less those in [`SUMS`].
static COLUMNS: [Column<Counters, 1>; 13] = [
    Desc::counter("node_network_receive_bytes_total", "Bytes received.", DEVICE)
        .column(|row| Some(row.receive_bytes)),
    Desc::counter("node_network_receive_packets_total", "Packets received.", DEVICE)
        .column(|row| Some(row.receive_packets)),
    Desc::counter("node_network_receive_fifo_total", "Overruns of the receive queue.", DEVICE)
        .column(|row| Some(row.receive_fifo)),
    Desc::counter("node_network_receive_frame_total", "Frames received that were bad.", DEVICE)
        .column(|row| Some(row.receive_frame)),
    Desc::counter("node_network_receive_compressed_total", "Compressed packets received.", DEVICE)
        .column(|row| Some(row.receive_compressed)),
    Desc::counter("node_network_receive_multicast_total", "Multicasts received.", DEVICE)
        .column(|row| Some(row.receive_multicast)),
    Desc::counter(
        "node_network_receive_nohandler_total",
        "Packets without a protocol handler.",
        DEVICE,
    )
    .column(|row| row.receive_nohandler),
    Desc::counter("node_network_transmit_bytes_total", "Bytes sent.", DEVICE)
        .column(|row| Some(row.transmit_bytes)),
    Desc::counter("node_network_transmit_packets_total", "Packets sent.", DEVICE)
        .column(|row| Some(row.transmit_packets)),
    Desc::counter("node_network_transmit_fifo_total", "Overruns of the send queue.", DEVICE)
        .column(|row| Some(row.transmit_fifo)),
    Desc::counter("node_network_transmit_colls_total", "Collisions.", DEVICE)
        .column(|row| Some(row.transmit_colls)),
    Desc::counter("node_network_transmit_carrier_total", "Losses of carrier and the like.", DEVICE)
        .column(|row| Some(row.transmit_carrier)),
    Desc::counter("node_network_transmit_compressed_total", "Compressed packets sent.", DEVICE)
        .column(|row| Some(row.transmit_compressed)),
];

static SUMS: [Column<Counters, 1>; 4] = [
    Desc::counter("node_network_receive_errs_total", "Errors on receiving.", DEVICE)
        .column(|row| Some(row.receive_errs)),
    Desc::counter("node_network_receive_drop_total", "Packets dropped on receiving.", DEVICE)
        .column(|row| Some(row.receive_drop)),
    Desc::counter("node_network_transmit_errs_total", "Errors on sending.", DEVICE)
        .column(|row| Some(row.transmit_errs)),
    Desc::counter("node_network_transmit_drop_total", "Packets dropped on sending.", DEVICE)
        .column(|row| Some(row.transmit_drop)),
];

/// [`SUMS`] under other names, for detailed metrics from `/proc/net/dev`.
static SUMS_RENAMED: [Column<Counters, 1>; 4] = [
    Desc::counter("node_network_receive_errors_total", "Errors on receiving.", DEVICE)
        .column(|row| Some(row.receive_errs)),
    Desc::counter("node_network_receive_dropped_total", "Packets dropped on receiving.", DEVICE)
        .column(|row| Some(row.receive_drop)),
    Desc::counter("node_network_transmit_errors_total", "Errors on sending.", DEVICE)
        .column(|row| Some(row.transmit_errs)),
    Desc::counter("node_network_transmit_dropped_total", "Packets dropped on sending.", DEVICE)
        .column(|row| Some(row.transmit_drop)),
];

#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Netdev {
    host: Host,
    filter: Filter,
    netlink: Netlink,
    is_from_proc: bool,
    is_detailed: bool,
    with_alias_label: bool,
    with_address_info: bool,
}

impl Netdev {
    fn new(host: &Host, flags: &Flags) -> Result<Self, Error> {
        let renamed = |new: &'static Flag, old: &'static Flag| {
            if flags.text(new).is_empty() { old } else { new }
        };
        let include = renamed(&INCLUDE, &OLD_INCLUDE);
        let exclude = renamed(&EXCLUDE, &OLD_EXCLUDE);
        Ok(Self {
            host: host.clone(),
            filter: Filter::one_of(flags, include, exclude)?.of_interfaces(flags)?,
            netlink: Netlink::route(),
            is_from_proc: !flags.is_on(&NETLINK),
            is_detailed: flags.is_on(&DETAILED),
            with_alias_label: flags.is_on(&LABEL_ALIAS),
            with_address_info: flags.is_on(&ADDRESS_INFO),
        })
    }
}

impl Collector for Netdev {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        if self.is_from_proc {
            let devices = self.filtered(source::from_proc(&self.host, self.with_alias_label)?);
            self.table(out, &COLUMNS, &devices);
            self.table(out, if self.is_detailed { &SUMS_RENAMED } else { &SUMS }, &devices);
        } else if self.is_detailed {
            let devices = source::from_netlink(&self.host, &mut self.netlink, |stats| stats)?;
            let devices = self.filtered(devices);
            self.table(out, &details::COLUMNS, &devices);
        } else {
            let devices = source::from_netlink(&self.host, &mut self.netlink, Counters::from)?;
            let devices = self.filtered(devices);
            self.table(out, &COLUMNS, &devices);
            self.table(out, &SUMS, &devices);
        }
        if self.with_address_info {
            address::expose(&mut self.netlink, &self.filter, out)?;
        }
        Ok(())
    }
}

impl Netdev {
    fn filtered<Row>(&self, mut devices: Vec<Device<Row>>) -> Vec<Device<Row>> {
        devices.retain(|device| !self.filter.ignores(&device.name));
        devices
    }

    /// Writes a table whose rows may have an additional label, the alias.
    fn table<Row>(&self, out: &mut Families, columns: &[Column<Row, 1>], devices: &[Device<Row>]) {
        const LABELS: [&str; 2] = ["device", "ifalias"];
        let count = if self.with_alias_label { 2 } else { 1 };
        let labels = LABELS.get(..count).unwrap_or_default();
        for column in columns {
            let mut family = out.open(column.desc.as_dyn().with_labels(labels));
            for device in devices {
                let labels = [device.name.as_str(), device.alias.as_str()];
                if let Some(value) = (column.value)(&device.row) {
                    family.sample(labels.get(..count).unwrap_or_default(), value);
                }
            }
        }
    }
}

struct Device<Row> {
    name: String,
    alias: String,
    row: Row,
}

/// The columns of `/proc/net/dev`.
#[derive(Debug, Default, PartialEq)]
struct Counters {
    receive_bytes: f64,
    receive_packets: f64,
    receive_errs: f64,
    receive_drop: f64,
    receive_fifo: f64,
    receive_frame: f64,
    receive_compressed: f64,
    receive_multicast: f64,
    /// Only with netlink, since Linux 4.6.
    receive_nohandler: Option<f64>,
    transmit_bytes: f64,
    transmit_packets: f64,
    transmit_errs: f64,
    transmit_drop: f64,
    transmit_fifo: f64,
    transmit_colls: f64,
    transmit_carrier: f64,
    transmit_compressed: f64,
}
