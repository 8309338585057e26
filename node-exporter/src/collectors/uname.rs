//! Names of the kernel and the machine: `uname(2)`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;

pub(super) static DEFINITION: Definition =
    Definition::new("uname", "Names of the kernel and the machine", |_, _| {
        Ok(Source::blocking(Uname))
    })
    .cost("one system call")
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
        let names = [
            names.sysname(),
            names.release(),
            names.version(),
            names.machine(),
            names.nodename(),
            names.domainname(),
        ]
        .map(|name| name.to_string_lossy());
        out.family(&NAMES).sample(names.each_ref().map(AsRef::as_ref), 1.0);
        Ok(())
    }
}
