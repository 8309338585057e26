//! The flags that belong to no collector: the roots of the machine's file systems, and what all
//! collectors expose or leave out.

#[cfg(target_os = "linux")]
use std::ffi::OsString;
#[cfg(target_os = "linux")]
use std::path::PathBuf;
use std::sync::Arc;

use exporter_core::collector::Error;
#[cfg(target_os = "linux")]
use exporter_core::file::FileCache;
use exporter_core::flags::{Flag, Flags};
use exporter_core::limits::OutputLimits;

#[cfg(target_os = "linux")]
use crate::dbus::Bus;
use crate::filter::{
    Filter, INTERFACES_EXCLUDE, INTERFACES_INCLUDE, MOUNT_POINTS_EXCLUDE, MOUNT_POINTS_INCLUDE,
};
#[cfg(target_os = "linux")]
use crate::host::{DeviceCache, Host};

#[cfg(target_os = "linux")]
pub(crate) static FLAGS: &[&Flag] = &[
    &PROCFS,
    &SYSFS,
    &ROOTFS,
    &UDEV,
    &COLLECTORS,
    &INTERFACES_INCLUDE,
    &INTERFACES_EXCLUDE,
    &MOUNT_POINTS_INCLUDE,
    &MOUNT_POINTS_EXCLUDE,
    &METRICS_INCLUDE,
    &METRICS_EXCLUDE,
    &MAX_SERIES,
];

/// The flags of the portable collectors.
pub(crate) static PORTABLE_FLAGS: &[&Flag] = &[
    &COLLECTORS,
    &INTERFACES_INCLUDE,
    &INTERFACES_EXCLUDE,
    &MOUNT_POINTS_INCLUDE,
    &MOUNT_POINTS_EXCLUDE,
    &METRICS_INCLUDE,
    &METRICS_EXCLUDE,
    &MAX_SERIES,
];

#[cfg(target_os = "linux")]
static PROCFS: Flag = Flag::text("path.procfs", "/proc", "Where procfs is mounted.");
#[cfg(target_os = "linux")]
static SYSFS: Flag = Flag::text("path.sysfs", "/sys", "Where sysfs is mounted.");
#[cfg(target_os = "linux")]
static ROOTFS: Flag = Flag::text("path.rootfs", "/", "Where the root file system is mounted.");
#[cfg(target_os = "linux")]
static UDEV: Flag =
    Flag::text("path.udev.data", "/run/udev/data", "Directory of udev's device database.");

static COLLECTORS: Flag = Flag::text(
    "collectors",
    if cfg!(target_os = "linux") { NATIVE } else { PORTABLE },
    "Which collectors: native (of Linux) or portable (of any system, with fewer metrics).",
);
pub(crate) const NATIVE: &str = "native";
pub(crate) const PORTABLE: &str = "portable";

static METRICS_INCLUDE: Flag = Flag::text(
    "collector.metrics-include",
    "",
    "Metrics of collectors to expose, and no others (pattern, matched with names).",
);
static METRICS_EXCLUDE: Flag = Flag::text(
    "collector.metrics-exclude",
    "",
    "Metrics of collectors to leave out (pattern, matched with names).",
);
static MAX_SERIES: Flag = Flag::text(
    "collector.max-series",
    "0",
    "Maximum number of series of one collector; further ones are dropped and counted. 0 means no limit.",
);

/// Whether the command line selects the portable collectors. Their flags differ, so this must be
/// known before parsing; [`check_collectors`] detects what this function missed.
#[cfg(target_os = "linux")]
pub(crate) fn asks_for_portable(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--collectors=portable")
        || args.windows(2).any(|pair| pair == ["--collectors", PORTABLE])
}

/// Returns an error unless `--collectors` is `chosen`.
pub(crate) fn check_collectors(flags: &Flags, chosen: &str) -> Result<(), Error> {
    match flags.text(&COLLECTORS) {
        found if found == chosen => Ok(()),
        PORTABLE => Err(COLLECTORS.error("must be on the command line, not in a file")),
        found => {
            let problem = format!("expected {NATIVE} or {PORTABLE}, found {found:?}");
            Err(COLLECTORS.error(problem))
        }
    }
}

/// Limits on the output of each collector.
pub(crate) fn limits(flags: &Flags) -> Result<OutputLimits, Error> {
    let mut limits = OutputLimits::default();
    let max_series: usize = flags.parsed(&MAX_SERIES, "a number of series")?;
    limits.max_series = (max_series > 0).then_some(max_series);
    let filter = Filter::new(flags, &METRICS_INCLUDE, &METRICS_EXCLUDE)?;
    if !filter.is_empty() {
        limits.is_wanted = Some(Arc::new(move |name| !filter.ignores(name)));
    }
    Ok(limits)
}

#[cfg(target_os = "linux")]
/// The machine that the flags select.
pub(crate) fn host(flags: &Flags) -> Result<Host, Error> {
    Ok(Host {
        procfs: directory(flags, &PROCFS)?,
        sysfs: directory(flags, &SYSFS)?,
        rootfs: flags.text(&ROOTFS).into(),
        udev: flags.text(&UDEV).into(),
        devices: DeviceCache::new(FileCache::of_process().budget().clone()),
        kept: FileCache::of_process(),
        shared_counters: crate::netlink::link::SharedCounters::default(),
        bus: Bus::system(),
    })
}

#[cfg(target_os = "linux")]
/// A directory that must exist, because nothing can be read without it.
fn directory(flags: &Flags, flag: &Flag) -> Result<PathBuf, Error> {
    let path = PathBuf::from(flags.text(flag));
    if path.is_dir() {
        return Ok(path);
    }
    let problem = format!("{} is not a readable directory", path.display());
    Err(flag.error(problem))
}
