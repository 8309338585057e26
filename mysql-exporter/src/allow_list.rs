//! The targets that `/probe` allows in addition to the configured servers.

use std::net::IpAddr;
use std::str::FromStr;

use crate::address::{self, Address, InvalidAddress};

/// The patterns of `--probe.allow-target`.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowList(Vec<Pattern>);

/// The targets that one pattern allows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    Tcp {
        host: Host,
        /// `None` allows any port.
        port: Option<u16>,
    },
    /// A path, with `*` as a wildcard.
    Unix(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// A name or an IP address.
    Any,
    /// A name, with `*` as a wildcard. It matches no IP address.
    Name(String),
    /// A network: an IP address and the length of its prefix. It matches no name.
    Network(IpAddr, u8),
}

/// Why a pattern is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPattern {
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    #[error("expected a port or *, found {0:?}")]
    Port(String),
    #[error("expected a prefix from 0 to {1} bits, found {0:?}")]
    Prefix(String, u8),
    #[error("* matches names, and {0:?} is not a name: write a network as 10.0.0.0/16")]
    Wildcard(String),
}

impl AllowList {
    pub(crate) fn new<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidPattern> {
        patterns.into_iter().map(str::parse).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn allows(&self, address: &Address) -> bool {
        self.0.iter().any(|pattern| pattern.allows(address))
    }
}

impl Pattern {
    fn allows(&self, address: &Address) -> bool {
        match (self, address) {
            (Self::Any, _) => true,
            (Self::Tcp { host, port }, Address::Tcp { host: found, port: found_port }) => {
                port.is_none_or(|port| port == *found_port) && host.allows(found)
            }
            (Self::Unix(pattern), Address::Unix { path }) => matches_wildcard(pattern, path),
            _ => false,
        }
    }
}

impl Host {
    fn allows(&self, host: &str) -> bool {
        match (self, address::ip(host)) {
            (Self::Any, _) => true,
            (Self::Name(pattern), None) => matches_wildcard(pattern, host),
            (Self::Network(network, bits), Some(ip)) => network_contains(*network, *bits, ip),
            _ => false,
        }
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Some(path) = text.strip_prefix("unix://") {
            let path = if path == "*" { "/*" } else { path };
            return Ok(Self::Unix(address::normalized(path)?));
        }
        let (host, port) = address::split(text)?;
        let port = match port {
            "*" => None,
            port => Some(port.parse().map_err(|_| InvalidPattern::Port(port.to_owned()))?),
        };
        Ok(Self::Tcp { host: host.parse()?, port })
    }
}

impl FromStr for Host {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let (network, bits) = text.split_once('/').unwrap_or((text, ""));
        if let Some(ip) = address::ip(network) {
            let max_bits = if ip.is_ipv4() { 32 } else { 128 };
            let bits = match bits {
                "" if !text.contains('/') => Some(max_bits),
                bits => bits.parse().ok().filter(|bits| *bits <= max_bits),
            };
            let bits = bits.ok_or_else(|| InvalidPattern::Prefix(text.to_owned(), max_bits))?;
            return Ok(Self::Network(ip, bits));
        }
        if text == "*" {
            return Ok(Self::Any);
        }
        // A name has a letter in its last label, and no colon.
        let last = text.rsplit('.').next().unwrap_or_default();
        let is_name = last.contains(char::is_alphabetic) || last.starts_with('*') && last != "*";
        if text.contains([':', '/']) || !is_name {
            return Err(InvalidPattern::Wildcard(text.to_owned()));
        }
        Ok(Self::Name(text.strip_suffix('.').unwrap_or(text).to_lowercase()))
    }
}

fn network_contains(network: IpAddr, bits: u8, ip: IpAddr) -> bool {
    let bits = u32::from(bits);
    match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) => {
            (network.to_bits() ^ ip.to_bits()).leading_zeros() >= bits
        }
        (IpAddr::V6(network), IpAddr::V6(ip)) => {
            (network.to_bits() ^ ip.to_bits()).leading_zeros() >= bits
        }
        _ => false,
    }
}

fn matches_wildcard(pattern: &str, text: &str) -> bool {
    // Each part is matched as early as possible, except the last one, which must end the text.
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts = rest.split('*');
    let tail = parts.next_back().unwrap_or_default();
    for part in parts {
        let Some((_, rest)) = text.split_once(part) else { return false };
        text = rest;
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_allowed_by_pattern() {
        for (pattern, target, is_allowed) in [
            ("*", "any:1", true),
            ("*", "unix:///x", true),
            ("*:3306", "any:3306", true),
            ("*:3306", "10.0.0.1:3306", true),
            ("*:3306", "any:3307", false),
            ("*:3306", "unix:///x", false),
            ("db:3306", "db:3306", true),
            ("db:3306", "DB.:3306", true),
            ("db:3306", "db:3307", false),
            ("db:*", "db:3307", true),
            ("db:3306", "xdb:3306", false),
            ("*.example.com:3306", "a.b.example.com:3306", true),
            ("*.example.com:3306", "example.com:3306", false),
            ("*.example.com:3306", "a.example.com.evil.org:3306", false),
            ("db*.a*.example.com:*", "db1.ab.example.com:1", true),
            ("db*.a*.example.com:*", "db1.example.com:1", false),
            ("10.0.0.0/16:*", "10.0.3.4:3306", true),
            ("10.0.0.0/16:*", "10.1.3.4:3306", false),
            ("10.0.0.0/16:*", "10.0.evil.example:3306", false),
            ("10.0.0.0/16:*", "[::ffff:10.0.3.4]:3306", true),
            ("0.0.0.0/0:*", "db:3306", false),
            ("0.0.0.0/0:*", "[::1]:3306", false),
            ("10.0.0.1:3306", "10.0.0.1:3306", true),
            ("10.0.0.1:3306", "10.0.0.10:3306", false),
            ("[fd00::/8]:*", "[fdff::1]:3306", true),
            ("[fd00::/8]:*", "[fe80::1]:3306", false),
            ("[::/0]:*", "[fe80::1%eth0]:3306", true),
            ("[::1]:3306", "[0::1]:3306", true),
            ("unix://*", "unix:///tmp/x", true),
            ("unix:///run/*", "unix:///run/mysqld/mysqld.sock", true),
            ("unix:///run/*", "unix:///tmp/mysqld.sock", false),
            ("unix:///run/*", "unix:///run/../tmp/mysqld.sock", false),
            ("unix:///run/*", "run:3306", false),
        ] {
            let address = target.parse().unwrap();
            let list = AllowList::new([pattern]).unwrap();
            assert_eq!(list.allows(&address), is_allowed, "{pattern} {target}");
        }
    }

    #[test]
    fn invalid_patterns_are_errors() {
        for (pattern, problem) in [
            ("10.0.*:*", "* matches names"),
            ("1*:*", "* matches names"),
            ("[fd00::*]:*", "* matches names"),
            ("a.*:*", "* matches names"),
            ("10.0.0.0/33:*", "expected a prefix from 0 to 32"),
            ("10.0.0.0/:*", "expected a prefix"),
            ("[::/129]:*", "expected a prefix from 0 to 128"),
            ("db/8:*", "* matches names"),
            ("db", "expected host:port"),
            ("db:x", "expected a port or *"),
            ("unix://run", "expected an absolute path"),
            ("", "expected host:port"),
        ] {
            let error = AllowList::new([pattern]).unwrap_err().to_string();
            assert!(error.starts_with(problem), "{pattern}: {error}");
        }
        assert!(!AllowList::default().allows(&"db:3306".parse().unwrap()));
    }
}
