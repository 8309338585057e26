//! Where the machine is: the flags that are not of one collector.

use std::path::PathBuf;
use std::sync::Arc;

use exporter_core::collector::Error;
use exporter_core::file::FileCache;
use exporter_core::flags::{Flag, Flags};
use exporter_core::limits::OutputLimits;

use crate::dbus::Bus;
use crate::filter::Filter;
use crate::host::Host;

pub(crate) static FLAGS: &[&Flag] =
    &[&PROCFS, &SYSFS, &ROOTFS, &UDEV, &METRICS_INCLUDE, &METRICS_EXCLUDE, &MAX_SERIES];

static PROCFS: Flag = Flag::text("path.procfs", "/proc", "Where procfs is mounted.");
static SYSFS: Flag = Flag::text("path.sysfs", "/sys", "Where sysfs is mounted.");
static ROOTFS: Flag = Flag::text("path.rootfs", "/", "Where the root file system is mounted.");
static UDEV: Flag =
    Flag::text("path.udev.data", "/run/udev/data", "Where udev keeps what it knows of devices.");

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
    "The most series of one collector; further ones are dropped and counted. 0 is no limit.",
);

/// What each collector may write.
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

/// The machine that the command line points at.
pub(crate) fn host(flags: &Flags) -> Result<Host, Error> {
    Ok(Host {
        procfs: directory(flags, &PROCFS)?,
        sysfs: directory(flags, &SYSFS)?,
        rootfs: flags.text(&ROOTFS).into(),
        udev: flags.text(&UDEV).into(),
        kept: FileCache::default(),
        bus: Bus::system(),
    })
}

/// A directory that must be there, because nothing can be read without it.
fn directory(flags: &Flags, flag: &Flag) -> Result<PathBuf, Error> {
    let path = PathBuf::from(flags.text(flag));
    if path.is_dir() {
        return Ok(path);
    }
    let problem = format!("{} is no directory that can be read", path.display());
    Err(flag.error(problem))
}
