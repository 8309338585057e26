//! Size of file systems and the space available in them. `sysinfo` does not know how much of the
//! free space is reserved for root, so there is no `node_filesystem_free_bytes`.

use std::collections::BTreeMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use sysinfo::{DiskRefreshKind, Disks};

use super::Definition;
use crate::filter::Filter;

pub(super) static DEFINITION: Definition =
    Definition::new("filesystem", "File system space", |(), flags| {
        Ok(Source::blocking(Filesystem {
            mounts: Filter::one_of(flags, &MOUNTS_INCLUDE, &MOUNTS_EXCLUDE)?
                .of_mount_points(flags)?,
            types: Filter::one_of(flags, &TYPES_INCLUDE, &TYPES_EXCLUDE)?,
        }))
    })
    .flags(&[&MOUNTS_EXCLUDE, &MOUNTS_INCLUDE, &TYPES_EXCLUDE, &TYPES_INCLUDE])
    .metrics(&[&COLUMNS]);

static MOUNTS_EXCLUDE: Flag = Flag::text(
    "collector.filesystem.mount-points-exclude",
    "^/dev($|/)",
    "Mount points to leave out (pattern); not together with mount-points-include.",
);
static MOUNTS_INCLUDE: Flag = Flag::text(
    "collector.filesystem.mount-points-include",
    "",
    "Mount points to expose, and no others (pattern); not together with mount-points-exclude.",
);
static TYPES_EXCLUDE: Flag = Flag::text(
    "collector.filesystem.fs-types-exclude",
    "^(autofs|devfs)$",
    "File system types to leave out (pattern); not together with fs-types-include.",
);
static TYPES_INCLUDE: Flag = Flag::text(
    "collector.filesystem.fs-types-include",
    "",
    "File system types to expose, and no others (pattern); not together with fs-types-exclude.",
);

static COLUMNS: [Column<Space, 3>; 2] = [
    Desc::gauge("node_filesystem_size_bytes", "Size of the file system.", LABELS)
        .column(|space| Some(space.size as f64)),
    Desc::gauge(
        "node_filesystem_avail_bytes",
        "Space that is free for users other than root.",
        LABELS,
    )
    .column(|space| Some(space.available as f64)),
];

const LABELS: [&str; 3] = ["device", "mountpoint", "fstype"];

/// In bytes.
#[derive(Clone, Copy)]
struct Space {
    size: u64,
    available: u64,
}

struct Filesystem {
    mounts: Filter,
    types: Filter,
}

impl Collector for Filesystem {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let kind = DiskRefreshKind::nothing().with_storage();
        let disks = Disks::new_with_refreshed_list_specifics(kind).map_err(Error::other)?;
        // By labels: a file system may be mounted twice at the same mount point.
        let mut spaces = BTreeMap::new();
        for disk in &disks {
            let space = Space { size: disk.total_space(), available: disk.available_space() };
            let labels = [disk.name(), disk.mount_point().as_os_str(), disk.file_system()]
                .map(|label| label.to_string_lossy());
            let [_, mount_point, fs_type] = &labels;
            // The size is 0 if it is unknown.
            if space.size > 0
                && !self.mounts.ignores(mount_point.as_bytes())
                && !self.types.ignores(fs_type.as_bytes())
            {
                spaces.insert(labels, space);
            }
        }
        let rows: Vec<_> = spaces
            .iter()
            .map(|(labels, space)| (labels.each_ref().map(AsRef::as_ref), *space))
            .collect();
        out.table(&COLUMNS, &rows);
        Ok(())
    }
}
