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

use self::prober::{Answer, Space};
use self::probers::{Probers, Question};
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
        .column(|row| Some(f64::from(row.readonly))),
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

/// The longest that a scrape waits for all mounts together, so that it ends well within the
/// limit of a collector.
const LONGEST: Duration = Duration::from_secs(3);

struct Filesystem {
    host: Host,
    mounts: Filter,
    types: Filter,
    budget: Duration,
    probers: Probers,
}

/// The exposed data of a mount, for one set of labels.
struct Row {
    readonly: bool,
    /// `None` if there was an error.
    space: Option<Space>,
}

/// A mount, or several with the same labels: only the last of these is visible.
struct Place<'a> {
    mount: Mount<'a>,
    /// Below the root of the machine, as in the labels.
    point: Vec<u8>,
    /// The path for this process.
    path: PathBuf,
    may_hang: bool,
    /// Of those it covers that are other devices.
    covered: Vec<[&'a [u8]; 2]>,
}

impl Filesystem {
    fn new(host: &Host, flags: &Flags, probers: Probers) -> Result<Self, Error> {
        let mounts = filter::renamed(flags, &MOUNTS_IGNORED, &MOUNTS_EXCLUDE)?;
        let types = filter::renamed(flags, &TYPES_IGNORED, &TYPES_EXCLUDE)?;
        let timeout = flags.duration(&TIMEOUT)?;
        flags.parsed::<i64>(&WORKERS, "a number")?;
        Ok(Self {
            host: host.clone(),
            mounts: Filter::one_of(flags, &MOUNTS_INCLUDE, mounts)?.of_mount_points(flags)?,
            types: Filter::one_of(flags, &TYPES_INCLUDE, types)?,
            budget: timeout.min(LONGEST),
            probers,
        })
    }
}

impl Collector for Filesystem {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let table = mounts::read(&self.host)?;
        let (mounts, end) = table.mounts();
        let places = self.places(&mounts);
        // This leaves time to report the other mounts.
        let budget = out.time_left().map_or(self.budget, |left| self.budget.min(left * 3 / 4));
        let (answers, asked) = self.ask(&places, budget);

        let text = |bytes| String::from_utf8_lossy(bytes);
        let labels: Vec<_> = places
            .iter()
            .zip(&answers)
            .map(|(place, answer)| {
                let error = match answer {
                    Some(Ok(_)) => Cow::Borrowed(""),
                    Some(Err(error)) => prober::text(*error),
                    None => Cow::Borrowed("mountpoint timeout"),
                };
                [text(place.mount.source), text(&place.point), text(place.mount.fstype), error]
            })
            .collect();
        let rows: Vec<_> = labels
            .iter()
            .zip(places.iter().zip(&answers))
            .map(|(labels, (place, answer))| {
                let row =
                    Row { readonly: place.mount.is_readonly(), space: answer.and_then(Result::ok) };
                (labels.each_ref().map(AsRef::as_ref), row)
            })
            .collect();
        out.table(&COLUMNS, &rows);

        let mut family = out.family(&MOUNT_INFO);
        for (([device, point, ..], row), place) in rows.iter().zip(&places) {
            for [major, minor] in place.covered.iter().chain([&place.mount.device]) {
                if row.space.is_some() {
                    family.sample([device, &text(major), &text(minor), point], 1.0);
                }
            }
        }
        end.and(asked)
    }
}

impl Filesystem {
    /// The mounts that are not ignored, each set of labels once.
    fn places<'a>(&self, mounts: &[Mount<'a>]) -> Vec<Place<'a>> {
        let risky = mounts::risky(mounts);
        let mut places = Vec::<Place<'a>>::new();
        let mut seen = HashMap::new();
        for (nth, mount) in mounts.iter().enumerate() {
            if self.types.ignores(mount.fstype) {
                continue;
            }
            let point = mounts::below(&self.host.rootfs, &mount.point_for_label());
            if self.mounts.ignores(&point) {
                continue;
            }
            match seen.entry((mount.source, mount.point, mount.fstype)) {
                hash_map::Entry::Vacant(entry) => {
                    entry.insert(places.len());
                }
                hash_map::Entry::Occupied(entry) => {
                    if let Some(place) = places.get_mut(*entry.get()) {
                        place.cover_with(*mount);
                    }
                    continue;
                }
            }
            let real = mounts::below(&self.host.rootfs, &mount.point_unescaped());
            let inside = host::path_of(&real);
            let path = self.host.rootfs.join(inside.strip_prefix("/").unwrap_or(inside));
            let may_hang = risky.may_hang(nth, mount);
            places.push(Place { mount: *mount, point, path, may_hang, covered: Vec::new() });
        }
        places
    }

    /// Queries the space of each mount: directly if it cannot hang, otherwise by a prober.
    fn ask(
        &mut self,
        places: &[Place<'_>],
        budget: Duration,
    ) -> (Vec<Option<Answer>>, Result<(), Error>) {
        let questions: Vec<_> =
            places.iter().filter(|place| place.may_hang).map(Place::question).collect();
        let (answers, end) = self.probers.ask(&questions, budget);
        let mut answers = answers.into_iter();
        let mut answer = |place: &Place<'_>| {
            if place.may_hang {
                answers.next().flatten()
            } else {
                Some(prober::statfs(&place.path))
            }
        };
        (places.iter().map(&mut answer).collect(), end)
    }
}

impl<'a> Place<'a> {
    /// A later mount of the same labels lies on top.
    fn cover_with(&mut self, mount: Mount<'a>) {
        if mount.device != self.mount.device {
            self.covered.push(self.mount.device);
            self.covered.retain(|device| *device != mount.device);
        }
        self.mount = mount;
    }

    fn question(&self) -> Question<'_> {
        // Mounts of one device hang together, unless only the path to them hangs.
        let [major, minor] = self.mount.device;
        let together = if mounts::is_local(self.mount.fstype) {
            self.point.clone()
        } else {
            [major, b":", minor].concat()
        };
        Question { path: &self.path, together }
    }
}

#[cfg(test)]
mod tests;
