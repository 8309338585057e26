//! When the machine booted.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use sysinfo::System;

use super::Definition;

pub(super) static DEFINITION: Definition =
    Definition::new("boottime", "Boot time", |(), _| Ok(Source::blocking(BootTime)))
        .metrics(&[&BOOT_TIME]);

static BOOT_TIME: Desc =
    Desc::gauge("node_boot_time_seconds", "When the machine booted, in Unix time.", []);

struct BootTime;

impl Collector for BootTime {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let seconds = System::boot_time().map_err(Error::other)?;
        out.family(&BOOT_TIME).sample([], seconds as f64);
        Ok(())
    }
}
