//! The address of a server.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;
use std::str::FromStr;

/// The address of a server. Different spellings of one address are equal: names are in lower case,
/// IP addresses and paths in their shortest form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    Tcp { host: String, port: u16 },
    Unix { path: String },
}

/// Why an address is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidAddress {
    #[error("expected host:port or unix:///path, found {0:?}")]
    Form(String),
    #[error("expected a name or an IP address, found {0:?}")]
    Host(String),
    #[error("expected a port from 1 to 65535, found {0:?}")]
    Port(String),
    #[error("expected an absolute path after unix://, found {0:?}")]
    Path(String),
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if let Some(path) = text.strip_prefix("unix://") {
            return Ok(Self::Unix { path: normalized(path)? });
        }
        let (host, port) = split(text)?;
        let port = match port.parse() {
            Ok(0) | Err(_) => return Err(InvalidAddress::Port(port.to_owned())),
            Ok(port) => port,
        };
        Ok(Self::Tcp { host: canonical(host)?, port })
    }
}

/// The parts of `host:port`, without the brackets of an IPv6 address.
pub(crate) fn split(text: &str) -> Result<(&str, &str), InvalidAddress> {
    let invalid = || InvalidAddress::Form(text.to_owned());
    let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
    match host.strip_prefix('[') {
        Some(host) => Ok((host.strip_suffix(']').ok_or_else(invalid)?, port)),
        None if host.is_empty() || host.contains(':') => Err(invalid()),
        None => Ok((host, port)),
    }
}

/// The IP address of a host, without its zone.
pub(crate) fn ip(host: &str) -> Option<IpAddr> {
    let host = host.split_once('%').map_or(host, |(host, _)| host);
    host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

fn canonical(host: &str) -> Result<String, InvalidAddress> {
    if let Some(ip) = ip(host) {
        // A zone is the name of a network interface.
        let zone = host.split_once('%').map_or("", |(_, zone)| zone);
        let is_valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        return match zone {
            "" => Ok(ip.to_string()),
            zone if zone.chars().all(is_valid) => Ok(format!("{ip}%{zone}")),
            _ => Err(InvalidAddress::Host(host.to_owned())),
        };
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_valid = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let last = name.rsplit('.').next().unwrap_or_default();
    // Resolvers also accept 10.1, 0x7f.1 and 2130706433, which do not look like addresses.
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").or_else(|| last.strip_prefix("0X")).is_some();
    if is_number || !name.chars().all(is_valid) {
        return Err(InvalidAddress::Host(host.to_owned()));
    }
    Ok(name.to_lowercase())
}

/// An absolute path without empty, `.` and `..` components.
pub(crate) fn normalized(path: &str) -> Result<String, InvalidAddress> {
    let invalid = || InvalidAddress::Path(path.to_owned());
    let mut components = Vec::new();
    for component in path.strip_prefix('/').ok_or_else(invalid)?.split('/') {
        match component {
            "" | "." => {}
            ".." => drop(components.pop()),
            component => components.push(component),
        }
    }
    if components.is_empty() || path.contains('\0') {
        return Err(invalid());
    }
    Ok(format!("/{}", components.join("/")))
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix { path } => write!(f, "unix://{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_and_formatted() {
        for (text, written) in [
            ("db.example.com:3306", Some("db.example.com:3306")),
            ("DB.example.com.:3306", Some("db.example.com:3306")),
            ("127.0.0.1:33306", Some("127.0.0.1:33306")),
            ("[::1]:3306", Some("[::1]:3306")),
            ("[0:0::1]:3306", Some("[::1]:3306")),
            ("[::ffff:10.0.0.1]:3306", Some("10.0.0.1:3306")),
            ("[fe80::1%eth0]:3306", Some("[fe80::1%eth0]:3306")),
            ("unix:///run/mysqld/mysqld.sock", Some("unix:///run/mysqld/mysqld.sock")),
            ("unix:///run/../tmp//./x", Some("unix:///tmp/x")),
            ("unix:///../../x", Some("unix:///x")),
            ("unix://x", None),
            ("unix:///", None),
            ("unix:///..", None),
            ("db", None),
            ("db:", None),
            ("db:0", None),
            ("db:99999", None),
            ("10.1:3306", None),
            ("2130706433:3306", None),
            ("0x7f.0x1:3306", None),
            ("::1:3306", None),
            (":3306", None),
            ("unix://", None),
            ("user@db:3306", None),
            ("http://db:3306", None),
            ("a b:3306", None),
            ("", None),
        ] {
            let address = text.parse::<Address>().ok().map(|address| address.to_string());
            assert_eq!(address.as_deref(), written, "{text}");
        }
    }
}
