//! The peer of a connection, and the unit of limits on clients.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv6Addr};

/// The peer of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Ip(IpAddr),
    /// A user of this machine, on a Unix socket.
    Unix {
        uid: Option<u32>,
    },
}

/// The unit of limits on connections, logins and log lines: an IPv4 address, an IPv6 /64 network,
/// all addresses of which have one owner, or a user of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ClientAddress {
    Ip(IpAddr),
    Unix { uid: Option<u32> },
}

impl Peer {
    pub(crate) fn address(self) -> ClientAddress {
        match self {
            Self::Ip(ip) => ClientAddress::Ip(match ip.to_canonical() {
                IpAddr::V4(ip) => ip.into(),
                IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
            }),
            Self::Unix { uid } => ClientAddress::Unix { uid },
        }
    }
}

impl Display for Peer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Unix { uid: Some(uid) } => write!(f, "unix:uid={uid}"),
            Self::Unix { uid: None } => f.write_str("unix"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_64_bits_is_one_address() {
        for (one, other, same) in [
            ("fd00::1", "fd00::2:3", true),
            ("fd00:0:0:1::1", "fd00:0:0:2::1", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("::1", "127.0.0.1", false),
        ] {
            let address = |text: &str| Peer::Ip(text.parse().unwrap()).address();
            assert_eq!(address(one) == address(other), same, "{one} {other}");
        }
        assert_ne!(Peer::Unix { uid: Some(0) }.address(), Peer::Unix { uid: Some(1) }.address());
    }
}
