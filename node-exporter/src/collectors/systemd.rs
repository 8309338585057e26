//! State of systemd and its units: `org.freedesktop.systemd1` on the system bus, see
//! org.freedesktop.systemd1(5).

mod unit;

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};
use futures_util::future::join4;
use regex::bytes::Regex;

use super::Definition;
use crate::dbus::{self, Bus, Object, Property, Value};
use crate::filter;
use unit::{OptionalProperties, Unit};

pub(super) static DEFINITION: Definition =
    Definition::new("systemd", "State of systemd and its units", build)
        .cost("one call for all units, and one per unit that passes the filter")
        .rights("the system bus")
        .off_by_default()
        .reads(&["org.freedesktop.systemd1 on the system bus"])
        .flags(&[
            &INCLUDE,
            &OLD_INCLUDE,
            &EXCLUDE,
            &OLD_EXCLUDE,
            &PRIVATE,
            &TASKS,
            &RESTARTS,
            &START_TIME,
        ])
        .metrics(&[&VERSION, &VIRTUALIZATION, &RUNNING, &UNITS, &unit::STATE, &unit::COLUMNS]);

static INCLUDE: Flag = Flag::text(
    "collector.systemd.unit-include",
    ".+",
    "Units to expose: a regular expression that matches the whole name.",
);
static OLD_INCLUDE: Flag = Flag::text(
    "collector.systemd.unit-whitelist",
    "",
    "Deprecated: use --collector.systemd.unit-include.",
)
.hidden();
static EXCLUDE: Flag = Flag::text(
    "collector.systemd.unit-exclude",
    r".+\.(automount|device|mount|scope|slice)",
    "Units to leave out: a regular expression that matches the whole name.",
);
static OLD_EXCLUDE: Flag = Flag::text(
    "collector.systemd.unit-blacklist",
    "",
    "Deprecated: use --collector.systemd.unit-exclude.",
)
.hidden();
static PRIVATE: Flag = Flag::switch(
    "collector.systemd.private",
    false,
    "Connect to systemd's private socket, without the bus. Needs root.",
)
.hidden();
static TASKS: Flag = Flag::switch(
    "collector.systemd.enable-task-metrics",
    false,
    "Expose the number of tasks of each service and its limit.",
);
static RESTARTS: Flag = Flag::switch(
    "collector.systemd.enable-restarts-metrics",
    false,
    "Expose how often each service was restarted.",
);
static START_TIME: Flag = Flag::switch(
    "collector.systemd.enable-start-time-metrics",
    false,
    "Expose when each unit became active.",
);

static VERSION: Desc<1> = Desc::gauge(
    "node_systemd_version",
    "Version of systemd: its number as the value, the whole string in the label.",
    ["version"],
);
static VIRTUALIZATION: Desc<1> = Desc::gauge(
    "node_systemd_virtualization_info",
    "Virtualization technology that systemd detected, in the label; always 1.",
    ["virtualization_type"],
);
static RUNNING: Desc = Desc::gauge(
    "node_systemd_system_running",
    "Whether the system is fully up and no unit has failed, as `systemctl is-system-running` \
     tells it.",
    [],
);
static UNITS: Desc<1> =
    Desc::gauge("node_systemd_units", "Number of loaded units in each state.", ["state"]);

const SERVICE: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const MANAGER_OBJECT: Object<'_> = Object { service: SERVICE, path: "/org/freedesktop/systemd1" };
/// systemd's private socket, for use without a bus.
const PRIVATE_SOCKET: &str = "/run/systemd/private";
/// The first version with the system state and the last trigger time of timers.
const SYSTEM_STATE_SINCE: f64 = 212.0;

fn build(host: &crate::host::Host, flags: &Flags) -> Result<Source, Error> {
    let bus = if flags.is_on(&PRIVATE) { Bus::peer(PRIVATE_SOCKET) } else { host.bus.clone() };
    Systemd::new(bus, flags).map(Source::asynchronous)
}

struct Systemd {
    bus: Bus,
    include: Regex,
    exclude: Regex,
    optional_properties: OptionalProperties,
}

impl Systemd {
    fn new(bus: Bus, flags: &Flags) -> Result<Self, Error> {
        Ok(Self {
            bus,
            include: filter::anchored_pattern(
                flags,
                filter::renamed_flag(flags, &OLD_INCLUDE, &INCLUDE)?,
            )?,
            exclude: filter::anchored_pattern(
                flags,
                filter::renamed_flag(flags, &OLD_EXCLUDE, &EXCLUDE)?,
            )?,
            optional_properties: OptionalProperties {
                tasks: flags.is_on(&TASKS),
                restarts: flags.is_on(&RESTARTS),
                start_time: flags.is_on(&START_TIME),
                timers: true,
            },
        })
    }

    async fn read(&self, out: &mut Families) -> Result<(), Error> {
        let (version, virtualization, state, reply) = join4(
            self.manager("Version"),
            self.manager("Virtualization"),
            self.manager("SystemState"),
            self.bus.call(MANAGER_OBJECT, MANAGER, "ListUnits"),
        )
        .await;
        let reply = reply?;
        // Old versions do not have these.
        let version = text(version).unwrap_or_default();
        let number = version_number(&version);
        let label = number.map_or("", |_| version.as_str());
        out.family(&VERSION).sample([label], number.unwrap_or(0.0));
        let virtualization = text(virtualization);
        let virtualization = match virtualization.as_deref() {
            None => "unknown",
            Some("") => "none",
            Some(technology) => technology,
        };
        out.family(&VIRTUALIZATION).sample([virtualization], 1.0);

        let body = reply.body();
        let units: Vec<Unit<'_>> =
            body.deserialize().map_err(|error| dbus::reply_error("ListUnits", error))?;
        let mut family = out.family(&UNITS);
        for (state, count) in unit::by_state(&units) {
            family.sample([state], count);
        }

        let has_state = number.is_some_and(|number| number >= SYSTEM_STATE_SINCE);
        let optional_properties =
            OptionalProperties { timers: has_state, ..self.optional_properties };
        let exposed: Vec<_> = units.iter().filter(|unit| self.is_exposed(unit)).collect();
        let details = unit::details(&self.bus, SERVICE, &exposed, optional_properties).await?;
        unit::write(out, &exposed, details);
        if has_state {
            let running = matches!(state?, Value::Text(state) if state == "running");
            out.family(&RUNNING).sample([], f64::from(running));
        }
        Ok(())
    }

    async fn manager(&self, name: &'static str) -> Result<Value, Error> {
        self.bus.property(Property { object: MANAGER_OBJECT, interface: MANAGER, name }).await
    }

    fn is_exposed(&self, unit: &Unit<'_>) -> bool {
        unit.load_state == "loaded"
            && self.include.is_match(unit.name.as_bytes())
            && !self.exclude.is_match(unit.name.as_bytes())
    }
}

#[async_trait]
impl AsyncCollector for Systemd {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result = self.read(out).await;
        if result.is_err() {
            self.bus.close().await;
        }
        result
    }
}

fn text(value: Result<Value, Error>) -> Option<String> {
    match value {
        Ok(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// The number in a version such as `252.38-1~deb12u1` or `v257-rc2`: at least three digits, and a
/// fraction if there is one.
fn version_number(version: &str) -> Option<f64> {
    let mut rest = version;
    loop {
        let start = rest.find(|c: char| c.is_ascii_digit())?;
        rest = rest.get(start..)?;
        let digits = length_of_digits(rest);
        let (whole, tail) = rest.split_at_checked(digits)?;
        if digits < 3 {
            rest = tail;
            continue;
        }
        let fraction = tail.strip_prefix('.').map_or(0, length_of_digits);
        let length = if fraction == 0 { digits } else { digits + 1 + fraction };
        return rest.get(..length).unwrap_or(whole).parse().ok();
    }
}

fn length_of_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests;
