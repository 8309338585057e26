//! Statistics of XFS file systems: `/sys/fs/xfs/*/stats/stats`, see the kernel's
//! `fs/xfs/xfs_stats.h`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::attributes::{Attributes, Values, attribute, each};
use crate::host::{File, Host, if_exists};

pub(super) static DEFINITION: Definition =
    Definition::new("xfs", "XFS file systems", |host, _| Ok(Source::blocking(Xfs(host.clone()))))
        .cost("one small file per file system")
        .reads(&["/sys/fs/xfs/*/stats/stats"])
        .metrics(&[&COUNTS]);

const DEVICE: [&str; 1] = ["device"];

/// By the name of the line and the index in it.
static COUNTS: Attributes<1, 39> = Attributes([
    attribute(
        "extent_alloc 0",
        Desc::counter(
            "node_xfs_extent_allocation_extents_allocated_total",
            "Extents allocated.",
            DEVICE,
        ),
    ),
    attribute(
        "extent_alloc 1",
        Desc::counter(
            "node_xfs_extent_allocation_blocks_allocated_total",
            "Blocks allocated.",
            DEVICE,
        ),
    ),
    attribute(
        "extent_alloc 2",
        Desc::counter("node_xfs_extent_allocation_extents_freed_total", "Extents freed.", DEVICE),
    ),
    attribute(
        "extent_alloc 3",
        Desc::counter("node_xfs_extent_allocation_blocks_freed_total", "Blocks freed.", DEVICE),
    ),
    attribute(
        "abt 0",
        Desc::counter(
            "node_xfs_allocation_btree_lookups_total",
            "Lookups in the trees of free space.",
            DEVICE,
        ),
    ),
    attribute(
        "abt 1",
        Desc::counter(
            "node_xfs_allocation_btree_compares_total",
            "Comparisons in the trees of free space.",
            DEVICE,
        ),
    ),
    attribute(
        "abt 2",
        Desc::counter(
            "node_xfs_allocation_btree_records_inserted_total",
            "Records inserted into the trees of free space.",
            DEVICE,
        ),
    ),
    attribute(
        "abt 3",
        Desc::counter(
            "node_xfs_allocation_btree_records_deleted_total",
            "Records taken out of the trees of free space.",
            DEVICE,
        ),
    ),
    attribute(
        "bmbt 0",
        Desc::counter(
            "node_xfs_block_map_btree_lookups_total",
            "Lookups in the trees of block maps.",
            DEVICE,
        ),
    ),
    attribute(
        "bmbt 1",
        Desc::counter(
            "node_xfs_block_map_btree_compares_total",
            "Comparisons in the trees of block maps.",
            DEVICE,
        ),
    ),
    attribute(
        "bmbt 2",
        Desc::counter(
            "node_xfs_block_map_btree_records_inserted_total",
            "Records inserted into the trees of block maps.",
            DEVICE,
        ),
    ),
    attribute(
        "bmbt 3",
        Desc::counter(
            "node_xfs_block_map_btree_records_deleted_total",
            "Records taken out of the trees of block maps.",
            DEVICE,
        ),
    ),
    attribute(
        "blk_map 0",
        Desc::counter("node_xfs_block_mapping_reads_total", "Block maps read.", DEVICE),
    ),
    attribute(
        "blk_map 1",
        Desc::counter("node_xfs_block_mapping_writes_total", "Block maps written.", DEVICE),
    ),
    attribute(
        "blk_map 2",
        Desc::counter("node_xfs_block_mapping_unmaps_total", "Blocks unmapped.", DEVICE),
    ),
    attribute(
        "blk_map 3",
        Desc::counter(
            "node_xfs_block_mapping_extent_list_insertions_total",
            "Extents inserted into lists.",
            DEVICE,
        ),
    ),
    attribute(
        "blk_map 4",
        Desc::counter(
            "node_xfs_block_mapping_extent_list_deletions_total",
            "Extents taken out of lists.",
            DEVICE,
        ),
    ),
    attribute(
        "blk_map 5",
        Desc::counter(
            "node_xfs_block_mapping_extent_list_lookups_total",
            "Lookups in lists of extents.",
            DEVICE,
        ),
    ),
    attribute(
        "blk_map 6",
        Desc::counter(
            "node_xfs_block_mapping_extent_list_compares_total",
            "Comparisons in lists of extents.",
            DEVICE,
        ),
    ),
    attribute(
        "dir 0",
        Desc::counter(
            "node_xfs_directory_operation_lookup_total",
            "Names looked up in directories.",
            DEVICE,
        ),
    ),
    attribute(
        "dir 1",
        Desc::counter(
            "node_xfs_directory_operation_create_total",
            "Entries created in directories.",
            DEVICE,
        ),
    ),
    attribute(
        "dir 2",
        Desc::counter(
            "node_xfs_directory_operation_remove_total",
            "Entries removed from directories.",
            DEVICE,
        ),
    ),
    attribute(
        "dir 3",
        Desc::counter("node_xfs_directory_operation_getdents_total", "Directories listed.", DEVICE),
    ),
    attribute(
        "ig 0",
        Desc::counter(
            "node_xfs_inode_operation_attempts_total",
            "Inodes looked for in the cache.",
            DEVICE,
        ),
    ),
    attribute(
        "ig 1",
        Desc::counter("node_xfs_inode_operation_found_total", "Inodes found in the cache.", DEVICE),
    ),
    attribute(
        "ig 2",
        Desc::counter(
            "node_xfs_inode_operation_recycled_total",
            "Inodes found in the cache that were being reclaimed.",
            DEVICE,
        ),
    ),
    attribute(
        "ig 3",
        Desc::counter(
            "node_xfs_inode_operation_missed_total",
            "Inodes not found in the cache.",
            DEVICE,
        ),
    ),
    attribute(
        "ig 4",
        Desc::counter(
            "node_xfs_inode_operation_duplicates_total",
            "Inodes that another process inserted into the cache in the meantime.",
            DEVICE,
        ),
    ),
    attribute(
        "ig 5",
        Desc::counter(
            "node_xfs_inode_operation_reclaims_total",
            "Inodes taken out of the cache.",
            DEVICE,
        ),
    ),
    attribute(
        "ig 6",
        Desc::counter(
            "node_xfs_inode_operation_attribute_changes_total",
            "Changes of attributes of inodes.",
            DEVICE,
        ),
    ),
    attribute("rw 0", Desc::counter("node_xfs_write_calls_total", "Writes.", DEVICE)),
    attribute("rw 1", Desc::counter("node_xfs_read_calls_total", "Reads.", DEVICE)),
    attribute(
        "vnodes 0",
        Desc::counter("node_xfs_vnode_active_total", "Inodes in use; it falls as well.", DEVICE),
    ),
    attribute(
        "vnodes 1",
        Desc::counter("node_xfs_vnode_allocate_total", "Inodes allocated.", DEVICE),
    ),
    attribute("vnodes 2", Desc::counter("node_xfs_vnode_get_total", "Inodes got.", DEVICE)),
    attribute("vnodes 3", Desc::counter("node_xfs_vnode_hold_total", "Inodes held.", DEVICE)),
    attribute(
        "vnodes 4",
        Desc::counter("node_xfs_vnode_release_total", "Inodes released.", DEVICE),
    ),
    attribute(
        "vnodes 5",
        Desc::counter("node_xfs_vnode_reclaim_total", "Inodes reclaimed.", DEVICE),
    ),
    attribute("vnodes 6", Desc::counter("node_xfs_vnode_remove_total", "Inodes removed.", DEVICE)),
]);

struct Xfs(Host);

impl Collector for Xfs {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        // Without the module the directory does not exist, and there is nothing to report.
        let devices = if_exists(self.0.devices("fs/xfs"))?.unwrap_or_default();
        let (systems, result) = each(devices, |_, device| {
            let file = if_exists(device.file("stats/stats"))?;
            file.map(|file| counts(&file)).transpose()
        });
        let rows: Vec<_> = systems
            .iter()
            .filter_map(|(name, counts)| Some(([name.as_str()], (*counts)?)))
            .collect();
        COUNTS.expose(out, &rows);
        result
    }
}

/// The counts of one file system, without lines that older kernels do not have.
fn counts(file: &File) -> Result<Values<39>, Error> {
    COUNTS.values(|key| {
        let (name, column) = key.split_once(' ').unwrap_or_default();
        let line = file.lines().find_map(|mut line| (line.optional()? == name).then_some(line));
        let Some(mut line) = line else { return Ok(None) };
        line.skip(column.parse().unwrap_or_default());
        Ok(Some(line.number::<u64>("a count for each column of the line")? as f64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kernels_are_parsed() {
        for (text, expected) in [
            ("extent_alloc 1 872 0 3\nrw 28 5\n", Some((Some(872.0), Some(5.0)))),
            ("rw 28 5 7\nqm 0\n", Some((None, Some(5.0)))),
            ("extent_alloc 1 872 0 18446744073709551615\n", Some((Some(872.0), None))),
            ("", Some((None, None))),
            ("\n\nrw\n", None),
            ("rw 28\n", None),
            ("extent_alloc 1 -2 0 3\n", None),
            ("extent_alloc 1 x 0 3\n", None),
        ] {
            let counts = counts(&File::from_text(text)).ok();
            let read = COUNTS.position("rw 1").unwrap();
            assert_eq!(counts.map(|counts| (counts[1], counts[read])), expected, "{text}");
        }
    }
}
