//! Where a server is, and which targets may be asked for.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// The address of a server: `host:port`, or `unix://path`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    Tcp { host: String, port: u16 },
    Unix { path: String },
}

/// Says what an address looks like.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected host:port or unix:///path, found {0:?}")]
pub(crate) struct NoAddress(String);

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let wrong = || NoAddress(text.to_owned());
        if let Some(path) = text.strip_prefix("unix://") {
            let path = path.to_owned();
            return if path.is_empty() { Err(wrong()) } else { Ok(Self::Unix { path }) };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bare {
            Some(host) => host,
            None if host.contains(':') => return Err(wrong()),
            None => host,
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '[');
        if host.is_empty() || host.contains(odd) {
            return Err(wrong());
        }
        match port.parse() {
            Ok(0) | Err(_) => Err(wrong()),
            Ok(port) => Ok(Self::Tcp { host: host.to_owned(), port }),
        }
    }
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

/// The targets that `/probe` may be asked for: patterns in which `*` stands for anything. Without
/// one, all may.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed(Vec<String>);

impl Allowed {
    pub(crate) fn new(patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(patterns.into_iter().map(Into::into).collect())
    }

    pub(crate) fn everything(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn allows(&self, address: &Address) -> bool {
        let address = address.to_string();
        self.everything() || self.0.iter().any(|pattern| matches(pattern, &address))
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.any(|at| rest.get(at..).is_some_and(|rest| matches(tail, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, written) in [
            ("db.example.com:3306", Some("db.example.com:3306")),
            ("127.0.0.1:33306", Some("127.0.0.1:33306")),
            ("[::1]:3306", Some("[::1]:3306")),
            ("unix:///run/mysqld/mysqld.sock", Some("unix:///run/mysqld/mysqld.sock")),
            ("db", None),
            ("db:", None),
            ("db:0", None),
            ("db:99999", None),
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

    #[test]
    fn targets_are_allowed_by_pattern() {
        for (patterns, target, allowed) in [
            (&[][..], "any:1", true),
            (&["db:3306"], "db:3306", true),
            (&["db:3306"], "db:3307", false),
            (&["db:3306"], "xdb:3306", false),
            (&["*.example.com:3306"], "a.b.example.com:3306", true),
            (&["*.example.com:3306"], "a.example.com.evil.org:3306", false),
            (&["10.0.*:*"], "10.0.3.4:3306", true),
            (&["unix:///run/*"], "unix:///run/mysqld/mysqld.sock", true),
            (&["unix:///run/*"], "unix:///tmp/mysqld.sock", false),
            (&["a:1", "b:2"], "b:2", true),
        ] {
            let address = target.parse().unwrap();
            let patterns = Allowed::new(patterns.iter().copied());
            assert_eq!(patterns.allows(&address), allowed, "{patterns:?} {target}");
        }
    }
}
