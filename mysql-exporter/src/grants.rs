//! Required and granted privileges.

use std::fmt::{self, Display, Formatter};

/// A privilege that a collector needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// As in `GRANT`: `PROCESS`.
    pub(crate) privilege: &'static str,
    /// As in `ON`: `*.*`, `performance_schema.*`.
    pub(crate) on: String,
}

impl Need {
    pub(crate) fn new(privilege: &'static str, on: impl Into<String>) -> Self {
        Self { privilege, on: on.into() }
    }

    pub(crate) fn global(privilege: &'static str) -> Self {
        Self::new(privilege, "*.*")
    }
}

impl Display for Need {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ON {}", self.privilege, self.on)
    }
}

/// The result of `SHOW GRANTS`.
#[derive(Debug, Default)]
pub(crate) struct Grants(Vec<(Vec<String>, String)>);

impl Grants {
    /// Parses the lines of `SHOW GRANTS`. Privileges on single columns are ignored.
    pub(crate) fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        Self(lines.into_iter().filter_map(grant).collect())
    }

    pub(crate) fn allow(&self, need: &Need) -> bool {
        let wanted = unquoted(&need.on);
        self.0.iter().any(|(privileges, on)| {
            let has = |privilege: &String| {
                privilege.starts_with("ALL") || synonyms(privilege) == synonyms(need.privilege)
            };
            covers(on, &wanted) && privileges.iter().any(has)
        })
    }
}

/// `GRANT a, b (c), d ON x.y TO ...`
fn grant(line: &str) -> Option<(Vec<String>, String)> {
    let rest = line.strip_prefix("GRANT ")?;
    let (privileges, rest) = rest.split_once(" ON ")?;
    let (on, _) = rest.split_once(" TO ")?;
    let privileges = privileges.split(',').map(|one| one.trim().to_ascii_uppercase());
    Some((privileges.collect(), unquoted(on)))
}

fn unquoted(name: &str) -> String {
    name.replace(['`', '"'], "")
}

/// Whether a privilege on `granted` applies to `wanted`.
fn covers(granted: &str, wanted: &str) -> bool {
    match granted.split_once('.') {
        _ if granted == wanted || granted == "*.*" => true,
        Some((database, "*")) => wanted.split_once('.').is_some_and(|(name, _)| name == database),
        _ => false,
    }
}

/// Maps alternative names of a privilege to one name.
fn synonyms(privilege: &str) -> &str {
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
        for (privilege, on, allowed) in [
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
            let need = Need::new(privilege, on);
            assert_eq!(grants.allow(&need), allowed, "{need}");
        }
        let all = Grants::parse(["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`"]);
        assert!(all.allow(&Need::global("SLAVE MONITOR")));
    }
}
