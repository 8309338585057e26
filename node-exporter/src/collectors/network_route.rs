//! Routes by interface: rtnetlink's `RTM_GETROUTE`.
//!
//! Each route is a series: do not use it on machines with a full routing table.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::filter::Filter;
use crate::netlink::link::{self, LinkStats};
use crate::netlink::route::{self, Route};
use crate::netlink::{Netlink, c_string};

pub(super) static DEFINITION: Definition =
    Definition::new("network_route", "Routes", |_, flags| {
        let filter = Filter::default().of_interfaces(flags)?;
        Ok(Source::blocking(NetworkRoute { netlink: Netlink::route(), filter }))
    })
    .cost("one dump of the routing tables")
    .off_by_default()
    .metrics(&[&INFO, &ROUTES]);

static INFO: Desc<7> = Desc::gauge(
    "node_network_route_info",
    "A unicast route, or one of its ways. Always 1.",
    ["device", "src", "dest", "gw", "priority", "proto", "weight"],
);
static ROUTES: Desc<1> =
    Desc::gauge("node_network_routes", "Unicast routes by way of the interface.", ["device"]);

struct NetworkRoute {
    netlink: Netlink,
    filter: Filter,
}

impl Collector for NetworkRoute {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let names = names(&mut self.netlink)?;
        let routes = route::routes(&mut self.netlink)?;
        let mut by_device = BTreeMap::<&str, u64>::new();
        let mut family = out.family(&INFO);
        for route in &routes {
            let device = names.get(&route.interface).map_or("", String::as_str);
            if self.filter.ignores(device) {
                continue;
            }
            *by_device.entry(device).or_default() += 1;
            family.sample(
                [
                    device,
                    &route.source.map(|address| address.to_string()).unwrap_or_default(),
                    &destination(route),
                    &route.gateway.map(|address| address.to_string()).unwrap_or_default(),
                    &route.priority.to_string(),
                    protocol(route.protocol),
                    &route.weight.map(|weight| weight.to_string()).unwrap_or_default(),
                ],
                1.0,
            );
        }
        let mut family = out.family(&ROUTES);
        for (device, count) in by_device {
            family.sample([device], count as f64);
        }
        Ok(())
    }
}

/// The names of interfaces by index.
fn names(netlink: &mut Netlink) -> Result<HashMap<u32, String>, Error> {
    let named = link::links(netlink, LinkStats::Skip, |link| {
        let name = link.attributes.clone().find(|(kind, _)| *kind == link::NAME)?;
        Some((link.index, c_string(name.1)))
    })?;
    Ok(named.into_iter().collect())
}

fn destination(route: &Route) -> String {
    match (route.prefix, route.destination) {
        (0, _) => "default".to_owned(),
        (prefix, Some(address)) => format!("{}/{prefix}", network(address, prefix)),
        (prefix, None) => format!("/{prefix}"),
    }
}

/// An address with the host bits set to 0.
fn network(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix.into())).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix.into())).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

/// The name of an `RTPROT_*`.
fn protocol(number: u8) -> &'static str {
    match number {
        0 => "unspec",
        1 => "redirect",
        2 => "kernel",
        3 => "boot",
        4 => "static",
        8 => "gated",
        9 => "ra",
        10 => "mrt",
        11 => "zebra",
        12 => "bird",
        13 => "dnrouted",
        14 => "xorp",
        15 => "ntk",
        16 => "dhcp",
        17 => "mrouted",
        42 => "babel",
        186 => "bgp",
        187 => "isis",
        188 => "ospf",
        189 => "rip",
        192 => "eigrp",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_masked() {
        for (address, prefix, expected) in [
            (None, 0, "default"),
            (Some("192.0.2.7"), 24, "192.0.2.0/24"),
            (Some("192.0.2.7"), 32, "192.0.2.7/32"),
            (Some("2001:db8::1"), 64, "2001:db8::/64"),
            (Some("::1"), 128, "::1/128"),
            (Some("192.0.2.7"), 255, "192.0.2.7/255"),
        ] {
            let route = Route {
                interface: 1,
                source: None,
                destination: address.map(|address| address.parse().unwrap()),
                prefix,
                gateway: None,
                priority: 0,
                protocol: 2,
                weight: None,
            };
            assert_eq!(destination(&route), expected);
        }
    }
}
