//! Where the machine is: the flags that are not of one collector.

use std::path::PathBuf;

use exporter_core::collector::Error;
use exporter_core::file::FileCache;
use exporter_core::flags::{Flag, Flags};

use crate::dbus::Bus;
use crate::host::Host;

pub(crate) static FLAGS: &[&Flag] = &[&PROCFS, &SYSFS, &ROOTFS, &UDEV];

static PROCFS: Flag = Flag::text("path.procfs", "/proc", "Where procfs is mounted.");
static SYSFS: Flag = Flag::text("path.sysfs", "/sys", "Where sysfs is mounted.");
static ROOTFS: Flag = Flag::text("path.rootfs", "/", "Where the root file system is mounted.");
static UDEV: Flag =
    Flag::text("path.udev.data", "/run/udev/data", "Where udev keeps what it knows of devices.");

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
