//! Wireless interfaces from the generic netlink family nl80211: `linux/nl80211.h`.

use std::time::Duration;

use exporter_core::collector::Error;

use super::generic::HEADER_LENGTH;
use super::{Attributes, Netlink, Request, c_string, read_u16, read_u32};

/// A wireless interface.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Interface {
    index: u32,
    /// Empty if the interface is not a network device.
    pub(crate) name: String,
    /// In MHz; 0 if no channel is set.
    pub(crate) frequency: u32,
}

/// The network that an interface has joined.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Network {
    /// The hardware address of the access point.
    pub(crate) bssid: [u8; 6],
    pub(crate) ssid: String,
    pub(crate) status: Status,
}

/// The relation of an interface to its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Authenticated,
    Associated,
    IbssJoined,
    Other,
}

/// A peer of an interface, such as the access point or a client of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Station {
    pub(crate) address: [u8; 6],
    pub(crate) connected: Duration,
    pub(crate) inactive: Duration,
    /// In bits per second.
    pub(crate) receive_bitrate: u64,
    /// In bits per second.
    pub(crate) transmit_bitrate: u64,
    pub(crate) received_bytes: u64,
    pub(crate) transmitted_bytes: u64,
    pub(crate) received_packets: u32,
    pub(crate) transmitted_packets: u32,
    /// In dBm.
    pub(crate) signal: i8,
    pub(crate) transmit_retries: u32,
    pub(crate) transmit_failed: u32,
    pub(crate) beacon_loss: u32,
}

const GET_INTERFACE: u8 = 5;
const GET_STATION: u8 = 17;
const GET_SCAN: u8 = 32;

const IFINDEX: u16 = 3;
const IFNAME: u16 = 4;
const MAC: u16 = 6;
const STA_INFO: u16 = 21;
const WIPHY_FREQ: u16 = 38;
const BSS: u16 = 47;

/// All wireless interfaces.
pub(crate) fn interfaces(netlink: &mut Netlink, family_id: u16) -> Result<Vec<Interface>, Error> {
    let body = [GET_INTERFACE, 0, 0, 0];
    let request = Request { name: "NL80211_CMD_GET_INTERFACE", kind: family_id, body: &body };
    netlink.dump(request, |found: &mut Vec<Interface>, entry| found.extend(interface(entry)))
}

/// The network of an interface, if it has joined one.
pub(crate) fn network(
    netlink: &mut Netlink,
    family_id: u16,
    interface: &Interface,
) -> Result<Option<Network>, Error> {
    let body = interface_request(GET_SCAN, interface);
    let request = Request { name: "NL80211_CMD_GET_SCAN", kind: family_id, body: &body };
    // The reply lists all networks in range; only the joined one has a status.
    netlink.dump(request, |found: &mut Option<Network>, entry| {
        if found.is_none() {
            *found = joined_network(entry);
        }
    })
}

/// The peers of an interface.
pub(crate) fn stations(
    netlink: &mut Netlink,
    family_id: u16,
    interface: &Interface,
) -> Result<Vec<Station>, Error> {
    let body = interface_request(GET_STATION, interface);
    let request = Request { name: "NL80211_CMD_GET_STATION", kind: family_id, body: &body };
    netlink.dump(request, |found: &mut Vec<Station>, entry| found.extend(station(entry)))
}

/// A request about one interface.
fn interface_request(command: u8, interface: &Interface) -> Vec<u8> {
    let mut body = vec![command, 0, 0, 0];
    body.extend_from_slice(&8_u16.to_ne_bytes());
    body.extend_from_slice(&IFINDEX.to_ne_bytes());
    body.extend_from_slice(&interface.index.to_ne_bytes());
    body
}

fn interface(entry: &[u8]) -> Option<Interface> {
    let mut found = Interface::default();
    for (kind, value) in Attributes(entry.get(HEADER_LENGTH..)?) {
        match kind {
            IFINDEX => found.index = read_u32(value)?,
            IFNAME => found.name = c_string(value),
            WIPHY_FREQ => found.frequency = read_u32(value)?,
            _ => {}
        }
    }
    Some(found)
}

fn joined_network(entry: &[u8]) -> Option<Network> {
    const BSSID: u16 = 1;
    const INFORMATION_ELEMENTS: u16 = 6;
    const STATUS: u16 = 9;
    let (_, bss) = Attributes(entry.get(HEADER_LENGTH..)?).find(|(kind, _)| *kind == BSS)?;
    let (mut bssid, mut ssid, mut status) = (None, String::new(), None);
    for (kind, value) in Attributes(bss) {
        match kind {
            BSSID => bssid = value.first_chunk().copied(),
            INFORMATION_ELEMENTS => ssid = ssid_of(value),
            STATUS => status = read_u32(value),
            _ => {}
        }
    }
    let status = match status? {
        0 => Status::Authenticated,
        1 => Status::Associated,
        2 => Status::IbssJoined,
        _ => Status::Other,
    };
    Some(Network { bssid: bssid?, ssid, status })
}

/// The SSID from the information elements of a beacon. Each element has an ID, a length and a
/// value.
fn ssid_of(mut elements: &[u8]) -> String {
    const SSID: u8 = 0;
    while let [kind, length, rest @ ..] = elements {
        let Some((value, rest)) = rest.split_at_checked((*length).into()) else { break };
        if *kind == SSID {
            return String::from_utf8_lossy(value).into_owned();
        }
        elements = rest;
    }
    String::new()
}

fn station(entry: &[u8]) -> Option<Station> {
    let mut found = Station::default();
    for (kind, value) in Attributes(entry.get(HEADER_LENGTH..)?) {
        match kind {
            MAC => found.address = *value.first_chunk()?,
            STA_INFO => statistics(&mut found, value)?,
            _ => {}
        }
    }
    Some(found)
}

fn statistics(station: &mut Station, attributes: &[u8]) -> Option<()> {
    const INACTIVE_TIME: u16 = 1;
    const RX_BYTES: u16 = 2;
    const TX_BYTES: u16 = 3;
    const SIGNAL: u16 = 7;
    const TX_BITRATE: u16 = 8;
    const RX_PACKETS: u16 = 9;
    const TX_PACKETS: u16 = 10;
    const TX_RETRIES: u16 = 11;
    const TX_FAILED: u16 = 12;
    const RX_BITRATE: u16 = 14;
    const CONNECTED_TIME: u16 = 16;
    const BEACON_LOSS: u16 = 18;
    // Since Linux 3.15; the 32-bit attributes wrap at 4 GiB.
    const RX_BYTES64: u16 = 23;
    const TX_BYTES64: u16 = 24;
    for (kind, value) in Attributes(attributes) {
        match kind {
            INACTIVE_TIME => station.inactive = Duration::from_millis(read_u32(value)?.into()),
            CONNECTED_TIME => station.connected = Duration::from_secs(read_u32(value)?.into()),
            RX_BYTES if station.received_bytes == 0 => {
                station.received_bytes = read_u32(value)?.into();
            }
            TX_BYTES if station.transmitted_bytes == 0 => {
                station.transmitted_bytes = read_u32(value)?.into();
            }
            RX_BYTES64 => station.received_bytes = u64::from_ne_bytes(*value.first_chunk()?),
            TX_BYTES64 => station.transmitted_bytes = u64::from_ne_bytes(*value.first_chunk()?),
            SIGNAL => station.signal = value.first()?.cast_signed(),
            RX_BITRATE => station.receive_bitrate = bitrate(value)?,
            TX_BITRATE => station.transmit_bitrate = bitrate(value)?,
            RX_PACKETS => station.received_packets = read_u32(value)?,
            TX_PACKETS => station.transmitted_packets = read_u32(value)?,
            TX_RETRIES => station.transmit_retries = read_u32(value)?,
            TX_FAILED => station.transmit_failed = read_u32(value)?,
            BEACON_LOSS => station.beacon_loss = read_u32(value)?,
            _ => {}
        }
    }
    Some(())
}

/// Converts the kernel's unit of 100 kbit/s to bits per second.
fn bitrate(attributes: &[u8]) -> Option<u64> {
    const BITRATE: u16 = 1;
    // For rates that do not fit into 16 bits.
    const BITRATE32: u16 = 5;
    let mut rate = 0;
    for (kind, value) in Attributes(attributes) {
        match kind {
            BITRATE if rate == 0 => rate = read_u16(value)?.into(),
            BITRATE32 => rate = read_u32(value)?.into(),
            _ => {}
        }
    }
    Some(rate * 100_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::tests::attribute;

    fn entry(attributes: &[Vec<u8>]) -> Vec<u8> {
        [&[GET_INTERFACE, 1, 0, 0][..], &attributes.concat()].concat()
    }

    #[test]
    fn interfaces_are_parsed() {
        let entry = entry(&[
            attribute(IFINDEX, &3_u32.to_ne_bytes()),
            attribute(IFNAME, b"wlan0\0"),
            attribute(WIPHY_FREQ, &5180_u32.to_ne_bytes()),
        ]);
        let expected = Interface { index: 3, name: "wlan0".to_owned(), frequency: 5180 };
        assert_eq!(interface(&entry), Some(expected));
    }

    #[test]
    fn the_network_with_a_status_is_the_joined_one() {
        let beacon = [&[1, 2, 9, 9, 0, 4][..], b"home", &[3, 1, 6]].concat();
        let bss = |status: Option<u32>| {
            let mut bss = attribute(1, &[0, 0x11, 0x22, 0x33, 0x44, 0x55]);
            bss.extend(attribute(6, &beacon));
            bss.extend(status.into_iter().flat_map(|status| attribute(9, &status.to_ne_bytes())));
            entry(&[attribute(BSS, &bss)])
        };
        assert_eq!(joined_network(&bss(None)), None);
        let network = joined_network(&bss(Some(1))).unwrap();
        assert_eq!(network.bssid, [0, 0x11, 0x22, 0x33, 0x44, 0x55]);
        assert_eq!((network.ssid.as_str(), network.status), ("home", Status::Associated));
        assert_eq!(joined_network(&bss(Some(2))).unwrap().status, Status::IbssJoined);
    }

    #[test]
    fn peers_are_parsed() {
        let rate = [attribute(1, &6500_u16.to_ne_bytes()), attribute(5, &7200_u32.to_ne_bytes())];
        let statistics = [
            attribute(1, &400_u32.to_ne_bytes()),
            attribute(16, &30_u32.to_ne_bytes()),
            attribute(23, &5_000_000_000_u64.to_ne_bytes()),
            attribute(2, &705_032_704_u32.to_ne_bytes()),
            attribute(3, &17_u32.to_ne_bytes()),
            attribute(7, &[(-52_i8).cast_unsigned()]),
            attribute(14, &rate[0]),
            attribute(8, &rate.concat()),
            attribute(18, &2_u32.to_ne_bytes()),
        ];
        let found = station(&entry(&[
            attribute(MAC, &[1, 2, 3, 4, 5, 6]),
            attribute(STA_INFO, &statistics.concat()),
        ]));
        let expected = Station {
            address: [1, 2, 3, 4, 5, 6],
            connected: Duration::from_secs(30),
            inactive: Duration::from_millis(400),
            receive_bitrate: 650_000_000,
            transmit_bitrate: 720_000_000,
            received_bytes: 5_000_000_000,
            transmitted_bytes: 17,
            signal: -52,
            beacon_loss: 2,
            ..Station::default()
        };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn truncated_attributes_are_ignored() {
        let whole = entry(&[attribute(IFINDEX, &3_u32.to_ne_bytes()), attribute(IFNAME, b"w\0")]);
        for end in 0..whole.len() {
            let _ = interface(&whole[..end]);
            let _ = station(&whole[..end]);
            let _ = joined_network(&whole[..end]);
        }
        assert_eq!(ssid_of(&[0, 200, 1]), "");
    }
}
