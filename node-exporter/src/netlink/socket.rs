//! TCP sockets from `SOCK_DIAG_BY_FAMILY`: `sock_diag(7)`.

use exporter_core::collector::Error;

use super::{Netlink, Request, read_u32};

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

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

/// Counts the TCP sockets of a family without storing them.
pub(crate) fn tcp(netlink: &mut Netlink, family: Family) -> Result<Sockets, Error> {
    const BY_FAMILY: u16 = 20;
    const TCP: u8 = 6;
    const ALL_STATES: u32 = (1 << STATES) - 1;
    let family = match family {
        Family::V4 => 2,
        Family::V6 => 10,
    };
    // struct inet_diag_req_v2; the rest is an empty address
    let mut body = [0; 56];
    for (byte, value) in
        body.iter_mut().zip([&[family, TCP, 0, 0][..], &ALL_STATES.to_ne_bytes()].concat())
    {
        *byte = value;
    }
    let request = Request { name: "SOCK_DIAG_BY_FAMILY", kind: BY_FAMILY, body: &body };
    netlink.dump(request, |sockets: &mut Sockets, entry| {
        sockets.add(entry);
    })
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
        let found = tcp(&mut Netlink::sock_diag(), Family::V4).unwrap();
        let (established, listening) = (found.states[1], found.states[10]);
        assert!(established >= 2 && listening >= 1, "{found:?}");
    }
}
