//! Flavour and version of a server. The statements of the collectors depend on them.

/// Properties of a server, determined at login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) flavour: Flavour,
    pub(crate) version: Version,
    /// Whether `performance_schema` is enabled; on MariaDB it is off by default.
    pub(crate) performance_schema: bool,
    /// Whether a plugin that measures response times is installed, even if it is disabled.
    pub(crate) query_response_time: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    MariaDb,
    MySql,
    Percona,
}

/// Major, minor, patch.
pub(crate) type Version = (u16, u16, u16);

impl Server {
    /// Parses the variables `version` and `version_comment`.
    pub(crate) fn new(version: &str, comment: &str, performance_schema: bool) -> Self {
        let flavour = if version.contains("MariaDB") || comment.contains("MariaDB") {
            Flavour::MariaDb
        } else if comment.contains("Percona") {
            Flavour::Percona
        } else {
            Flavour::MySql
        };
        let version = numbers(version);
        Self { flavour, version, performance_schema, query_response_time: false }
    }

    pub(crate) fn is_mariadb(&self) -> bool {
        self.flavour == Flavour::MariaDb
    }

    /// MariaDB from this version on.
    pub(crate) fn is_mariadb_since(&self, version: Version) -> bool {
        self.is_mariadb() && self.version >= version
    }

    /// MySQL or Percona Server from this version on.
    pub(crate) fn is_mysql_since(&self, version: Version) -> bool {
        !self.is_mariadb() && self.version >= version
    }

    /// Whether statements can be excluded from the slow query log.
    pub(crate) fn has_log_slow_filter(&self) -> bool {
        self.flavour != Flavour::MySql
    }
}

/// The first three numbers of a version, 0 for missing ones. Some MariaDB servers before 11 add
/// the prefix `5.5.5-`, for old replicas.
fn numbers(text: &str) -> Version {
    let text = match text.strip_prefix("5.5.5-") {
        Some(rest) if rest.contains("MariaDB") => rest,
        _ => text,
    };
    let text = text.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_identified() {
        for (version, comment, flavour, numbers) in [
            ("10.11.19-MariaDB-0+deb12u1-log", "Debian 12", Flavour::MariaDb, (10, 11, 19)),
            ("5.5.5-10.6.7-MariaDB", "", Flavour::MariaDb, (10, 6, 7)),
            ("11.4.2", "mariadb.org MariaDB Server", Flavour::MariaDb, (11, 4, 2)),
            ("9.7.4-2", "(Debian)", Flavour::MySql, (9, 7, 4)),
            ("8.0.36-28", "Percona Server (GPL), Release 28", Flavour::Percona, (8, 0, 36)),
            ("5.7.44-log", "MySQL Community Server", Flavour::MySql, (5, 7, 44)),
            ("5.5.5", "", Flavour::MySql, (5, 5, 5)),
            ("", "", Flavour::MySql, (0, 0, 0)),
            ("x.y", "", Flavour::MySql, (0, 0, 0)),
            ("99999999.1", "", Flavour::MySql, (0, 1, 0)),
        ] {
            let server = Server::new(version, comment, true);
            assert_eq!((server.flavour, server.version), (flavour, numbers), "{version}");
        }
    }
}
