//! Size and free space of file systems: `/proc/1/mountinfo` and statfs(2) on each of them.
//!
//! statfs on a mount whose server is gone may never return, and a thread in this call cannot be
//! interrupted. Therefore [`probers`] query mounts that may hang: child processes that can be
//! abandoned.

pub(crate) mod prober;
mod probers;

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map;
use std::path::PathBuf;
use std::time::Duration;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use self::prober::{Reply, Space};
use self::probers::{Probers, Query};
use super::Definition;
use crate::filter::{self, Filter};
use crate::host::{self, Host};
use crate::proc::mounts::{self, Mount};

pub(super) static DEFINITION: Definition =
    Definition::new("filesystem", "File system space", |host, flags| {
        Ok(Source::blocking(Filesystem::new(host, flags, Probers::default())?))
    })
    .cost("one file with a line per mount, and a system call per mount")
    .rights("no rights, but mounts hidden by the sandbox of a unit are not seen")
    .reads(&["/proc/1/mountinfo", "/proc/self/mountinfo"])
    .flags(&[
        &MOUNTS_EXCLUDE,
        &MOUNTS_INCLUDE,
        &TYPES_EXCLUDE,
        &TYPES_INCLUDE,
        &MOUNTS_IGNORED,
        &TYPES_IGNORED,
        &TIMEOUT,
        &WORKERS,
    ])
    .metrics(&[&COLUMNS, &MOUNT_INFO]);

static MOUNTS_EXCLUDE: Flag = Flag::text(
    "collector.filesystem.mount-points-exclude",
    "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
    "Mount points to leave out (pattern); not together with mount-points-include.",
);
static MOUNTS_INCLUDE: Flag = Flag::text(
    "collector.filesystem.mount-points-include",
    "",
    "Mount points to expose, and no others (pattern); not together with mount-points-exclude.",
);
static TYPES_EXCLUDE: Flag = Flag::text(
    "collector.filesystem.fs-types-exclude",
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$",
    "File system types to leave out (pattern); not together with fs-types-include.",
);
static TYPES_INCLUDE: Flag = Flag::text(
    "collector.filesystem.fs-types-include",
    "",
    "File system types to expose, and no others (pattern); not together with fs-types-exclude.",
);
static MOUNTS_IGNORED: Flag = Flag::text(
    "collector.filesystem.ignored-mount-points",
    "",
    "The old name of --collector.filesystem.mount-points-exclude.",
)
.hidden();
static TYPES_IGNORED: Flag = Flag::text(
    "collector.filesystem.ignored-fs-types",
    "",
    "The old name of --collector.filesystem.fs-types-exclude.",
)
.hidden();
static TIMEOUT: Flag = Flag::text(
    "collector.filesystem.mount-timeout",
    "5s",
    "How long to wait for mounts that do not answer; never longer than 3s.",
)
.hidden();
static WORKERS: Flag =
    Flag::text("collector.filesystem.stat-workers", "4", "Accepted, and without effect.").hidden();

static COLUMNS: [Column<Row, 4>; 8] = [
    Desc::gauge("node_filesystem_size_bytes", "Size of the file system.", LABELS)
        .column(|row| Some(row.space?.size)),
    Desc::gauge("node_filesystem_free_bytes", "Space that is free.", LABELS)
        .column(|row| Some(row.space?.free)),
    Desc::gauge(
        "node_filesystem_avail_bytes",
        "Space that is free for users other than root.",
        LABELS,
    )
    .column(|row| Some(row.space?.available)),
    Desc::gauge("node_filesystem_files", "Files that the file system can hold.", LABELS)
        .column(|row| Some(row.space?.files)),
    Desc::gauge("node_filesystem_files_free", "Files that can still be made.", LABELS)
        .column(|row| Some(row.space?.files_free)),
    Desc::gauge(
        "node_filesystem_purgeable_bytes",
        "Space that the system would free if it were needed; always 0 on Linux.",
        LABELS,
    )
    .column(|row| row.space.map(|_| 0.0)),
    Desc::gauge("node_filesystem_readonly", "Whether it cannot be written to.", LABELS)
        .column(|row| Some(f64::from(row.is_readonly))),
    Desc::gauge(
        "node_filesystem_device_error",
        "Whether querying the space of the file system failed or timed out.",
        LABELS,
    )
    .column(|row| Some(f64::from(row.space.is_none()))),
];

static MOUNT_INFO: Desc<4> = Desc::gauge(
    "node_filesystem_mount_info",
    "The number of the device that is mounted.",
    ["device", "major", "minor", "mountpoint"],
);

const LABELS: [&str; 4] = ["device", "mountpoint", "fstype", "device_error"];

/// The maximum time for all mounts together, well below the time limit of a collector.
const MAX_TIMEOUT: Duration = Duration::from_secs(3);

struct Filesystem {
    host: Host,
    mounts: Filter,
    types: Filter,
    timeout: Duration,
    probers: Probers,
}

/// The exposed data of a mount, for one set of labels.
struct Row {
    is_readonly: bool,
    /// `None` if there was an error.
    space: Option<Space>,
}

/// A mount that is exposed. If several have the same labels, it is the last one, which covers the
/// others.
struct ExposedMount<'a> {
    mount: Mount<'a>,
    /// The mount point as in the labels, relative to the root of the machine.
    point: Vec<u8>,
    /// The path for this process.
    path: PathBuf,
    may_hang: bool,
    /// The other devices among the mounts that it covers.
    covered: Vec<[&'a [u8]; 2]>,
}

impl Filesystem {
    fn new(host: &Host, flags: &Flags, probers: Probers) -> Result<Self, Error> {
        let mounts = filter::renamed_flag(flags, &MOUNTS_IGNORED, &MOUNTS_EXCLUDE)?;
        let types = filter::renamed_flag(flags, &TYPES_IGNORED, &TYPES_EXCLUDE)?;
        let timeout = flags.duration(&TIMEOUT)?;
        flags.parsed::<i64>(&WORKERS, "a number")?;
        Ok(Self {
            host: host.clone(),
            mounts: Filter::one_of(flags, &MOUNTS_INCLUDE, mounts)?.of_mount_points(flags)?,
            types: Filter::one_of(flags, &TYPES_INCLUDE, types)?,
            timeout: timeout.min(MAX_TIMEOUT),
            probers,
        })
    }
}

impl Collector for Filesystem {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let table = mounts::read(&self.host)?;
        let (mounts, result) = table.mounts();
        let exposed = self.exposed(&mounts);
        // Leaves time to expose the other mounts.
        let timeout = out.time_left().map_or(self.timeout, |left| self.timeout.min(left * 3 / 4));
        let (replies, query_result) = self.query_space(&exposed, timeout);

        let text = |bytes| String::from_utf8_lossy(bytes);
        let labels: Vec<_> = exposed
            .iter()
            .zip(&replies)
            .map(|(exposed_mount, reply)| {
                let error = match reply {
                    Some(Ok(_)) => Cow::Borrowed(""),
                    Some(Err(error)) => prober::error_label(*error),
                    None => Cow::Borrowed("mountpoint timeout"),
                };
                [
                    text(exposed_mount.mount.source),
                    text(&exposed_mount.point),
                    text(exposed_mount.mount.fstype),
                    error,
                ]
            })
            .collect();
        let rows: Vec<_> = labels
            .iter()
            .zip(exposed.iter().zip(&replies))
            .map(|(labels, (exposed_mount, reply))| {
                let row = Row {
                    is_readonly: exposed_mount.mount.is_readonly(),
                    space: reply.and_then(Result::ok),
                };
                (labels.each_ref().map(AsRef::as_ref), row)
            })
            .collect();
        out.table(&COLUMNS, &rows);

        let mut family = out.family(&MOUNT_INFO);
        for (([device, point, ..], row), exposed_mount) in rows.iter().zip(&exposed) {
            for [major, minor] in exposed_mount.covered.iter().chain([&exposed_mount.mount.device])
            {
                if row.space.is_some() {
                    family.sample([device, &text(major), &text(minor), point], 1.0);
                }
            }
        }
        result.and(query_result)
    }
}

impl Filesystem {
    /// The mounts that are not filtered out, one for each set of labels.
    fn exposed<'a>(&self, mounts: &[Mount<'a>]) -> Vec<ExposedMount<'a>> {
        let non_local_mounts = mounts::non_local_mounts(mounts);
        let mut exposed = Vec::<ExposedMount<'a>>::new();
        let mut indices = HashMap::new();
        for (index, mount) in mounts.iter().enumerate() {
            if self.types.ignores(mount.fstype) {
                continue;
            }
            let point = mounts::below(&self.host.rootfs, &mount.point_for_label());
            if self.mounts.ignores(&point) {
                continue;
            }
            match indices.entry((mount.source, mount.point, mount.fstype)) {
                hash_map::Entry::Vacant(entry) => {
                    entry.insert(exposed.len());
                }
                hash_map::Entry::Occupied(entry) => {
                    if let Some(exposed_mount) = exposed.get_mut(*entry.get()) {
                        exposed_mount.cover_with(*mount);
                    }
                    continue;
                }
            }
            let unescaped = mounts::below(&self.host.rootfs, &mount.point_unescaped());
            let relative = host::path_of(&unescaped);
            let path = self.host.rootfs.join(relative.strip_prefix("/").unwrap_or(relative));
            let may_hang = non_local_mounts.may_hang(index, mount);
            exposed.push(ExposedMount {
                mount: *mount,
                point,
                path,
                may_hang,
                covered: Vec::new(),
            });
        }
        exposed
    }

    /// Queries the space of each mount, by a prober if the mount may hang.
    fn query_space(
        &mut self,
        exposed: &[ExposedMount<'_>],
        timeout: Duration,
    ) -> (Vec<Option<Reply>>, Result<(), Error>) {
        let queries: Vec<_> = exposed
            .iter()
            .filter(|exposed_mount| exposed_mount.may_hang)
            .map(ExposedMount::to_query)
            .collect();
        let (replies, result) = self.probers.query(&queries, timeout);
        let mut replies = replies.into_iter();
        let mut reply = |exposed_mount: &ExposedMount<'_>| {
            if exposed_mount.may_hang {
                replies.next().flatten()
            } else {
                Some(prober::statfs(&exposed_mount.path))
            }
        };
        (exposed.iter().map(&mut reply).collect(), result)
    }
}

impl<'a> ExposedMount<'a> {
    /// Replaces the mount by a later one with the same labels, which covers it.
    fn cover_with(&mut self, mount: Mount<'a>) {
        if mount.device != self.mount.device {
            self.covered.push(self.mount.device);
            self.covered.retain(|device| *device != mount.device);
        }
        self.mount = mount;
    }

    fn to_query(&self) -> Query<'_> {
        // Mounts of one device hang together, unless only the path to them hangs.
        let [major, minor] = self.mount.device;
        let group = if mounts::is_local(self.mount.fstype) {
            self.point.clone()
        } else {
            [major, b":", minor].concat()
        };
        Query { path: &self.path, group }
    }
}

#[cfg(test)]
mod tests;
