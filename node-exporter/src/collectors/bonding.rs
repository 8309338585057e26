//! Number of slaves of each bonding interface, and number of slaves with a link:
//! `/sys/class/net/*/bonding`, see `Documentation/networking/bonding.rst`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::filter::Filter;
use crate::host::{Device, EMPTY_PAGE, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("bonding", "Slaves of bonding interfaces", |host, flags| {
        let filter = Filter::default().of_interfaces(flags)?;
        Ok(Source::blocking(Bonding { host: host.clone(), filter }))
    })
    .cost("two small files per bond and slave")
    .reads(&[
        "/sys/class/net/bonding_masters",
        "/sys/class/net/*/bonding/slaves",
        "/sys/class/net/*/lower_*/bonding_slave/mii_status",
    ])
    .metrics(&[&COLUMNS]);

static COLUMNS: [Column<Bond, 1>; 2] = [
    Desc::gauge("node_bonding_slaves", "Slaves of the bonding interface.", ["master"])
        .column(|bond| Some(bond.slaves)),
    Desc::gauge("node_bonding_active", "Slaves whose link is up.", ["master"])
        .column(|bond| Some(bond.active)),
];

struct Bonding {
    host: Host,
    filter: Filter,
}

impl Collector for Bonding {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut page = EMPTY_PAGE;
        let all = self.host.device("class/net").or_absent("network interfaces")?;
        let masters = all.text("bonding_masters", &mut page).or_absent("bonding interfaces")?;
        let mut bonds = Vec::new();
        for master in masters.split_ascii_whitespace() {
            if self.filter.ignores(master) {
                continue;
            }
            // Ignore interfaces that have been removed meanwhile.
            if let Some(interface) = found(self.host.device(format!("class/net/{master}")))? {
                bonds.push(([master], bond(&self.host, master, &interface)?));
            }
        }
        out.table(&COLUMNS, &bonds);
        Ok(())
    }
}

#[derive(Default)]
struct Bond {
    slaves: f64,
    active: f64,
}

fn bond(host: &Host, master: &str, interface: &Device) -> Result<Bond, Error> {
    let mut bond = Bond::default();
    let (mut page, mut status) = (EMPTY_PAGE, EMPTY_PAGE);
    for slave in interface.text("bonding/slaves", &mut page)?.split_ascii_whitespace() {
        // The first name of the link to a slave is used since Linux 3.13.
        for link in ["lower", "slave"] {
            let path = format!("class/net/{master}/{link}_{slave}");
            let Some(slave) = found(host.device(path))? else { continue };
            bond.slaves += 1.0;
            if slave.text("bonding_slave/mii_status", &mut status)? == "up" {
                bond.active += 1.0;
            }
            break;
        }
    }
    Ok(bond)
}

fn found(device: Result<Device, Error>) -> Result<Option<Device>, Error> {
    match device.or_absent("") {
        Err(Error::Absent(_)) => Ok(None),
        other => other.map(Some),
    }
}
