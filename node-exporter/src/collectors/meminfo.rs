//! How memory is used, in the kernel's own words: `/proc/meminfo`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, Entry, Kind};
use exporter_core::families::Families;

use super::Definition;
use crate::host::Host;

pub(super) static DEFINITION: Definition = Definition {
    name: "meminfo",
    about: "Memory use",
    on_by_default: true,
    reads: &["/proc/meminfo"],
    flags: &[],
    metrics: &[&Field],
    build: |host, _| Ok(Source::blocking(Meminfo(host.clone()))),
};

/// The family of each field. Kernels differ in their fields, so there is no list of them here.
struct Field;

impl Describe for Field {
    fn describe(&self, visit: &mut dyn FnMut(Entry<'_>)) {
        let help = "Memory information field <field>.";
        visit(Entry { name: "node_memory_<field>", help, kind: Kind::Gauge, labels: &[] });
    }
}

struct Meminfo(Host);

impl Collector for Meminfo {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        for mut line in self.0.proc("meminfo")?.lines() {
            let field = line.word("a field")?.trim_end_matches(':').replace(['(', ')'], "_");
            let field = field.trim_end_matches('_');
            let value: f64 = line.number("a number")?;
            let (unit, scale) =
                if line.word("kB").is_ok() { ("_bytes", 1024.0) } else { ("", 1.0) };
            let name = format!("node_memory_{field}{unit}");
            let help = format!("Memory information field {field}{unit}.");
            if let Some(desc) = Desc::discovered(&name, &help, Kind::Gauge, []) {
                out.family(&desc).sample([], value * scale);
            }
        }
        Ok(())
    }
}
