//! The families, by the files and lines that they are filled from.

use exporter_core::desc::Desc;

use crate::attributes::{Attributes, attribute};

const BACKING_LABELS: [&str; 2] = ["backing_device", "uuid"];
const CACHE_LABELS: [&str; 2] = ["cache_device", "uuid"];

pub(super) static SET: Attributes<1, 10> = Attributes([
    attribute(
        "average_key_size",
        Desc::gauge(
            "node_bcache_average_key_size_sectors",
            "Average data in a key of the tree.",
            ["uuid"],
        ),
    ),
    attribute(
        "btree_cache_size",
        Desc::gauge(
            "node_bcache_btree_cache_size_bytes",
            "Memory that the cache of the tree takes.",
            ["uuid"],
        ),
    ),
    attribute(
        "cache_available_percent",
        Desc::gauge(
            "node_bcache_cache_available_percent",
            "Percentage of the cache that has no dirty data and can be used.",
            ["uuid"],
        ),
    ),
    attribute(
        "congested",
        Desc::gauge("node_bcache_congested", "Whether the cache is congested.", ["uuid"]),
    ),
    attribute(
        "root_usage_percent",
        Desc::gauge(
            "node_bcache_root_usage_percent",
            "Percentage of the root node of the tree in use.",
            ["uuid"],
        ),
    ),
    attribute(
        "tree_depth",
        Desc::gauge("node_bcache_tree_depth", "Depth of the tree without its leaves.", ["uuid"]),
    ),
    attribute(
        "internal/active_journal_entries",
        Desc::gauge(
            "node_bcache_active_journal_entries",
            "Entries in the journal that are newer than the index.",
            ["uuid"],
        ),
    ),
    attribute(
        "internal/btree_nodes",
        Desc::gauge("node_bcache_btree_nodes", "Nodes in the tree.", ["uuid"]),
    ),
    attribute(
        "internal/btree_read_average_duration_us",
        Desc::gauge(
            "node_bcache_btree_read_average_duration_seconds",
            "Average time to read a node of the tree, divided by 1000.",
            ["uuid"],
        ),
    )
    .scaled(nanoseconds),
    attribute(
        "internal/cache_read_races",
        Desc::counter(
            "node_bcache_cache_read_races_total",
            "Reads from the cache whose bucket was reused in the meantime.",
            ["uuid"],
        ),
    ),
]);

pub(super) static BACKING: Attributes<2, 7> = Attributes([
    attribute(
        "dirty_data",
        Desc::gauge(
            "node_bcache_dirty_data_bytes",
            "Data in the cache that is not on the disk yet.",
            BACKING_LABELS,
        ),
    ),
    attribute(
        "stats_total/bypassed",
        Desc::counter(
            "node_bcache_bypassed_bytes_total",
            "Data that bypassed the cache.",
            BACKING_LABELS,
        ),
    ),
    attribute(
        "stats_total/cache_bypass_hits",
        Desc::counter(
            "node_bcache_cache_bypass_hits_total",
            "Hits of requests that bypass the cache.",
            BACKING_LABELS,
        ),
    ),
    attribute(
        "stats_total/cache_bypass_misses",
        Desc::counter(
            "node_bcache_cache_bypass_misses_total",
            "Misses of requests that bypass the cache.",
            BACKING_LABELS,
        ),
    ),
    attribute(
        "stats_total/cache_hits",
        Desc::counter(
            "node_bcache_cache_hits_total",
            "Requests that the cache answered.",
            BACKING_LABELS,
        ),
    ),
    attribute(
        "stats_total/cache_miss_collisions",
        Desc::counter(
            "node_bcache_cache_miss_collisions_total",
            "Misses that were not cached because the data was written in the meantime.",
            BACKING_LABELS,
        ),
    ),
    attribute(
        "stats_total/cache_misses",
        Desc::counter(
            "node_bcache_cache_misses_total",
            "Requests that the cache did not answer.",
            BACKING_LABELS,
        ),
    ),
]);

pub(super) static READAHEADS: Attributes<2, 1> = Attributes([attribute(
    "stats_total/cache_readaheads",
    Desc::counter(
        "node_bcache_cache_readaheads_total",
        "Readaheads; only present if there were any.",
        BACKING_LABELS,
    ),
)]);

pub(super) static DEBUG: Attributes<2, 5> = Attributes([
    attribute(
        "rate",
        Desc::gauge(
            "node_bcache_writeback_rate",
            "Writeback rate in bytes per second.",
            BACKING_LABELS,
        ),
    ),
    attribute(
        "target",
        Desc::gauge(
            "node_bcache_dirty_target_bytes",
            "Target amount of dirty data.",
            BACKING_LABELS,
        ),
    ),
    attribute(
        "proportional",
        Desc::gauge(
            "node_bcache_writeback_rate_proportional_term",
            "Proportional term of the writeback rate.",
            BACKING_LABELS,
        ),
    ),
    attribute(
        "integral",
        Desc::gauge(
            "node_bcache_writeback_rate_integral_term",
            "Integral term of the writeback rate.",
            BACKING_LABELS,
        ),
    ),
    attribute(
        "change",
        Desc::gauge(
            "node_bcache_writeback_change",
            "Last change of the writeback rate, in bytes per second.",
            BACKING_LABELS,
        ),
    ),
]);

pub(super) static CACHE: Attributes<2, 3> = Attributes([
    attribute(
        "io_errors",
        Desc::gauge(
            "node_bcache_io_errors",
            "Errors of the cache device, weighted by age.",
            CACHE_LABELS,
        ),
    ),
    attribute(
        "metadata_written",
        Desc::counter(
            "node_bcache_metadata_written_bytes_total",
            "Metadata written to the cache device.",
            CACHE_LABELS,
        ),
    ),
    attribute(
        "written",
        Desc::counter(
            "node_bcache_written_bytes_total",
            "Data written to the cache device.",
            CACHE_LABELS,
        ),
    ),
]);

pub(super) static PRIORITIES: Attributes<2, 2> = Attributes([
    attribute(
        "Unused",
        Desc::gauge(
            "node_bcache_priority_stats_unused_percent",
            "Percentage of the cache that is unused.",
            CACHE_LABELS,
        ),
    ),
    attribute(
        "Metadata",
        Desc::gauge(
            "node_bcache_priority_stats_metadata_percent",
            "Percentage of the cache that holds metadata.",
            CACHE_LABELS,
        ),
    ),
]);

/// The kernel counts in microseconds. The value is divided by a further thousand, because rules and
/// dashboards rely on it.
fn nanoseconds(value: f64) -> f64 {
    value * 1e-9
}
