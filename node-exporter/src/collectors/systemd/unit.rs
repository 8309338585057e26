//! Units: their states and properties.

use exporter_core::collector::Error;
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use zbus::{ObjectPath, Type};

use crate::dbus::{Bus, Object, Property, Value};

pub(super) static STATE: Desc<3> = Desc::gauge(
    "node_systemd_unit_state",
    "Whether a unit is in a state. The type is that of a service or of a mounted file system.",
    ["name", "state", "type"],
);
/// Numbers that only some units have.
pub(super) static COLUMNS: [Column<Details, 1>; 8] = [
    Desc::counter(
        "node_systemd_service_restart_total",
        "Times that systemd restarted a service by itself.",
        ["name"],
    )
    .column(|details| details.restarts),
    Desc::gauge(
        "node_systemd_unit_start_time_seconds",
        "When a unit became active, in seconds since 1970; 0 if it is not active.",
        ["name"],
    )
    .column(|details| details.active_since),
    Desc::gauge("node_systemd_unit_tasks_current", "Processes and threads of a service.", ["name"])
        .column(|details| details.tasks),
    Desc::gauge(
        "node_systemd_unit_tasks_max",
        "Limit of the processes and threads of a service.",
        ["name"],
    )
    .column(|details| details.tasks_max),
    Desc::gauge(
        "node_systemd_timer_last_trigger_seconds",
        "When a timer last elapsed, in seconds since 1970; 0 if it never has.",
        ["name"],
    )
    .column(|details| details.last_trigger),
    Desc::counter(
        "node_systemd_socket_accepted_connections_total",
        "Connections that a socket unit has accepted.",
        ["name"],
    )
    .column(|details| details.accepted),
    Desc::gauge(
        "node_systemd_socket_current_connections",
        "Connections of a socket unit that are open.",
        ["name"],
    )
    .column(|details| details.connections),
    // A counter by nature; a gauge in the original.
    Desc::gauge(
        "node_systemd_socket_refused_connections_total",
        "Connections that a socket unit has refused.",
        ["name"],
    )
    .column(|details| details.refused),
];

/// The states of a unit that always have a series.
const STATES: [&str; 5] = ["active", "activating", "deactivating", "inactive", "failed"];

/// An entry of the list of units.
#[derive(Debug, serde::Deserialize, Type)]
pub(super) struct Unit<'a> {
    pub(super) name: &'a str,
    _description: &'a str,
    pub(super) load_state: &'a str,
    active_state: &'a str,
    _sub_state: &'a str,
    _following: &'a str,
    #[serde(borrow)]
    path: ObjectPath<'a>,
    _job: u32,
    _job_type: &'a str,
    #[serde(borrow)]
    _job_path: ObjectPath<'a>,
}

impl Unit<'_> {
    /// The part behind the last dot, such as `service`.
    fn kind(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(_, kind)| kind)
    }

    fn is_active(&self) -> bool {
        self.active_state == "active"
    }
}

/// The optional properties of units.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub(super) struct OptionalProperties {
    pub(super) tasks: bool,
    pub(super) restarts: bool,
    pub(super) start_time: bool,
    pub(super) timers: bool,
}

/// The properties of one unit that exist. Times are in seconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Details {
    kind: String,
    restarts: Option<f64>,
    active_since: Option<f64>,
    tasks: Option<f64>,
    tasks_max: Option<f64>,
    last_trigger: Option<f64>,
    accepted: Option<f64>,
    connections: Option<f64>,
    refused: Option<f64>,
}

/// The number of units in each state: those of [`STATES`], then any other.
pub(super) fn by_state<'a>(units: &[Unit<'a>]) -> Vec<(&'a str, f64)> {
    let mut counts: Vec<_> = STATES.map(|state| (state, 0.0)).into();
    for unit in units {
        match counts.iter_mut().find(|(state, _)| *state == unit.active_state) {
            Some((_, count)) => *count += 1.0,
            None => counts.push((unit.active_state, 1.0)),
        }
    }
    counts
}

/// Requests the properties of units, pipelined.
pub(super) async fn details(
    bus: &Bus,
    service: &'static str,
    units: &[&Unit<'_>],
    optional_properties: OptionalProperties,
) -> Result<Vec<Details>, Error> {
    const UNIT: &str = "org.freedesktop.systemd1.Unit";
    const SERVICE: &str = "org.freedesktop.systemd1.Service";
    const MOUNT: &str = "org.freedesktop.systemd1.Mount";
    const SOCKET: &str = "org.freedesktop.systemd1.Socket";
    const TIMER: &str = "org.freedesktop.systemd1.Timer";
    let (mut owners, mut properties) = (Vec::new(), Vec::new());
    for (index, unit) in units.iter().enumerate() {
        let mut request = |interface, name| {
            let object = Object { service, path: unit.path.as_str() };
            owners.push(index);
            properties.push(Property { object, interface, name });
        };
        match unit.kind() {
            "service" => {
                request(SERVICE, "Type");
                if optional_properties.restarts {
                    request(SERVICE, "NRestarts");
                }
                if optional_properties.tasks {
                    request(SERVICE, "TasksCurrent");
                    request(SERVICE, "TasksMax");
                }
            }
            "mount" => request(MOUNT, "Type"),
            "socket" => {
                request(SOCKET, "NAccepted");
                request(SOCKET, "NConnections");
                request(SOCKET, "NRefused");
            }
            "timer" if optional_properties.timers => request(TIMER, "LastTriggerUSec"),
            _ => {}
        }
        if optional_properties.start_time && unit.is_active() {
            request(UNIT, "ActiveEnterTimestamp");
        }
    }
    let values = bus.properties(&properties).await?;
    let mut details: Vec<_> = units
        .iter()
        .map(|unit| Details {
            active_since: (optional_properties.start_time && !unit.is_active()).then_some(0.0),
            ..Details::default()
        })
        .collect();
    for ((owner, property), value) in owners.into_iter().zip(&properties).zip(values) {
        if let (Some(details), Some(value)) = (details.get_mut(owner), value) {
            details.set(property.name, value);
        }
    }
    Ok(details)
}

impl Details {
    fn set(&mut self, property: &str, value: Value) {
        let number = match value {
            Value::Text(kind) => {
                self.kind = kind;
                return;
            }
            Value::Number(number) => number as f64,
            Value::Bool(_) => return,
        };
        match property {
            "NRestarts" => self.restarts = Some(number),
            "ActiveEnterTimestamp" => self.active_since = Some(number / 1e6),
            // All bits set: not counted, or without a limit.
            "TasksCurrent" | "TasksMax" if number >= u64::MAX as f64 => {}
            "TasksCurrent" => self.tasks = Some(number),
            "TasksMax" => self.tasks_max = Some(number),
            "LastTriggerUSec" => self.last_trigger = Some(number / 1e6),
            "NAccepted" => self.accepted = Some(number),
            "NConnections" => self.connections = Some(number),
            "NRefused" => self.refused = Some(number),
            _ => {}
        }
    }
}

/// Writes the states and numbers of units.
pub(super) fn write(out: &mut Families, units: &[&Unit<'_>], details: Vec<Details>) {
    let mut family = out.family(&STATE);
    for (unit, details) in units.iter().zip(&details) {
        for state in STATES {
            let is_in_state = f64::from(unit.active_state == state);
            family.sample([unit.name, state, &details.kind], is_in_state);
        }
    }
    let rows: Vec<_> = units.iter().map(|unit| [unit.name]).zip(details).collect();
    out.table(&COLUMNS, &rows);
}
