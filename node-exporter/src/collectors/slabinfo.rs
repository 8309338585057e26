//! Caches of the kernel's slab allocator: `/proc/slabinfo`, readable only by root.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::Definition;
use crate::filter::Filter;
use crate::host::{Fields, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("slabinfo", "Slab allocator caches", |host, flags| {
        let filter = Filter::new(flags, &INCLUDE, &EXCLUDE)?;
        Ok(Source::blocking(Slabinfo { host: host.clone(), filter }))
    })
    .cost("one file with a line per cache, for which the kernel locks each cache")
    .rights("root or CAP_DAC_READ_SEARCH")
    .off_by_default()
    .reads(&["/proc/slabinfo"])
    .flags(&[&INCLUDE, &EXCLUDE])
    .metrics(&[&COLUMNS]);

static INCLUDE: Flag =
    Flag::text("collector.slabinfo.slabs-include", ".*", "Pattern of the caches to expose.");
static EXCLUDE: Flag =
    Flag::text("collector.slabinfo.slabs-exclude", "", "Pattern of the caches to leave out.");

const SLAB: [&str; 1] = ["slab"];

static COLUMNS: [Column<Cache, 1>; 5] = [
    Desc::gauge("node_slabinfo_active_objects", "Objects in use.", SLAB)
        .column(|cache| Some(cache.active_objects as f64)),
    Desc::gauge("node_slabinfo_objects", "Objects allocated, in use or not.", SLAB)
        .column(|cache| Some(cache.objects as f64)),
    Desc::gauge("node_slabinfo_object_size_bytes", "Size of an object.", SLAB)
        .column(|cache| Some(cache.object_size as f64)),
    Desc::gauge("node_slabinfo_objects_per_slab", "Objects in a slab.", SLAB)
        .column(|cache| Some(cache.objects_per_slab as f64)),
    Desc::gauge("node_slabinfo_pages_per_slab", "Pages of a slab.", SLAB)
        .column(|cache| Some(cache.pages_per_slab as f64)),
];

#[derive(Debug, PartialEq)]
struct Cache {
    active_objects: u64,
    objects: u64,
    object_size: u64,
    objects_per_slab: u64,
    pages_per_slab: u64,
}

struct Slabinfo {
    host: Host,
    filter: Filter,
}

impl Collector for Slabinfo {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.host.proc("slabinfo").or_absent("slabinfo")?;
        if !file.text().starts_with("slabinfo") {
            return Err(file.parse_error("`slabinfo - version: 2.1`"));
        }
        let mut rows = Vec::new();
        // Two header lines.
        for line in file.lines().skip(2) {
            let (name, cache) = parse(line)?;
            if !self.filter.ignores(name) {
                rows.push(([name], cache));
            }
        }
        out.table(&COLUMNS, &rows);
        Ok(())
    }
}

/// A line of the file, without tunables and slab counts.
fn parse(mut line: Fields<'_>) -> Result<(&str, Cache), Error> {
    let name = line.word("the name of a cache")?;
    let cache = Cache {
        active_objects: line.number("objects in use")?,
        objects: line.number("objects")?,
        object_size: line.number("the size of an object")?,
        objects_per_slab: line.number("objects per slab")?,
        pages_per_slab: line.number("pages per slab")?,
    };
    Ok((name, cache))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        let line = "kmalloc-8k 132 148 8192 4 8 : tunables 0 0 0 : slabdata 37 37 0";
        let cache = Cache {
            active_objects: 132,
            objects: 148,
            object_size: 8192,
            objects_per_slab: 4,
            pages_per_slab: 8,
        };
        assert_eq!(parse(Fields::from_line(line)).unwrap(), ("kmalloc-8k", cache));
        for line in ["", "kmalloc-8k", "kmalloc-8k 1 2 3 4", "kmalloc-8k 1 2 x 4 5"] {
            assert!(parse(Fields::from_line(line)).is_err(), "{line}");
        }
    }
}
