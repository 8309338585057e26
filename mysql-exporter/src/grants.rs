//! Required and granted privileges.

use std::fmt::{self, Display, Formatter};

/// A privilege that a collector needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Privilege {
    /// As in a `GRANT` statement: `PROCESS`.
    pub(crate) name: &'static str,
    /// What follows `ON` in a `GRANT` statement: `*.*`, `performance_schema.*`.
    pub(crate) level: String,
}

impl Privilege {
    pub(crate) fn new(name: &'static str, level: impl Into<String>) -> Self {
        Self { name, level: level.into() }
    }

    pub(crate) fn global(name: &'static str) -> Self {
        Self::new(name, "*.*")
    }
}

impl Display for Privilege {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ON {}", self.name, self.level)
    }
}

/// The result of `SHOW GRANTS`: names of privileges, and the level on which they are granted.
#[derive(Debug, Default)]
pub(crate) struct Grants(Vec<(Vec<String>, String)>);

impl Grants {
    /// Parses the lines of `SHOW GRANTS`. Privileges on single columns are ignored.
    pub(crate) fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        Self(lines.into_iter().filter_map(grant).collect())
    }

    pub(crate) fn include(&self, required: &Privilege) -> bool {
        let required_level = unquoted(&required.level);
        self.0.iter().any(|(names, level)| {
            let is_required = |name: &String| {
                name.starts_with("ALL") || canonical_name(name) == canonical_name(required.name)
            };
            covers(level, &required_level) && names.iter().any(is_required)
        })
    }
}

/// `GRANT a, b (c), d ON x.y TO ...`
fn grant(line: &str) -> Option<(Vec<String>, String)> {
    let rest = line.strip_prefix("GRANT ")?;
    let (privileges, rest) = rest.split_once(" ON ")?;
    let (level, _) = rest.split_once(" TO ")?;
    let names = privileges.split(',').map(|name| name.trim().to_ascii_uppercase());
    Some((names.collect(), unquoted(level)))
}

fn unquoted(name: &str) -> String {
    name.replace(['`', '"'], "")
}

/// Whether a privilege that is granted on one level applies to another.
fn covers(granted: &str, required: &str) -> bool {
    match granted.split_once('.') {
        _ if granted == required || granted == "*.*" => true,
        Some((database, "*")) => required.split_once('.').is_some_and(|(name, _)| name == database),
        _ => false,
    }
}

/// Maps alternative names of a privilege to one name.
fn canonical_name(privilege: &str) -> &str {
    match privilege {
        "REPLICA MONITOR" => "SLAVE MONITOR",
        "BINLOG MONITOR" => "REPLICATION CLIENT",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn granted_privileges_cover_required_ones() {
        let grants = Grants::parse([
            "GRANT PROCESS, BINLOG MONITOR ON *.* TO `e`@`%` IDENTIFIED BY PASSWORD '*X'",
            "GRANT SELECT ON `performance_schema`.* TO `e`@`%`",
            "GRANT SELECT, INSERT (`a`, `b`) ON `mysql`.`user` TO `e`@`%`",
            "GRANT `role`@`%` TO `e`@`%`",
            "nonsense",
        ]);
        for (name, level, is_granted) in [
            ("PROCESS", "*.*", true),
            ("REPLICATION CLIENT", "*.*", true),
            ("SLAVE MONITOR", "*.*", false),
            ("SELECT", "*.*", false),
            ("SELECT", "performance_schema.*", true),
            ("SELECT", "`performance_schema`.`x`", true),
            ("SELECT", "mysql.user", true),
            ("SELECT", "mysql.*", false),
            ("SELECT", "sys.*", false),
        ] {
            let privilege = Privilege::new(name, level);
            assert_eq!(grants.include(&privilege), is_granted, "{privilege}");
        }
        let all = Grants::parse(["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`"]);
        assert!(all.include(&Privilege::global("SLAVE MONITOR")));
    }
}
