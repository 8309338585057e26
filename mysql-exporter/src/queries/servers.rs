//! Patterns of servers: `mysql >= 8.0`, `mariadb >= 10.6 < 11`.

use std::str::FromStr;

use crate::version::{Flavour, Server, Version};

/// A flavour and a range of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerPattern {
    flavour: Flavour,
    from: Option<Version>,
    below: Option<Version>,
}

impl ServerPattern {
    pub(super) fn matches(&self, server: &Server) -> bool {
        self.flavour == server.flavour
            && self.from.is_none_or(|from| server.version >= from)
            && self.below.is_none_or(|below| server.version < below)
    }
}

impl FromStr for ServerPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || {
            format!(
                "expected mysql, percona or mariadb, and versions, as in \"mysql >= 8.0 < 9\"; \
                 found {text:?}"
            )
        };
        let mut words = text.split_ascii_whitespace();
        let flavour = match words.next().map(str::to_ascii_lowercase).as_deref() {
            Some("mariadb") => Flavour::MariaDb,
            Some("mysql") => Flavour::MySql,
            Some("percona") => Flavour::Percona,
            _ => return Err(invalid()),
        };
        let mut pattern = Self { flavour, from: None, below: None };
        while let Some(comparison) = words.next() {
            let version = words.next().and_then(version).ok_or_else(invalid)?;
            match comparison {
                ">=" if pattern.from.is_none() => pattern.from = Some(version),
                "<" if pattern.below.is_none() => pattern.below = Some(version),
                _ => return Err(invalid()),
            }
        }
        Ok(pattern)
    }
}

/// One to three numbers with dots between them.
fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    let version =
        (numbers.next()??, numbers.next().unwrap_or(Some(0))?, numbers.next().unwrap_or(Some(0))?);
    numbers.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_flavour_and_version() {
        let server = |version, comment| Server::new(version, comment, true);
        for (pattern, version, comment, expected) in [
            ("mysql", "9.7.4", "", true),
            ("mysql", "8.0.36", "Percona Server", false),
            ("percona >= 8", "8.0.36", "Percona Server", true),
            ("MariaDB >= 10.6 < 11", "10.11.6-MariaDB", "", true),
            ("mariadb >= 10.6 < 11", "11.0.1-MariaDB", "", false),
            ("mysql >= 8.0.30", "8.0.29", "", false),
            ("mysql < 8.0.30", "8.0.29", "", true),
        ] {
            let parsed: ServerPattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(&server(version, comment)), expected, "{pattern} {version}");
        }
    }

    #[test]
    fn invalid_patterns_are_errors() {
        for text in [
            "",
            "oracle",
            "mysql 8",
            "mysql > 8",
            "mysql >= x",
            "mysql >=",
            "mysql >= 8 >= 9",
            "mysql >= 1.2.3.4",
        ] {
            assert!(text.parse::<ServerPattern>().is_err(), "{text}");
        }
    }
}
