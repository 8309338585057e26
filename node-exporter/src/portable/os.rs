//! Name and version of the operating system.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use sysinfo::System;

use super::Definition;

pub(super) static DEFINITION: Definition =
    Definition::new("os", "Name and version of the operating system", |(), _| {
        Ok(Source::blocking(Os))
    })
    .metrics(&[&INFO, &VERSION]);

static INFO: Desc<5> = Desc::gauge(
    "node_os_info",
    "The operating system, in the labels; always 1.",
    ["id", "id_like", "name", "pretty_name", "version_id"],
);
static VERSION: Desc<3> = Desc::gauge(
    "node_os_version",
    "The first two numbers of the operating system's version.",
    ["id", "id_like", "name"],
);

struct Os;

impl Collector for Os {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let name = System::name().map_err(Error::other)?;
        let id = System::distribution_id();
        let id_like = System::distribution_id_like().join(" ");
        // A rolling release has no version.
        let version_id = System::os_version().unwrap_or_default();
        let pretty_name = System::long_os_version().unwrap_or_default();
        out.family(&INFO).sample([&id, &id_like, &name, &pretty_name, &version_id], 1.0);
        if let Some(number) = first_two_numbers(&version_id) {
            out.family(&VERSION).sample([&id, &id_like, &name], number);
        }
        Ok(())
    }
}

/// 14.6 of `14.6.1`, 15.0 of `15.0-RELEASE`.
fn first_two_numbers(version: &str) -> Option<f64> {
    let is_part = |char: char| char.is_ascii_digit() || char == '.';
    let numbers = version.split(|char| !is_part(char)).next()?;
    let mut numbers = numbers.split('.').filter(|number| !number.is_empty());
    let first = numbers.next()?;
    match numbers.next() {
        Some(second) => format!("{first}.{second}").parse().ok(),
        None => first.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        for (version, expected) in [
            ("14.6.1", Some(14.6)),
            ("15.0-RELEASE", Some(15.0)),
            ("12", Some(12.0)),
            ("7.", Some(7.0)),
            ("", None),
            ("rolling", None),
        ] {
            assert_eq!(first_two_numbers(version), expected, "{version}");
        }
    }
}
