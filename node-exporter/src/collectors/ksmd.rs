//! Kernel samepage merging: `/sys/kernel/mm/ksm`.
//!
//! See `Documentation/admin-guide/mm/ksm.rst`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Host, OrAbsent, if_exists};

pub(super) static DEFINITION: Definition =
    Definition::new("ksmd", "Kernel samepage merging", |host, _| {
        Ok(Source::blocking(Ksmd(host.clone())))
    })
    .cost("about 10 small files")
    .off_by_default()
    .reads(&["/sys/kernel/mm/ksm/*"])
    .metrics(&[
        &FULL_SCANS,
        &GENERAL_PROFIT,
        &MERGE_ACROSS_NODES,
        &PAGES_SHARED,
        &PAGES_SHARING,
        &PAGES_TO_SCAN,
        &PAGES_UNSHARED,
        &PAGES_VOLATILE,
        &RUN,
        &SLEEP,
    ]);

static FULL_SCANS: Desc =
    Desc::counter("node_ksmd_full_scans_total", "Complete scans of the mergeable memory.", []);
static GENERAL_PROFIT: Desc = Desc::gauge(
    "node_ksmd_general_profit_bytes",
    "Memory saved, less the memory used for tracking. Since Linux 6.4.",
    [],
);
static MERGE_ACROSS_NODES: Desc = Desc::gauge(
    "node_ksmd_merge_across_nodes",
    "Whether pages of different NUMA nodes may be merged.",
    [],
);
static PAGES_SHARED: Desc =
    Desc::gauge("node_ksmd_pages_shared", "Shared pages, each of which replaces several.", []);
static PAGES_SHARING: Desc = Desc::gauge(
    "node_ksmd_pages_sharing",
    "Additional references to shared pages: pages saved.",
    [],
);
static PAGES_TO_SCAN: Desc =
    Desc::gauge("node_ksmd_pages_to_scan", "Pages that ksmd scans before it sleeps.", []);
static PAGES_UNSHARED: Desc =
    Desc::gauge("node_ksmd_pages_unshared", "Unique pages that are checked repeatedly.", []);
static PAGES_VOLATILE: Desc =
    Desc::gauge("node_ksmd_pages_volatile", "Pages that change too fast to be merged.", []);
static RUN: Desc = Desc::gauge(
    "node_ksmd_run",
    "Whether ksmd runs: 0 stopped, 1 running, 2 stopped with all pages unmerged.",
    [],
);
static SLEEP: Desc =
    Desc::gauge("node_ksmd_sleep_seconds", "How long ksmd sleeps between scans.", []);

/// Files, with the divisors of their numbers.
static FILES: [(&str, f64, &Desc<'static>); 10] = [
    ("full_scans", 1.0, &FULL_SCANS),
    ("general_profit", 1.0, &GENERAL_PROFIT),
    ("merge_across_nodes", 1.0, &MERGE_ACROSS_NODES),
    ("pages_shared", 1.0, &PAGES_SHARED),
    ("pages_sharing", 1.0, &PAGES_SHARING),
    ("pages_to_scan", 1.0, &PAGES_TO_SCAN),
    ("pages_unshared", 1.0, &PAGES_UNSHARED),
    ("pages_volatile", 1.0, &PAGES_VOLATILE),
    ("run", 1.0, &RUN),
    ("sleep_millisecs", 1000.0, &SLEEP),
];

struct Ksmd(Host);

impl Collector for Ksmd {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let ksm = self.0.device("kernel/mm/ksm").or_absent("kernel samepage merging")?;
        for (name, divisor, desc) in &FILES {
            // Some kernels do not have all files.
            if let Some(file) = if_exists(ksm.file(name))? {
                out.family(desc).sample([], file.number::<f64>("a number")? / divisor);
            }
        }
        Ok(())
    }
}
