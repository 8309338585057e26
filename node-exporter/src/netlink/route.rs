//! Routes from `RTM_GETROUTE`: `rtnetlink(7)`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use exporter_core::collector::Error;

use super::{Attributes, Netlink, Request, read_u16, read_u32};

/// A route to a network through one next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The index of the interface; 0 for none.
    pub(crate) interface: u32,
    pub(crate) source: Option<IpAddr>,
    pub(crate) destination: Option<IpAddr>,
    /// The prefix length of the destination; 0 for the default route.
    pub(crate) prefix: u8,
    pub(crate) gateway: Option<IpAddr>,
    pub(crate) priority: u32,
    /// `RTPROT_*`
    pub(crate) protocol: u8,
    /// Only for routes with several next hops.
    pub(crate) weight: Option<u16>,
}

/// The unicast routes of all tables. A route with several next hops is returned once for each of
/// them.
pub(crate) fn routes(netlink: &mut Netlink) -> Result<Vec<Route>, Error> {
    const GETROUTE: u16 = 26;
    let request = Request { name: "RTM_GETROUTE", kind: GETROUTE, body: &[0; HEADER_LENGTH] };
    netlink.dump(request, |routes: &mut Vec<Route>, entry| {
        add(entry, routes);
    })
}

/// The size of an `rtmsg`.
const HEADER_LENGTH: usize = 12;

const DST: u16 = 1;
const OIF: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const PREFSRC: u16 = 7;
const MULTIPATH: u16 = 9;

/// Adds the routes of an entry. Routes other than unicast are ignored.
fn add(entry: &[u8], routes: &mut Vec<Route>) -> Option<()> {
    const RTN_UNICAST: u8 = 1;
    if *entry.get(7)? != RTN_UNICAST {
        return None;
    }
    let mut route = Route {
        interface: 0,
        source: None,
        destination: None,
        prefix: *entry.get(1)?,
        gateway: None,
        priority: 0,
        protocol: *entry.get(5)?,
        weight: None,
    };
    let mut next_hops = None;
    for (kind, value) in Attributes(entry.get(HEADER_LENGTH..)?) {
        match kind {
            DST => route.destination = address(value),
            OIF => route.interface = read_u32(value)?,
            GATEWAY => route.gateway = address(value),
            PRIORITY => route.priority = read_u32(value)?,
            PREFSRC => route.source = address(value),
            MULTIPATH => next_hops = Some(value),
            _ => {}
        }
    }
    match next_hops {
        Some(next_hops) => routes.extend(NextHops(next_hops).map(|next_hop| Route {
            interface: next_hop.interface,
            gateway: next_hop.gateway,
            weight: Some(next_hop.weight),
            ..route
        })),
        None => routes.push(route),
    }
    Some(())
}

struct NextHop {
    interface: u32,
    gateway: Option<IpAddr>,
    weight: u16,
}

/// The `rtnexthop`s of a route.
struct NextHops<'a>(&'a [u8]);

impl Iterator for NextHops<'_> {
    type Item = NextHop;

    fn next(&mut self) -> Option<NextHop> {
        const HEADER_LENGTH: usize = 8;
        let length = read_u16(self.0)?.into();
        let mut attributes = Attributes(self.0.get(HEADER_LENGTH..length)?);
        let next_hop = NextHop {
            interface: read_u32(self.0.get(4..)?)?,
            gateway: attributes
                .find(|(kind, _)| *kind == GATEWAY)
                .and_then(|(_, value)| address(value)),
            weight: u16::from(*self.0.get(3)?) + 1,
        };
        self.0 = super::skip_padded(self.0, length);
        Some(next_hop)
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk().map(|bytes| Ipv4Addr::from(*bytes).into()),
        16 => bytes.first_chunk().map(|bytes| Ipv6Addr::from(*bytes).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::tests::attribute;

    fn next_hop(hops: u8, interface: u32, gateway: [u8; 4]) -> Vec<u8> {
        let gateway = attribute(GATEWAY, &gateway);
        let length = u16::try_from(8 + gateway.len()).unwrap();
        [&length.to_ne_bytes()[..], &[0, hops], &interface.to_ne_bytes(), &gateway].concat()
    }

    fn entry(kind: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        [&[2, 24, 0, 0, 254, 4, 0, kind, 0, 0, 0, 0][..], &attributes.concat()].concat()
    }

    fn found(entry: &[u8]) -> Vec<Route> {
        let mut routes = Vec::new();
        add(entry, &mut routes);
        routes
    }

    #[test]
    fn routes_are_parsed() {
        let attributes = [
            attribute(DST, &[192, 0, 2, 0]),
            attribute(OIF, &3_u32.to_ne_bytes()),
            attribute(GATEWAY, &[198, 51, 100, 1]),
            attribute(PRIORITY, &100_u32.to_ne_bytes()),
            attribute(PREFSRC, &[198, 51, 100, 7]),
        ];
        let route = Route {
            interface: 3,
            source: Some([198, 51, 100, 7].into()),
            destination: Some([192, 0, 2, 0].into()),
            prefix: 24,
            gateway: Some([198, 51, 100, 1].into()),
            priority: 100,
            protocol: 4,
            weight: None,
        };
        assert_eq!(found(&entry(1, &attributes)), [route]);
        assert_eq!(found(&entry(2, &attributes)), []); // local
    }

    #[test]
    fn routes_with_several_next_hops_are_parsed() {
        let next_hops =
            [next_hop(0, 3, [198, 51, 100, 1]), next_hop(9, 4, [203, 0, 113, 1])].concat();
        let routes =
            found(&entry(1, &[attribute(DST, &[192, 0, 2, 0]), attribute(MULTIPATH, &next_hops)]));
        let next_hops: Vec<_> = routes
            .iter()
            .map(|next_hop| (next_hop.interface, next_hop.gateway, next_hop.weight))
            .collect();
        let expected = [
            (3, Some([198, 51, 100, 1].into()), Some(1)),
            (4, Some([203, 0, 113, 1].into()), Some(10)),
        ];
        assert_eq!(next_hops, expected);
    }

    #[test]
    fn malformed_entries_do_not_panic() {
        let next_hops = attribute(MULTIPATH, &next_hop(0, 3, [198, 51, 100, 1]));
        let whole = entry(1, &[attribute(DST, &[192, 0, 2, 0]), next_hops]);
        for end in 0..whole.len() {
            assert!(found(&whole[..end]).len() <= 1);
        }
        let mut endless = whole.clone();
        let at = whole.len() - 16;
        endless[at..at + 2].copy_from_slice(&0_u16.to_ne_bytes());
        assert_eq!(found(&endless), []);
    }
}
