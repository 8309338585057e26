//! Wireless interfaces, their networks and their peers, from the generic netlink family nl80211.

mod fixtures;

use std::fmt::Write;
use std::path::PathBuf;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use super::Definition;
use crate::filter::Filter;
use crate::netlink::nl80211::{self, Network, Station, Status};
use crate::netlink::{Netlink, generic};

pub(super) static DEFINITION: Definition =
    Definition::new("wifi", "Wireless interfaces and their peers", |_, flags| {
        Ok(Source::blocking(Wifi::new(flags)?))
    })
    .cost("three requests per interface")
    .off_by_default()
    .reads(&["nl80211 over generic netlink"])
    .flags(&[&FIXTURES])
    .metrics(&[&FREQUENCY, &INFO, &COLUMNS]);

static FIXTURES: Flag = Flag::text(
    "collector.wifi.fixtures",
    "",
    "Directory of JSON files to read in place of the kernel's answers, for tests.",
);

static FREQUENCY: Desc<1> = Desc::gauge(
    "node_wifi_interface_frequency_hertz",
    "Frequency that an interface uses; 0 if it has no channel.",
    ["device"],
);
static INFO: Desc<4> = Desc::gauge(
    "node_wifi_station_info",
    "The network that an interface is in, in the labels; always 1.",
    ["device", "bssid", "ssid", "mode"],
);

const LABELS: [&str; 2] = ["device", "mac_address"];

static COLUMNS: [Column<Station, 2>; 12] = [
    Desc::counter(
        "node_wifi_station_connected_seconds_total",
        "How long a peer has been connected.",
        LABELS,
    )
    .column(|station| Some(station.connected.as_secs_f64())),
    Desc::gauge("node_wifi_station_inactive_seconds", "How long a peer has been silent.", LABELS)
        .column(|station| Some(station.inactive.as_secs_f64())),
    Desc::gauge(
        "node_wifi_station_receive_bits_per_second",
        "Rate at which a peer is received.",
        LABELS,
    )
    .column(|station| Some(station.receive_bitrate as f64)),
    Desc::gauge(
        "node_wifi_station_transmit_bits_per_second",
        "Rate at which is sent to a peer.",
        LABELS,
    )
    .column(|station| Some(station.transmit_bitrate as f64)),
    Desc::counter("node_wifi_station_receive_bytes_total", "Bytes received from a peer.", LABELS)
        .column(|station| Some(station.received_bytes as f64)),
    Desc::counter("node_wifi_station_transmit_bytes_total", "Bytes sent to a peer.", LABELS)
        .column(|station| Some(station.transmitted_bytes as f64)),
    Desc::counter(
        "node_wifi_station_received_packets_total",
        "Packets received from a peer.",
        LABELS,
    )
    .column(|station| Some(station.received_packets.into())),
    Desc::counter("node_wifi_station_transmitted_packets_total", "Packets sent to a peer.", LABELS)
        .column(|station| Some(station.transmitted_packets.into())),
    Desc::gauge("node_wifi_station_signal_dbm", "Strength of a peer's signal, in dBm.", LABELS)
        .column(|station| Some(station.signal.into())),
    Desc::counter(
        "node_wifi_station_transmit_retries_total",
        "Packets to a peer that were retransmitted.",
        LABELS,
    )
    .column(|station| Some(station.transmit_retries.into())),
    Desc::counter(
        "node_wifi_station_transmit_failed_total",
        "Packets to a peer that were dropped after all retries.",
        LABELS,
    )
    .column(|station| Some(station.transmit_failed.into())),
    Desc::counter(
        "node_wifi_station_beacon_loss_total",
        "Times that a peer's beacons were lost.",
        LABELS,
    )
    .column(|station| Some(station.beacon_loss.into())),
];

struct Wifi {
    filter: Filter,
    fixtures: Option<PathBuf>,
    netlink: Netlink,
    /// The netlink family ID of nl80211, if it is known.
    family_id: Option<u16>,
}

/// A wireless interface and its data.
struct Interface {
    name: String,
    /// In MHz.
    frequency: u32,
    network: Option<Network>,
    stations: Vec<Station>,
}

impl Wifi {
    fn new(flags: &Flags) -> Result<Self, Error> {
        let fixtures = flags.text(&FIXTURES);
        Ok(Self {
            filter: Filter::default().of_interfaces(flags)?,
            fixtures: (!fixtures.is_empty()).then(|| fixtures.into()),
            netlink: Netlink::generic(),
            family_id: None,
        })
    }

    fn interfaces(&mut self) -> Result<Vec<Interface>, Error> {
        let netlink = &mut self.netlink;
        let family_id = match self.family_id {
            Some(family_id) => family_id,
            None => generic::family_id(netlink, "nl80211")?.ok_or(Error::Absent("nl80211"))?,
        };
        // Reset until success, because the ID changes when the module is reloaded.
        self.family_id = None;
        let mut interfaces = Vec::new();
        for interface in nl80211::interfaces(netlink, family_id)? {
            // Some virtual interfaces have no name.
            if !interface.name.is_empty() {
                interfaces.push(Interface {
                    network: nl80211::network(netlink, family_id, &interface)?,
                    stations: nl80211::stations(netlink, family_id, &interface)?,
                    frequency: interface.frequency,
                    name: interface.name,
                });
            }
        }
        self.family_id = Some(family_id);
        Ok(interfaces)
    }
}

impl Collector for Wifi {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut interfaces = match &self.fixtures {
            Some(directory) => fixtures::interfaces(directory)?,
            None => self.interfaces()?,
        };
        interfaces.retain(|interface| !self.filter.ignores(&interface.name));
        let mut family = out.family(&FREQUENCY);
        for interface in &interfaces {
            family.sample([&interface.name], f64::from(interface.frequency) * 1e6);
        }
        let mut family = out.family(&INFO);
        for Interface { name, network, .. } in &interfaces {
            if let Some(network) = network {
                let labels = [name, &address(network.bssid), &network.ssid, mode(network.status)];
                family.sample(labels, 1.0);
            }
        }
        for column in &COLUMNS {
            let mut family = out.family(&column.desc);
            for interface in &interfaces {
                for station in &interface.stations {
                    if let Some(value) = (column.value)(station) {
                        family.sample([&interface.name, &address(station.address)], value);
                    }
                }
            }
        }
        Ok(())
    }
}

fn mode(status: Status) -> &'static str {
    match status {
        Status::Authenticated | Status::Associated => "client",
        Status::IbssJoined => "ad-hoc",
        Status::Other => "unknown",
    }
}

/// A hardware address, as `00:11:22:33:44:55`.
fn address(bytes: [u8; 6]) -> String {
    let mut text = String::with_capacity(17);
    for (index, byte) in bytes.iter().enumerate() {
        let colon = if index == 0 { "" } else { ":" };
        let _ = write!(text, "{colon}{byte:02x}");
    }
    text
}
