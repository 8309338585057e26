//! Whether SELinux is enabled, and its mode: `/sys/fs/selinux` and `/etc/selinux/config`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Host, if_exists, if_supported};

pub(super) static DEFINITION: Definition =
    Definition::new("selinux", "State of SELinux", |host, _| {
        Ok(Source::blocking(SeLinux(host.clone())))
    })
    .cost("three small files")
    .reads(&["/sys/fs/selinux/enforce", "/proc/self/attr/current", "/etc/selinux/config"])
    .metrics(&[&ENABLED, &CONFIG_MODE, &CURRENT_MODE]);

static ENABLED: Desc = Desc::gauge("node_selinux_enabled", "Whether SELinux is on.", []);
static CONFIG_MODE: Desc = Desc::gauge(
    "node_selinux_config_mode",
    "Mode that is configured: 1 for enforcing, 0 for permissive, -1 for disabled.",
    [],
);
static CURRENT_MODE: Desc = Desc::gauge(
    "node_selinux_current_mode",
    "Mode that is in effect: 1 for enforcing, 0 for permissive.",
    [],
);

struct SeLinux(Host);

impl Collector for SeLinux {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let Some(enforce) = if_exists(self.0.sys("fs/selinux/enforce"))? else {
            out.family(&ENABLED).sample([], 0.0);
            return Ok(());
        };
        // All processes have this context if no policy is loaded.
        let context = if_supported(self.0.proc("self/attr/current"))?;
        if context.is_some_and(|context| context.text().trim_end_matches(['\0', '\n']) == "kernel")
        {
            out.family(&ENABLED).sample([], 0.0);
            return Ok(());
        }
        out.family(&ENABLED).sample([], 1.0);
        let config = if_exists(self.0.root("etc/selinux/config"))?;
        let configured = config.map_or(-1.0, |config| mode(config.text()));
        out.family(&CONFIG_MODE).sample([], configured);
        let current: i64 = enforce.number("0 or 1")?;
        out.family(&CURRENT_MODE).sample([], current as f64);
        Ok(())
    }
}

/// The mode that a configuration sets.
fn mode(config: &str) -> f64 {
    let mut values = config.lines().filter_map(|line| {
        let (key, value) = line.trim().split_once('=')?;
        (key.trim() == "SELINUX").then_some(value.trim())
    });
    match values.next_back() {
        Some("enforcing") => 1.0,
        Some("permissive") => 0.0,
        _ => -1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_parsed() {
        for (config, expected) in [
            ("# SELINUX=permissive\nSELINUX=enforcing\nSELINUXTYPE=targeted\n", 1.0),
            ("SELINUX = permissive", 0.0),
            ("SELINUX=disabled\n", -1.0),
            ("SELINUX=\n=\nSELINUX", -1.0),
            ("", -1.0),
        ] {
            assert_eq!(mode(config).to_bits(), f64::to_bits(expected), "{config}");
        }
    }
}
