//! Memory usage: `/proc/meminfo`.
//!
//! See `proc_meminfo(5)`. Fields differ between kernels; unlisted fields are left out.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, Host};

pub(super) static DEFINITION: Definition =
    Definition::new("meminfo", "Memory use", |host, _| Ok(Source::blocking(Meminfo(host.clone()))))
        .cost("one file")
        .reads(&["/proc/meminfo"])
        .metrics(&[&FIELDS]);

/// The fields that are exposed and their families, in the order of the file.
#[rustfmt::skip] // one field a line
static FIELDS: [(&str, Desc<'static>); 51] = [
    ("MemTotal", Desc::gauge("node_memory_MemTotal_bytes", "Memory that the kernel can use.", [])),
    ("MemFree", Desc::gauge("node_memory_MemFree_bytes", "Unused memory.", [])),
    ("MemAvailable", Desc::gauge("node_memory_MemAvailable_bytes", "Memory that new programs can have without swapping.", [])),
    ("Buffers", Desc::gauge("node_memory_Buffers_bytes", "Cache of raw block devices.", [])),
    ("Cached", Desc::gauge("node_memory_Cached_bytes", "Cache of files, with tmpfs and shared memory.", [])),
    ("SwapCached", Desc::gauge("node_memory_SwapCached_bytes", "Memory that was swapped in, but is still in swap.", [])),
    ("Active", Desc::gauge("node_memory_Active_bytes", "Recently used memory.", [])),
    ("Inactive", Desc::gauge("node_memory_Inactive_bytes", "Memory not used recently, which is reclaimed first.", [])),
    ("Active(anon)", Desc::gauge("node_memory_Active_anon_bytes", "Recently used anonymous memory.", [])),
    ("Inactive(anon)", Desc::gauge("node_memory_Inactive_anon_bytes", "Anonymous memory not used recently.", [])),
    ("Active(file)", Desc::gauge("node_memory_Active_file_bytes", "Recently used file cache.", [])),
    ("Inactive(file)", Desc::gauge("node_memory_Inactive_file_bytes", "File cache not used recently.", [])),
    ("Unevictable", Desc::gauge("node_memory_Unevictable_bytes", "Memory that cannot be reclaimed.", [])),
    ("Mlocked", Desc::gauge("node_memory_Mlocked_bytes", "Memory locked with mlock(2).", [])),
    ("SwapTotal", Desc::gauge("node_memory_SwapTotal_bytes", "Swap space.", [])),
    ("SwapFree", Desc::gauge("node_memory_SwapFree_bytes", "Unused swap space.", [])),
    ("Zswap", Desc::gauge("node_memory_Zswap_bytes", "Memory used by compressed swap (zswap).", [])),
    ("Zswapped", Desc::gauge("node_memory_Zswapped_bytes", "Uncompressed size of the memory in zswap.", [])),
    ("Dirty", Desc::gauge("node_memory_Dirty_bytes", "Memory waiting to be written to disk.", [])),
    ("Writeback", Desc::gauge("node_memory_Writeback_bytes", "Memory being written to disk.", [])),
    ("AnonPages", Desc::gauge("node_memory_AnonPages_bytes", "Anonymous memory mapped by processes.", [])),
    ("Mapped", Desc::gauge("node_memory_Mapped_bytes", "Files mapped by processes.", [])),
    ("Shmem", Desc::gauge("node_memory_Shmem_bytes", "Shared memory and tmpfs.", [])),
    ("Slab", Desc::gauge("node_memory_Slab_bytes", "Caches of the kernel's own structures.", [])),
    ("SReclaimable", Desc::gauge("node_memory_SReclaimable_bytes", "Slab that can be reclaimed.", [])),
    ("SUnreclaim", Desc::gauge("node_memory_SUnreclaim_bytes", "Slab that cannot be reclaimed.", [])),
    ("KernelStack", Desc::gauge("node_memory_KernelStack_bytes", "Kernel stacks of all threads.", [])),
    ("PageTables", Desc::gauge("node_memory_PageTables_bytes", "Page tables.", [])),
    ("NFS_Unstable", Desc::gauge("node_memory_NFS_Unstable_bytes", "Pages sent to an NFS server but not yet stable; always 0 since Linux 5.8.", [])),
    ("Bounce", Desc::gauge("node_memory_Bounce_bytes", "Bounce buffers of block devices.", [])),
    ("WritebackTmp", Desc::gauge("node_memory_WritebackTmp_bytes", "Temporary buffers of FUSE for writing back.", [])),
    ("CommitLimit", Desc::gauge("node_memory_CommitLimit_bytes", "Memory that may be committed if overcommit is off.", [])),
    ("Committed_AS", Desc::gauge("node_memory_Committed_AS_bytes", "Committed memory: allocations of programs, used or not.", [])),
    ("VmallocTotal", Desc::gauge("node_memory_VmallocTotal_bytes", "Address space of vmalloc.", [])),
    ("VmallocUsed", Desc::gauge("node_memory_VmallocUsed_bytes", "Address space of vmalloc that is used.", [])),
    ("VmallocChunk", Desc::gauge("node_memory_VmallocChunk_bytes", "Largest free block of vmalloc; always 0 since Linux 4.4.", [])),
    ("Percpu", Desc::gauge("node_memory_Percpu_bytes", "Memory of the per-CPU allocator.", [])),
    ("HardwareCorrupted", Desc::gauge("node_memory_HardwareCorrupted_bytes", "Memory disabled because of hardware errors.", [])),
    ("AnonHugePages", Desc::gauge("node_memory_AnonHugePages_bytes", "Anonymous memory in huge pages.", [])),
    ("ShmemHugePages", Desc::gauge("node_memory_ShmemHugePages_bytes", "Shared memory and tmpfs in huge pages.", [])),
    ("ShmemPmdMapped", Desc::gauge("node_memory_ShmemPmdMapped_bytes", "Shared memory mapped as huge pages.", [])),
    ("CmaTotal", Desc::gauge("node_memory_CmaTotal_bytes", "Memory of the contiguous memory allocator.", [])),
    ("CmaFree", Desc::gauge("node_memory_CmaFree_bytes", "Memory of the contiguous memory allocator that is free.", [])),
    ("HugePages_Total", Desc::gauge("node_memory_HugePages_Total", "Huge pages in the pool.", [])),
    ("HugePages_Free", Desc::gauge("node_memory_HugePages_Free", "Huge pages in the pool that are not allocated.", [])),
    ("HugePages_Rsvd", Desc::gauge("node_memory_HugePages_Rsvd", "Huge pages reserved, but not yet allocated.", [])),
    ("HugePages_Surp", Desc::gauge("node_memory_HugePages_Surp", "Huge pages above the size of the pool.", [])),
    ("Hugepagesize", Desc::gauge("node_memory_Hugepagesize_bytes", "Size of a huge page.", [])),
    ("DirectMap4k", Desc::gauge("node_memory_DirectMap4k_bytes", "Memory that the kernel maps in pages of 4 kB.", [])),
    ("DirectMap2M", Desc::gauge("node_memory_DirectMap2M_bytes", "Memory that the kernel maps in pages of 2 MB.", [])),
    ("DirectMap1G", Desc::gauge("node_memory_DirectMap1G_bytes", "Memory that the kernel maps in pages of 1 GB.", [])),
];

struct Meminfo(Host);

impl Collector for Meminfo {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc_single_record("meminfo")?;
        let mut expected_index = 0;
        for mut line in file.lines() {
            let Some(field) = line.optional().and_then(|field| field.strip_suffix(':')) else {
                continue;
            };
            if let Some((index, desc)) = find(field, expected_index) {
                out.family(desc).sample([], value(line)?);
                expected_index = index + 1;
            }
        }
        if expected_index == 0 {
            Err(file.parse_error("fields such as `MemTotal: 1024 kB`"))
        } else {
            Ok(())
        }
    }
}

/// Finds a field in the list, starting at its expected position.
fn find(field: &str, expected_index: usize) -> Option<(usize, &'static Desc<'static>)> {
    let (before, after) = FIELDS.split_at_checked(expected_index)?;
    let mut fields = (expected_index..).zip(after).chain((0..).zip(before));
    fields.find(|(_, (name, _))| *name == field).map(|(index, (_, desc))| (index, desc))
}

/// Fields that are not in kB are numbers of pages, or plain numbers.
fn value(mut line: Fields<'_>) -> Result<f64, Error> {
    let value: u64 = line.number("a number")?;
    match line.optional() {
        None => Ok(value as f64),
        Some("kB") => Ok(value as f64 * 1024.0),
        Some(_) => Err(line.parse_error("kB or no unit")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_from_any_position() {
        for expected_index in [0, 1, 50, 51] {
            for (index, (field, _)) in FIELDS.iter().enumerate() {
                assert_eq!(find(field, expected_index).map(|(index, _)| index), Some(index));
            }
            assert!(find("KReclaimable", expected_index).is_none());
        }
    }

    #[test]
    fn values_are_converted() {
        for (line, expected) in [
            ("4 kB", Some(4096.0)),
            ("4", Some(4.0)),
            ("", None),
            ("-1 kB", None),
            ("x kB", None),
            ("4 MB", None),
        ] {
            assert_eq!(value(Fields::from_line(line)).ok(), expected, "{line}");
        }
    }
}
