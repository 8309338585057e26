//! The flags of the native collectors: the shared flags, and the root paths.

use std::ffi::OsString;
use std::path::PathBuf;

use exporter_core::collector::Error;
use exporter_core::file::FileCache;
use exporter_core::flags::{Flag, Flags};

use super::{COLLECTORS, MAX_SERIES, METRICS_EXCLUDE, METRICS_INCLUDE, PORTABLE};
use crate::dbus::Bus;
use crate::filter::{
    INTERFACES_EXCLUDE, INTERFACES_INCLUDE, MOUNT_POINTS_EXCLUDE, MOUNT_POINTS_INCLUDE,
};
use crate::host::{DeviceCache, Host};
use crate::netlink::link::SharedCounters;

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

static PROCFS: Flag = Flag::text("path.procfs", "/proc", "Where procfs is mounted.");
static SYSFS: Flag = Flag::text("path.sysfs", "/sys", "Where sysfs is mounted.");
static ROOTFS: Flag = Flag::text("path.rootfs", "/", "Where the root file system is mounted.");
static UDEV: Flag =
    Flag::text("path.udev.data", "/run/udev/data", "Directory of udev's device database.");

/// Whether the command line selects the portable collectors. They have other flags, so this has to
/// be known before parsing. [`super::check_collectors`] detects spellings that this function
/// misses.
pub(crate) fn selects_portable(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--collectors=portable")
        || args.windows(2).any(|pair| pair == ["--collectors", PORTABLE])
}

/// The host with the root paths from the flags.
pub(crate) fn host(flags: &Flags) -> Result<Host, Error> {
    Ok(Host {
        procfs: directory(flags, &PROCFS)?,
        sysfs: directory(flags, &SYSFS)?,
        rootfs: flags.text(&ROOTFS).into(),
        udev: flags.text(&UDEV).into(),
        device_cache: DeviceCache::new(FileCache::of_process().budget().clone()),
        file_cache: FileCache::of_process(),
        shared_counters: SharedCounters::default(),
        bus: Bus::system(),
    })
}

/// The directory of a flag. Fails if it does not exist, because no collector works without it.
fn directory(flags: &Flags, flag: &Flag) -> Result<PathBuf, Error> {
    let path = PathBuf::from(flags.text(flag));
    if path.is_dir() {
        return Ok(path);
    }
    let problem = format!("{} is not a readable directory", path.display());
    Err(flag.error(problem))
}
