//! Resource usage and limits of each control group: the files of cgroup v2, see
//! `Documentation/admin-guide/cgroup-v2.rst`. With systemd, a control group is a
//! service, a slice or a scope; a container is a scope.

mod families;
mod usage;

use std::collections::HashMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use super::Definition;
use crate::filter::Filter;
use crate::host::{Host, if_exists};
use usage::Usage;

pub(super) static DEFINITION: Definition = Definition::new(
    "cgroup2",
    "CPU, memory, I/O, tasks and pressure of control groups",
    |host, flags| Ok(Source::blocking(Cgroup2::new(host, flags)?)),
)
.cost("up to 15 small files per group; bounded by --collector.cgroup2.max")
.off_by_default()
.reads(&["/sys/fs/cgroup"])
.flags(&[&INCLUDE, &EXCLUDE, &MAX_DEPTH, &MAX_GROUPS])
.metrics(&[
    &families::COLUMNS,
    &families::CPU,
    &families::MEMORY,
    &families::MEMORY_LIMIT,
    &families::MEMORY_EVENTS,
    &families::IO_BYTES,
    &families::IO_OPERATIONS,
    &families::WAITING,
    &families::STALLED,
    &OMITTED,
]);

static INCLUDE: Flag = Flag::text(
    "collector.cgroup2.include",
    "",
    "Control groups to expose: a regular expression over paths such as \
     /system.slice/cron.service.",
);
static EXCLUDE: Flag = Flag::text(
    "collector.cgroup2.exclude",
    "",
    "Control groups to leave out: a regular expression over paths.",
);
static MAX_DEPTH: Flag =
    Flag::text("collector.cgroup2.depth", "4", "Maximum depth of control groups.");
static MAX_GROUPS: Flag = Flag::text(
    "collector.cgroup2.max",
    "500",
    "Maximum number of control groups. Further ones are counted.",
);

static OMITTED: Desc =
    Desc::gauge("node_cgroup_left_out", "Control groups above --collector.cgroup2.max.", []);

struct Cgroup2 {
    host: Host,
    filter: Filter,
    max_depth: usize,
    max_groups: usize,
    /// Names of block devices by number, such as `8:0`.
    devices: HashMap<String, String>,
}

/// A control group and its resource usage.
type Row = (String, Usage);

impl Cgroup2 {
    fn new(host: &Host, flags: &Flags) -> Result<Self, Error> {
        Ok(Self {
            host: host.clone(),
            filter: Filter::new(flags, &INCLUDE, &EXCLUDE)?,
            max_depth: flags.parsed(&MAX_DEPTH, "a number of levels")?,
            max_groups: flags.parsed(&MAX_GROUPS, "a number of control groups")?,
            devices: HashMap::new(),
        })
    }

    /// The directory of the root group below sysfs.
    fn root(&self) -> Result<&'static str, Error> {
        // systemd mounts it at the second path if version 1 is in use.
        for root in ["fs/cgroup", "fs/cgroup/unified"] {
            let controllers = self.host.sys(format!("{root}/cgroup.controllers"));
            if if_exists(controllers)?.is_some() {
                return Ok(root);
            }
        }
        Err(Error::Absent("cgroup v2"))
    }

    /// The paths of the groups to expose, each with a leading slash, and the number of groups
    /// beyond the limit.
    fn groups(&self, root: &str) -> Result<(Vec<String>, usize), Error> {
        let (mut found, mut omitted) = (Vec::new(), 0_usize);
        let mut parents = vec![(String::new(), 0)];
        while let Some((parent, depth)) = parents.pop() {
            // The group may have ended meanwhile.
            let names = self.host.list_sys_directories(format!("{root}{parent}"));
            let Some(names) = if_exists(names)? else { continue };
            // Reversed, because the groups are popped from the end.
            for name in names.into_iter().rev() {
                if depth < self.max_depth {
                    parents.push((format!("{parent}/{name}"), depth + 1));
                }
            }
            if parent.is_empty() || self.filter.ignores(&parent) {
                continue;
            }
            if found.len() < self.max_groups {
                found.push(parent);
            } else {
                omitted += 1;
            }
        }
        Ok((found, omitted))
    }

    fn usages(&mut self, root: &str, groups: Vec<String>) -> (Vec<Row>, Result<(), Error>) {
        let mut result = Ok(());
        let mut rows = Vec::with_capacity(groups.len());
        for group in groups {
            match usage::read(&self.host, &format!("{root}{group}")) {
                Ok(mut usage) => {
                    for io in &mut usage.io {
                        io.device = self.device(&io.device);
                    }
                    rows.push((group, usage));
                }
                Err(error) => result = result.and(Err(error)),
            }
        }
        (rows, result)
    }

    /// The name of a block device, or its numbers if it has none.
    fn device(&mut self, numbers: &str) -> String {
        if let Some(name) = self.devices.get(numbers) {
            return name.clone();
        }
        let uevent = self.host.sys(format!("dev/block/{numbers}/uevent")).ok();
        let name = uevent
            .as_ref()
            .and_then(|file| file.text().lines().find_map(|line| line.strip_prefix("DEVNAME=")));
        let name = name.unwrap_or(numbers).to_owned();
        self.devices.insert(numbers.to_owned(), name.clone());
        name
    }
}

impl Collector for Cgroup2 {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let root = self.root()?;
        let (groups, omitted) = self.groups(root)?;
        out.family(&OMITTED).sample([], omitted as f64);
        let (rows, result) = self.usages(root, groups);
        families::write(out, &rows);
        result
    }
}

#[cfg(test)]
mod tests;
