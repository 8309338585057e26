//! The families of control groups.

use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Row;
use super::usage::{MEMORY_EVENTS as EVENTS, MEMORY_KINDS, MEMORY_LIMITS, RESOURCES, Usage};

const CGROUP: [&str; 1] = ["cgroup"];

/// Families with one number for each group.
pub(super) static COLUMNS: [Column<Usage, 1>; 9] = [
    Desc::counter(
        "node_cgroup_cpu_periods_total",
        "Periods in which the CPU limit of a group was enforced.",
        CGROUP,
    )
    .column(|usage| usage.periods),
    Desc::counter(
        "node_cgroup_cpu_throttled_periods_total",
        "Periods in which a group used up its CPU limit.",
        CGROUP,
    )
    .column(|usage| usage.throttled_periods),
    Desc::counter(
        "node_cgroup_cpu_throttled_seconds_total",
        "Time that a group was kept from running by its CPU limit.",
        CGROUP,
    )
    .column(|usage| usage.throttled),
    Desc::gauge("node_cgroup_memory_current_bytes", "Memory that a group uses.", CGROUP)
        .column(|usage| usage.memory),
    Desc::gauge("node_cgroup_memory_peak_bytes", "Peak memory of a group.", CGROUP)
        .column(|usage| usage.memory_peak),
    Desc::gauge("node_cgroup_swap_current_bytes", "Swap that a group uses.", CGROUP)
        .column(|usage| usage.swap),
    Desc::gauge("node_cgroup_tasks", "Processes and threads of a group.", CGROUP)
        .column(|usage| usage.tasks),
    Desc::gauge(
        "node_cgroup_tasks_limit",
        "Limit of processes and threads of a group; infinite if not set.",
        CGROUP,
    )
    .column(|usage| usage.tasks_limit),
    Desc::counter(
        "node_cgroup_tasks_refused_total",
        "Forks of a group that failed because of its limit.",
        CGROUP,
    )
    .column(|usage| usage.tasks_refused),
];

pub(super) static CPU: Desc<2> = Desc::counter(
    "node_cgroup_cpu_seconds_total",
    "CPU time that a group has used, in user and system mode.",
    ["cgroup", "mode"],
);
pub(super) static MEMORY: Desc<2> = Desc::gauge(
    "node_cgroup_memory_bytes",
    "Memory of a group by kind, as memory.stat names the kinds. Kinds overlap.",
    ["cgroup", "kind"],
);
pub(super) static MEMORY_LIMIT: Desc<2> = Desc::gauge(
    "node_cgroup_memory_limit_bytes",
    "Protection (min, low) and limits (high, max, swap_max) of a group's memory; infinite if there \
     is none.",
    ["cgroup", "limit"],
);
pub(super) static MEMORY_EVENTS: Desc<2> = Desc::counter(
    "node_cgroup_memory_events_total",
    "Times that a group's memory reached a limit, or that a process was killed because of it.",
    ["cgroup", "event"],
);
pub(super) static IO_BYTES: Desc<3> = Desc::counter(
    "node_cgroup_io_bytes_total",
    "Bytes that a group read from, wrote to or discarded on a block device.",
    ["cgroup", "device", "operation"],
);
pub(super) static IO_OPERATIONS: Desc<3> = Desc::counter(
    "node_cgroup_io_operations_total",
    "Reads, writes and discards of a group on a block device.",
    ["cgroup", "device", "operation"],
);
pub(super) static WAITING: Desc<2> = Desc::counter(
    "node_cgroup_pressure_waiting_seconds_total",
    "Time that some tasks of a group waited for a resource.",
    ["cgroup", "resource"],
);
pub(super) static STALLED: Desc<2> = Desc::counter(
    "node_cgroup_pressure_stalled_seconds_total",
    "Time that all tasks of a group waited for a resource.",
    ["cgroup", "resource"],
);

const OPERATIONS: [&str; 3] = ["read", "write", "discard"];

pub(super) fn write(out: &mut Families, rows: &[Row]) {
    for column in &COLUMNS {
        let mut family = out.family(&column.desc);
        for (group, usage) in rows {
            if let Some(value) = (column.value)(usage) {
                family.sample([group], value);
            }
        }
    }
    by_name(out, &CPU, rows, ["user", "system"], |usage| [usage.cpu_user, usage.cpu_system]);
    by_name(out, &MEMORY, rows, MEMORY_KINDS, |usage| usage.memory_kinds);
    let limits = MEMORY_LIMITS.map(|(name, _)| name);
    by_name(out, &MEMORY_LIMIT, rows, limits, |usage| usage.memory_limits);
    by_name(out, &MEMORY_EVENTS, rows, EVENTS, |usage| usage.memory_events);
    for (desc, counts) in [
        (&IO_BYTES, (|io| io.bytes) as fn(&super::usage::Io) -> [f64; 3]),
        (&IO_OPERATIONS, |io| io.operations),
    ] {
        let mut family = out.family(desc);
        for (group, usage) in rows {
            for io in &usage.io {
                for (operation, count) in OPERATIONS.iter().zip(counts(io)) {
                    family.sample([group, &io.device, operation], count);
                }
            }
        }
    }
    by_name(out, &WAITING, rows, RESOURCES, |usage| {
        usage.pressure.map(|pressure| pressure.map(|[waiting, _]| waiting))
    });
    by_name(out, &STALLED, rows, RESOURCES, |usage| {
        usage.pressure.map(|pressure| pressure.map(|[_, stalled]| stalled))
    });
}

/// Writes a family whose second label has a fixed set of values.
fn by_name<const N: usize>(
    out: &mut Families,
    desc: &Desc<'_, 2>,
    rows: &[Row],
    names: [&str; N],
    values: impl Fn(&Usage) -> [Option<f64>; N],
) {
    let mut family = out.family(desc);
    for (group, usage) in rows {
        for (name, value) in names.into_iter().zip(values(usage)) {
            if let Some(value) = value {
                family.sample([group, name], value);
            }
        }
    }
}
