//! The kernel's entropy pool: `/proc/sys/kernel/random`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::Host;

pub(super) static DEFINITION: Definition =
    Definition::new("entropy", "Entropy of the random number generator", |host, _| {
        Ok(Source::blocking(Entropy(host.clone())))
    })
    .cost("two small files")
    .reads(&["/proc/sys/kernel/random/entropy_avail", "/proc/sys/kernel/random/poolsize"])
    .metrics(&[&AVAILABLE, &POOL_SIZE]);

static AVAILABLE: Desc =
    Desc::gauge("node_entropy_available_bits", "Bits of entropy in the pool.", []);
static POOL_SIZE: Desc =
    Desc::gauge("node_entropy_pool_size_bits", "Bits of entropy the pool can hold.", []);

struct Entropy(Host);

impl Collector for Entropy {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        for (desc, file) in [(&AVAILABLE, "entropy_avail"), (&POOL_SIZE, "poolsize")] {
            let bits: u64 =
                self.0.proc(format!("sys/kernel/random/{file}"))?.number("a number of bits")?;
            out.family(desc).sample([], bits as f64);
        }
        Ok(())
    }
}
