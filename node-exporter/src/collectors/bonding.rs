//! How many slaves each bonding interface has, and how many of them have a link:
//! `/sys/class/net/*/bonding`, see `Documentation/networking/bonding.rst`.

use std::io::ErrorKind;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{File, Host, OrAbsent};

pub(super) static DEFINITION: Definition = Definition {
    name: "bonding",
    about: "Slaves of bonding interfaces",
    on_by_default: true,
    reads: &[
        "/sys/class/net/bonding_masters",
        "/sys/class/net/*/bonding/slaves",
        "/sys/class/net/*/lower_*/bonding_slave/mii_status",
    ],
    flags: &[],
    metrics: &[&COLUMNS],
    build: |host, _| Ok(Source::blocking(Bonding(host.clone()))),
};

static COLUMNS: [Column<Bond, 1>; 2] = [
    Desc::gauge("node_bonding_slaves", "Slaves that the bonding interface has.", ["master"])
        .column(|bond| Some(bond.slaves)),
    Desc::gauge("node_bonding_active", "Slaves whose link is up.", ["master"])
        .column(|bond| Some(bond.active)),
];

struct Bonding(Host);

impl Collector for Bonding {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let masters = self.0.sys("class/net/bonding_masters").or_absent("bonding interfaces")?;
        let masters = masters.text().split_ascii_whitespace();
        let bonds: Vec<_> = masters
            .map(|master| Ok(([master], bond(&self.0, master)?)))
            .collect::<Result<_, Error>>()?;
        out.table(&COLUMNS, &bonds);
        Ok(())
    }
}

#[derive(Default)]
struct Bond {
    slaves: f64,
    active: f64,
}

fn bond(host: &Host, master: &str) -> Result<Bond, Error> {
    let mut bond = Bond::default();
    for slave in host.sys(format!("class/net/{master}/bonding/slaves"))?.text().split_whitespace() {
        bond.slaves += 1.0;
        if mii_status(host, master, slave)?.trimmed() == "up" {
            bond.active += 1.0;
        }
    }
    Ok(bond)
}

/// The link to a slave has a new name since Linux 3.13.
fn mii_status(host: &Host, master: &str, slave: &str) -> Result<File, Error> {
    let status =
        |link| host.sys(format!("class/net/{master}/{link}_{slave}/bonding_slave/mii_status"));
    match status("lower") {
        Err(Error::Read { source, .. }) if source.kind() == ErrorKind::NotFound => status("slave"),
        other => other,
    }
}
