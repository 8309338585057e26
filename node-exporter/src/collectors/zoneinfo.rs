//! Memory zones: `/proc/zoneinfo`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, File, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("zoneinfo", "Memory zones", |host, _| {
        Ok(Source::blocking(Zoneinfo(host.clone())))
    })
    .cost("one file with about 60 lines per zone")
    .off_by_default()
    .reads(&["/proc/zoneinfo"])
    .metrics(&[&FIELDS, &Protection]);

const ZONE: [&str; 2] = ["node", "zone"];

/// By the name in the file. Values by node are in the first zone of the node.
#[rustfmt::skip] // one field a line
static FIELDS: [(&str, Desc<'static, 2>); FIELD_COUNT] = [
    ("nr_free_pages", Desc::gauge("node_zoneinfo_nr_free_pages", "Free pages.", ZONE)),
    ("min", Desc::gauge("node_zoneinfo_min_pages", "Watermark below which only some allocations may take pages.", ZONE)),
    ("low", Desc::gauge("node_zoneinfo_low_pages", "Watermark below which pages are reclaimed in the background.", ZONE)),
    ("high", Desc::gauge("node_zoneinfo_high_pages", "Watermark at which background reclaim stops.", ZONE)),
    ("scanned", Desc::gauge("node_zoneinfo_scanned_pages", "Pages scanned since the last reclaim. Up to Linux 4.7.", ZONE)),
    ("spanned", Desc::gauge("node_zoneinfo_spanned_pages", "Pages that the zone spans, holes among them.", ZONE)),
    ("present", Desc::gauge("node_zoneinfo_present_pages", "Physical pages of the zone.", ZONE)),
    ("managed", Desc::gauge("node_zoneinfo_managed_pages", "Pages that the buddy allocator manages.", ZONE)),
    ("nr_active_anon", Desc::gauge("node_zoneinfo_nr_active_anon_pages", "Anonymous pages used lately.", ZONE)),
    ("nr_inactive_anon", Desc::gauge("node_zoneinfo_nr_inactive_anon_pages", "Anonymous pages not used lately.", ZONE)),
    ("nr_isolated_anon", Desc::gauge("node_zoneinfo_nr_isolated_anon_pages", "Anonymous pages taken off their list for reclaim.", ZONE)),
    ("nr_anon_pages", Desc::gauge("node_zoneinfo_nr_anon_pages", "Anonymous pages.", ZONE)),
    ("nr_anon_transparent_hugepages", Desc::gauge("node_zoneinfo_nr_anon_transparent_hugepages", "Anonymous transparent huge pages.", ZONE)),
    ("nr_active_file", Desc::gauge("node_zoneinfo_nr_active_file_pages", "Pages of files used lately.", ZONE)),
    ("nr_inactive_file", Desc::gauge("node_zoneinfo_nr_inactive_file_pages", "Pages of files not used lately.", ZONE)),
    ("nr_isolated_file", Desc::gauge("node_zoneinfo_nr_isolated_file_pages", "Pages of files taken off their list for reclaim.", ZONE)),
    ("nr_file_pages", Desc::gauge("node_zoneinfo_nr_file_pages", "Pages of files.", ZONE)),
    ("nr_slab_reclaimable", Desc::gauge("node_zoneinfo_nr_slab_reclaimable_pages", "Slab pages that can be reclaimed.", ZONE)),
    ("nr_slab_unreclaimable", Desc::gauge("node_zoneinfo_nr_slab_unreclaimable_pages", "Slab pages that cannot be reclaimed.", ZONE)),
    ("nr_mlock_stack", Desc::gauge("node_zoneinfo_nr_mlock_stack_pages", "Locked pages found on a list and moved off it.", ZONE)),
    ("nr_kernel_stack", Desc::gauge("node_zoneinfo_nr_kernel_stacks", "Kernel stacks, in KiB.", ZONE)),
    ("nr_mapped", Desc::gauge("node_zoneinfo_nr_mapped_pages", "Mapped pages.", ZONE)),
    ("nr_dirty", Desc::gauge("node_zoneinfo_nr_dirty_pages", "Pages that wait to be written.", ZONE)),
    ("nr_writeback", Desc::gauge("node_zoneinfo_nr_writeback_pages", "Pages that are being written.", ZONE)),
    ("nr_unevictable", Desc::gauge("node_zoneinfo_nr_unevictable_pages", "Pages that cannot be evicted.", ZONE)),
    ("nr_shmem", Desc::gauge("node_zoneinfo_nr_shmem_pages", "Pages of shared memory and tmpfs.", ZONE)),
    ("nr_dirtied", Desc::counter("node_zoneinfo_nr_dirtied_total", "Pages dirtied since boot.", ZONE)),
    ("nr_written", Desc::counter("node_zoneinfo_nr_written_total", "Pages written since boot.", ZONE)),
    ("numa_hit", Desc::counter("node_zoneinfo_numa_hit_total", "Allocations on the node they were meant for.", ZONE)),
    ("numa_miss", Desc::counter("node_zoneinfo_numa_miss_total", "Allocations here that were meant for another node.", ZONE)),
    ("numa_foreign", Desc::counter("node_zoneinfo_numa_foreign_total", "Allocations meant for here that went to another node.", ZONE)),
    ("numa_interleave", Desc::counter("node_zoneinfo_numa_interleave_total", "Interleaved allocations that came here as planned.", ZONE)),
    ("numa_local", Desc::counter("node_zoneinfo_numa_local_total", "Allocations by processes on this node.", ZONE)),
    ("numa_other", Desc::counter("node_zoneinfo_numa_other_total", "Allocations by processes on other nodes.", ZONE)),
];

const FIELD_COUNT: usize = 34;

/// Pages reserved from allocations that could use a higher zone.
struct Protection;

const PROTECTION_HELP: &str = "Free pages above the watermark that an allocation meant for the higher zone of this number must leave.";

impl Describe for Protection {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let name = "node_zoneinfo_protection_<number>";
        visit(DynDesc::new(name, PROTECTION_HELP, Kind::Gauge, &ZONE));
    }
}

struct Zoneinfo(Host);

impl Collector for Zoneinfo {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc_long_lines("zoneinfo").or_absent("zoneinfo")?;
        let zones = parse(&file)?;
        for (index, (_, desc)) in FIELDS.iter().enumerate() {
            let mut family = out.family(desc);
            for zone in &zones {
                if let Some(Some(value)) = zone.fields.get(index) {
                    family.sample([zone.node, zone.name], *value as f64);
                }
            }
        }
        let numbers = zones.iter().map(|zone| zone.protection.len()).max().unwrap_or_default();
        for number in 0..numbers {
            let name = format!("node_zoneinfo_protection_{number}");
            let desc = Desc::try_new(&name, PROTECTION_HELP, Kind::Gauge, ZONE);
            let Some(desc) = desc else { continue };
            let mut family = out.family(&desc);
            for zone in &zones {
                if let Some(pages) = zone.protection.get(number) {
                    family.sample([zone.node, zone.name], *pages as f64);
                }
            }
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq)]
struct Zone<'a> {
    node: &'a str,
    name: &'a str,
    /// In the order of [`FIELDS`].
    fields: [Option<i64>; FIELD_COUNT],
    protection: Vec<i64>,
}

fn parse(file: &File) -> Result<Vec<Zone<'_>>, Error> {
    let mut zones = Vec::new();
    for mut line in file.lines() {
        let Some(key) = line.optional() else { continue };
        if key == "Node" {
            zones.push(zone(line)?);
            continue;
        }
        let Some(zone) = zones.last_mut() else { continue };
        if key == "protection:" {
            zone.protection = protection(&line)?;
        } else if let Some(index) = FIELDS.iter().position(|(name, _)| *name == key)
            && let Some(field) = zone.fields.get_mut(index)
        {
            *field = Some(line.number("a number")?);
        }
    }
    if zones.is_empty() {
        Err(file.parse_error("a line such as `Node 0, zone DMA`"))
    } else {
        Ok(zones)
    }
}

/// Parses the rest of a line such as `Node 0, zone   Normal`.
fn zone(mut line: Fields<'_>) -> Result<Zone<'_>, Error> {
    let expected = "a line such as `Node 0, zone DMA`";
    let node = line.word(expected)?.strip_suffix(',');
    let node = node.ok_or_else(|| line.parse_error(expected))?;
    line.skip(1);
    let name = line.word(expected)?;
    Ok(Zone { node, name, fields: [None; FIELD_COUNT], protection: Vec::new() })
}

/// Parses the rest of a line such as `protection: (0, 2039, 31932)`.
fn protection(line: &Fields<'_>) -> Result<Vec<i64>, Error> {
    /// More zones than any kernel has.
    const MAX_ZONES: usize = 16;
    let numbers = line.clone().words().take(MAX_ZONES);
    let numbers = numbers.map(|number| number.trim_matches(['(', ')', ',']).parse());
    numbers.collect::<Result<_, _>>().map_err(|_| line.parse_error("numbers such as (0, 2039)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_parsed() {
        let file = File::from_text(
            "Node 0, zone      DMA\n  per-node stats\n      nr_dirtied   7\n  pages free     2949\n\
             \x20       high     14\n        protection: (0, 2039)\n      nr_free_pages 2949\n\
             \x20 pagesets\n    cpu: 0\n              high:  5\nNode 1, zone   Normal\n",
        );
        let zones = parse(&file).unwrap();
        let fields = |zone: &Zone<'_>| {
            let fields = FIELDS.iter().zip(zone.fields);
            fields.filter_map(|((name, _), value)| Some((*name, value?))).collect::<Vec<_>>()
        };
        let [dma, normal] = &zones[..] else { panic!("{zones:?}") };
        assert_eq!((dma.node, dma.name), ("0", "DMA"));
        assert_eq!(fields(dma), [("nr_free_pages", 2949), ("high", 14), ("nr_dirtied", 7)]);
        assert_eq!(dma.protection, [0, 2039]);
        assert_eq!((normal.node, normal.name), ("1", "Normal"));
        assert_eq!(fields(normal), []);
    }

    #[test]
    fn invalid_files_are_errors() {
        for text in [
            "",
            "nr_free_pages 1\n",
            "Node\n",
            "Node 0 zone DMA\n",
            "Node 0, zone\n",
            "Node 0, zone DMA\n high x\n",
            "Node 0, zone DMA\n protection: (0, x)\n",
        ] {
            assert!(parse(&File::from_text(text)).is_err(), "{text}");
        }
    }
}
