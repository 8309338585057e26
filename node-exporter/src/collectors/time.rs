//! The time, the time zone, and the clock source of the kernel:
//! `/sys/devices/system/clocksource`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::Host;
use crate::system;

pub(super) static DEFINITION: Definition =
    Definition::new("time", "Time, time zone and clock sources", |host, _| {
        Ok(Source::blocking(Time(host.clone())))
    })
    .cost("a few small files per clock source")
    .reads(&["/sys/devices/system/clocksource/*", "/etc/localtime"])
    .metrics(&[&NOW, &ZONE, &AVAILABLE, &CURRENT]);

static NOW: Desc = Desc::gauge("node_time_seconds", "System time, in seconds since 1970.", []);
static ZONE: Desc<1> = Desc::gauge(
    "node_time_zone_offset_seconds",
    "How far the local time zone is east of UTC.",
    ["time_zone"],
);
static AVAILABLE: Desc<2> = Desc::gauge(
    "node_time_clocksource_available_info",
    "Clock sources that the kernel could use.",
    SOURCE,
);
static CURRENT: Desc<2> = Desc::gauge(
    "node_time_clocksource_current_info",
    "The clock source that the kernel uses.",
    SOURCE,
);
const SOURCE: [&str; 2] = ["device", "clocksource"];

struct Time(Host);

impl Collector for Time {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        out.family(&NOW).sample([], now.as_secs_f64());
        if let Some(zone) = i64::try_from(now.as_secs()).ok().and_then(system::zone) {
            out.family(&ZONE).sample([&zone.name], zone.seconds_east as f64);
        }
        clocksources(&self.0, out)
    }
}

const CLOCKSOURCES: &str = "devices/system/clocksource";

fn clocksources(host: &Host, out: &mut Families) -> Result<(), Error> {
    // A kernel without clock sources has nothing more to report.
    let names = host.list_sys(CLOCKSOURCES).unwrap_or_default();
    for (desc, attribute) in
        [(&AVAILABLE, "available_clocksource"), (&CURRENT, "current_clocksource")]
    {
        let mut family = out.family(desc);
        for name in &names {
            let Some(device) = name.strip_prefix("clocksource") else { continue };
            let file = host.sys_cached(format!("{CLOCKSOURCES}/{name}/{attribute}"))?;
            if file.trimmed().is_empty() {
                return Err(file.parse_error("a clock source"));
            }
            for source in file.trimmed().split_ascii_whitespace() {
                family.sample([device, source], 1.0);
            }
        }
    }
    Ok(())
}
