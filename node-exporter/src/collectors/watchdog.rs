//! Watchdog timers: `/sys/class/watchdog`, see
//! `Documentation/ABI/testing/sysfs-class-watchdog`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::attributes::{Attributes, as_strs, attribute, each, labels};
use crate::host::{Device, Host, OrAbsent, if_supported};

pub(super) static DEFINITION: Definition =
    Definition::new("watchdog", "Watchdog timers", |host, _| {
        Ok(Source::blocking(Watchdog(host.clone())))
    })
    .cost("about 10 small files per timer")
    .reads(&["/sys/class/watchdog/*/*"])
    .metrics(&[&INFO, &NUMBERS]);

static INFO: Desc<6> = Desc::gauge(
    "node_watchdog_info",
    "What a watchdog is and does; always 1.",
    ["name", "options", "identity", "state", "status", "pretimeout_governor"],
);

static NUMBERS: Attributes<1, 7> = Attributes([
    attribute(
        "bootstatus",
        Desc::gauge("node_watchdog_bootstatus", "Status at the last boot, as flags.", NAME),
    ),
    attribute(
        "fw_version",
        Desc::gauge("node_watchdog_fw_version", "Version of the firmware.", NAME),
    ),
    attribute(
        "nowayout",
        Desc::gauge(
            "node_watchdog_nowayout",
            "Whether the watchdog cannot be stopped once it is started.",
            NAME,
        ),
    ),
    attribute(
        "timeleft",
        Desc::gauge("node_watchdog_timeleft_seconds", "Time until the machine is reset.", NAME),
    ),
    attribute(
        "timeout",
        Desc::gauge("node_watchdog_timeout_seconds", "Time without a ping until a reset.", NAME),
    ),
    attribute(
        "pretimeout",
        Desc::gauge(
            "node_watchdog_pretimeout_seconds",
            "How long before the reset the watchdog warns.",
            NAME,
        ),
    ),
    attribute(
        "access_cs0",
        Desc::gauge("node_watchdog_access_cs0", "Whether the first boot source is used.", NAME),
    ),
]);

const NAME: [&str; 1] = ["name"];

struct Watchdog(Host);

impl Collector for Watchdog {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let devices = self.0.devices("class/watchdog").or_absent("watchdog")?;
        let (watchdogs, result) =
            each(devices, |name, device| Ok((info(name, device)?, NUMBERS.read(device)?)));
        let mut info = out.family(&INFO);
        for (_, (labels, _)) in &watchdogs {
            info.sample(as_strs(labels), 1.0);
        }
        let rows: Vec<_> =
            watchdogs.iter().map(|(name, (_, values))| ([name.as_str()], *values)).collect();
        NUMBERS.expose(out, &rows);
        result
    }
}

/// The labels of [`INFO`]; empty if the driver does not provide them.
fn info(name: &str, device: &Device) -> Result<[String; 6], Error> {
    labels(name, &INFO, |file| Ok(if_supported(device.string(file))?.unwrap_or_default()))
}
