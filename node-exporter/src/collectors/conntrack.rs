//! How full the connection tracking table is: `/proc/sys/net/netfilter/nf_conntrack_*`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Host, OrAbsent};

pub(super) static DEFINITION: Definition = Definition {
    name: "conntrack",
    about: "Connection tracking table",
    on_by_default: true,
    reads: &["/proc/sys/net/netfilter/nf_conntrack_*"],
    flags: &[],
    metrics: &[&ENTRIES, &LIMIT],
    build: |host, _| Ok(Source::blocking(Conntrack(host.clone()))),
};

static ENTRIES: Desc = Desc::gauge("node_nf_conntrack_entries", "Entries in the table.", []);
static LIMIT: Desc = Desc::gauge("node_nf_conntrack_entries_limit", "Size of the table.", []);

struct Conntrack(Host);

impl Collector for Conntrack {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        for (desc, file) in [(&ENTRIES, "nf_conntrack_count"), (&LIMIT, "nf_conntrack_max")] {
            let path = format!("sys/net/netfilter/{file}");
            let file = self.0.proc(&path).or_absent("connection tracking")?;
            out.family(desc).sample([], file.fields().number("a count")?);
        }
        Ok(())
    }
}
