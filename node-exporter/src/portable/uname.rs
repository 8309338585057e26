//! Names of the kernel and the machine: `uname(2)`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;

pub(super) static DEFINITION: Definition =
    Definition::new("uname", "Names of the kernel and the machine", |(), _| {
        Ok(Source::blocking(Uname))
    })
    .reads(&["uname(2)"])
    .metrics(&[&NAMES]);

static NAMES: Desc<6> = Desc::gauge(
    "node_uname_info",
    "Names of the kernel and the machine, in the labels; always 1.",
    ["sysname", "release", "version", "machine", "nodename", "domainname"],
);

struct Uname;

impl Collector for Uname {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let names = rustix::system::uname();
        let [sysname, release, version, machine, host] =
            [names.sysname(), names.release(), names.version(), names.machine(), names.nodename()]
                .map(|name| name.to_string_lossy());
        // Only Linux has a domain name of its own in `uname`.
        let (nodename, domainname) = host.split_once('.').unwrap_or((&host, "(none)"));
        out.family(&NAMES)
            .sample([&sysname, &release, &version, &machine, nodename, domainname], 1.0);
        Ok(())
    }
}
