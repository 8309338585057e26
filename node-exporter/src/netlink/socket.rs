//! TCP sockets from `TCPDIAG_GETSOCK`: `sock_diag(7)`.

use exporter_core::collector::Error;

use super::{Netlink, Request, read_u32};

/// The number of sockets in each state, and the bytes in their queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sockets {
    /// By `TCP_*` state; the first is 1.
    pub(crate) states: [u64; STATES],
    /// Bytes received, not yet read. For listening sockets: connections not yet accepted.
    pub(crate) received: u64,
    /// Bytes sent, not yet acknowledged. For listening sockets: the maximum number of connections
    /// that wait to be accepted.
    pub(crate) sent: u64,
}

pub(crate) const STATES: usize = 12;

/// Counts the TCP sockets, those of IPv6 only if wanted, without storing them.
///
/// The kernel visits its whole table of sockets for each request. This request returns the sockets
/// of both families; `SOCK_DIAG_BY_FAMILY` would take one for each.
pub(crate) fn tcp(netlink: &mut Netlink, with_ipv6: bool) -> Result<Sockets, Error> {
    const GET_SOCKETS: u16 = 18;
    const ALL_STATES: u32 = (1 << STATES) - 1;
    // struct inet_diag_req: families, extensions and an address, all empty; states; unused
    let mut body = [0; 60];
    for (byte, value) in body.iter_mut().skip(52).zip(ALL_STATES.to_ne_bytes()) {
        *byte = value;
    }
    let request = Request { name: "TCPDIAG_GETSOCK", kind: GET_SOCKETS, body: &body };
    netlink.dump(request, |sockets: &mut Sockets, entry| {
        if with_ipv6 || !is_ipv6(entry) {
            sockets.add(entry);
        }
    })
}

/// By the family of an `inet_diag_msg`.
fn is_ipv6(entry: &[u8]) -> bool {
    const AF_INET6: u8 = 10;
    entry.first() == Some(&AF_INET6)
}

impl Sockets {
    /// Adds an `inet_diag_msg`.
    fn add(&mut self, entry: &[u8]) -> Option<()> {
        let (received, sent) = (read_u32(entry.get(56..)?)?, read_u32(entry.get(60..)?)?);
        *self.states.get_mut(usize::from(*entry.get(1)?))? += 1;
        self.received = self.received.saturating_add(received.into());
        self.sent = self.sent.saturating_add(sent.into());
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use exporter_core::testing;

    use super::*;

    fn entry(state: u8, received: u32, sent: u32) -> Vec<u8> {
        let mut entry = vec![0; 72];
        entry[1] = state;
        entry[56..60].copy_from_slice(&received.to_ne_bytes());
        entry[60..64].copy_from_slice(&sent.to_ne_bytes());
        entry
    }

    #[test]
    fn sockets_are_counted() {
        let mut sockets = Sockets::default();
        for entry in [entry(1, 5, 7), entry(1, 0, 1), entry(10, 0, 128)] {
            sockets.add(&entry).unwrap();
        }
        assert_eq!((sockets.states[1], sockets.states[10]), (2, 1));
        assert_eq!((sockets.received, sockets.sent), (5, 136));
    }

    #[test]
    fn malformed_entries_are_not_counted() {
        let mut sockets = Sockets::default();
        for end in 0..64 {
            assert_eq!(sockets.add(&entry(1, 1, 1)[..end]), None);
        }
        assert_eq!(sockets.add(&entry(12, 1, 1)), None);
        assert_eq!(sockets, Sockets::default());
    }

    #[test]
    fn sockets_of_this_test_are_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let found = tcp(&mut Netlink::sock_diag(), false).unwrap();
        let (established, listening) = (found.states[1], found.states[10]);
        assert!(established >= 2 && listening >= 1, "{found:?}");
    }

    #[test]
    fn sockets_of_ipv6_are_counted_if_wanted() {
        let Ok(_listener) = TcpListener::bind("[::1]:0") else {
            return testing::skip("it takes IPv6");
        };
        // More than other tests open meanwhile.
        let _others: Vec<_> = (0..200).map(|_| TcpListener::bind("[::1]:0").unwrap()).collect();
        let mut netlink = Netlink::sock_diag();
        let [with, without] =
            [true, false].map(|with_ipv6| tcp(&mut netlink, with_ipv6).unwrap().states[10]);
        assert!(with >= without + 100, "{with} {without}");
    }
}
