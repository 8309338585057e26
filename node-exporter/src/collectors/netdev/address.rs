//! The addresses of network interfaces: rtnetlink's `RTM_GETADDR`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use exporter_core::collector::Error;
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use crate::filter::Filter;
use crate::netlink::{Attributes, Netlink, Request, read_u32};

pub(super) static INFO: Desc<4> = Desc::gauge(
    "node_network_address_info",
    "Addresses of the device, in the labels; always 1.",
    ["device", "address", "netmask", "scope"],
);

pub(super) fn expose(
    netlink: &mut Netlink,
    filter: &Filter,
    out: &mut Families,
) -> Result<(), Error> {
    const GETADDR: u16 = 22;
    // struct ifaddrmsg, of any family
    let request = Request { name: "RTM_GETADDR", kind: GETADDR, body: &[0; 8] };
    let addresses = netlink.dump(request, |addresses: &mut Vec<Address>, entry| {
        addresses.extend(Address::parse(entry));
    })?;
    let mut family = out.family(&INFO);
    for Address { interface, prefix, ip } in addresses {
        let Some(device) = netlink.interface(interface) else { continue };
        if !filter.ignores(device.as_bytes()) {
            let (text, prefix) = (ip.to_string(), prefix.to_string());
            family.sample([device.as_str(), &text, &prefix, scope(ip)], 1.0);
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
struct Address {
    interface: u32,
    prefix: u8,
    ip: IpAddr,
}

impl Address {
    fn parse(entry: &[u8]) -> Option<Self> {
        const IFA_ADDRESS: u16 = 1;
        const IFA_LOCAL: u16 = 2;
        let (mut local, mut address) = (None, None);
        for (kind, value) in Attributes(entry.get(8..)?) {
            match kind {
                // If both are present, this is the address of the peer.
                IFA_ADDRESS => address = Some(value),
                IFA_LOCAL => local = Some(value),
                _ => {}
            }
        }
        let value = local.or(address)?;
        let ip = match value.len() {
            4 => IpAddr::from(value.first_chunk::<4>().copied()?),
            16 => IpAddr::from(value.first_chunk::<16>().copied()?),
            _ => return None,
        };
        Some(Self { interface: read_u32(entry.get(4..)?)?, prefix: *entry.get(1)?, ip })
    }
}

fn scope(address: IpAddr) -> &'static str {
    let is_link_local = match address {
        IpAddr::V4(ip) => ip.is_link_local() || matches!(ip.octets(), [224, 0, 0, _]),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || multicast_scope(ip) == Some(2),
    };
    let is_unspecified_or_broadcast = match address {
        IpAddr::V4(ip) => ip == Ipv4Addr::UNSPECIFIED || ip == Ipv4Addr::BROADCAST,
        IpAddr::V6(ip) => ip == Ipv6Addr::UNSPECIFIED,
    };
    match address {
        _ if address.is_loopback() || is_link_local => "link-local",
        IpAddr::V6(ip) if multicast_scope(ip) == Some(1) => "interface-local",
        _ if is_unspecified_or_broadcast || address.is_multicast() => "",
        _ => "global",
    }
}

fn multicast_scope(address: Ipv6Addr) -> Option<u8> {
    let [_, second, ..] = address.octets();
    address.is_multicast().then_some(second & 0x0f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_named() {
        for (address, expected) in [
            ("127.0.0.1", "link-local"),
            ("192.0.2.2", "global"),
            ("10.0.0.1", "global"),
            ("169.254.3.4", "link-local"),
            ("224.0.0.5", "link-local"),
            ("239.1.1.1", ""),
            ("0.0.0.0", ""),
            ("255.255.255.255", ""),
            ("::1", "link-local"),
            ("fd00::2", "global"),
            ("2001:db8::1", "global"),
            ("fe80::1", "link-local"),
            ("ff01::1", "interface-local"),
            ("ff02::1", "link-local"),
            ("ff0e::1", ""),
            ("::", ""),
        ] {
            assert_eq!(scope(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn netlink_entries_are_parsed() {
        let header = [&[2, 24, 0, 0][..], &4_u32.to_ne_bytes()].concat();
        let attribute = |kind: u16, value: &[u8]| {
            let length = u16::try_from(4 + value.len()).unwrap();
            [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat()
        };
        let peer = attribute(1, &[192, 0, 2, 1]);
        let own = attribute(2, &[192, 0, 2, 2]);
        let address =
            |entry: &[&[u8]]| Address::parse(&entry.concat()).map(|found| found.ip.to_string());
        assert_eq!(address(&[&header, &peer]).as_deref(), Some("192.0.2.1"));
        assert_eq!(address(&[&header, &peer, &own]).as_deref(), Some("192.0.2.2"));
        assert_eq!(address(&[&header, &own, &peer]).as_deref(), Some("192.0.2.2"));
        assert_eq!(address(&[&header, &attribute(1, &[1, 2, 3])]), None);
        assert_eq!(address(&[&header, &peer[..6]]), None);
        assert_eq!(address(&[&header]), None);
        assert_eq!(address(&[&header[..3]]), None);
    }
}
