//! Use of memory and swap.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use super::Definition;

pub(super) static DEFINITION: Definition =
    Definition::new("meminfo", "Memory use", |(), _| Ok(Source::blocking(Meminfo))).metrics(&[
        &TOTAL,
        &FREE,
        &AVAILABLE,
        &USED,
        &SWAP_TOTAL,
        &SWAP_USED,
    ]);

static TOTAL: Desc = Desc::gauge("node_memory_total_bytes", "Memory of the machine.", []);
static FREE: Desc = Desc::gauge("node_memory_free_bytes", "Unused memory.", []);
static AVAILABLE: Desc = Desc::gauge(
    "node_memory_available_bytes",
    "Memory that new programs can have without swapping.",
    [],
);
static USED: Desc =
    Desc::gauge("node_memory_used_bytes", "Memory that is neither free nor a cache.", []);
static SWAP_TOTAL: Desc = Desc::gauge("node_memory_swap_total_bytes", "Swap space.", []);
static SWAP_USED: Desc = Desc::gauge("node_memory_swap_used_bytes", "Swap space in use.", []);

struct Meminfo;

impl Collector for Meminfo {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let kind = RefreshKind::nothing().with_memory(MemoryRefreshKind::everything());
        let memory = System::new_with_specifics(kind).map_err(Error::other)?;
        // Not `used_swap`, which subtracts without a check.
        let swap_used = memory.total_swap().saturating_sub(memory.free_swap());
        for (desc, bytes) in [
            (&TOTAL, memory.total_memory()),
            (&FREE, memory.free_memory()),
            (&AVAILABLE, memory.available_memory()),
            (&USED, memory.used_memory()),
            (&SWAP_TOTAL, memory.total_swap()),
            (&SWAP_USED, swap_used),
        ] {
            out.family(desc).sample([], bytes as f64);
        }
        Ok(())
    }
}
