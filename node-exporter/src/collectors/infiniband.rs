//! InfiniBand and RoCE devices and their ports: `/sys/class/infiniband`, see
//! `Documentation/ABI/stable/sysfs-class-infiniband`.

mod counters;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use self::counters::{Counters, HARDWARE, LEGACY, PORT};
use super::Definition;
use crate::attributes::{as_strs, each, labels};
use crate::filter::Filter;
use crate::host::{Device, Host, OrAbsent, if_exists, if_supported};

pub(super) static DEFINITION: Definition =
    Definition::new("infiniband", "InfiniBand and RoCE ports", |host, flags| {
        Ok(Source::blocking(InfiniBand {
            host: host.clone(),
            devices: Filter::one_of(flags, &INCLUDE, &EXCLUDE)?,
        }))
    })
    .cost("about 50 small files per port")
    .reads(&[
        "/sys/class/infiniband/*/{board_id,fw_ver,hca_type}",
        "/sys/class/infiniband/*/ports/*/{phys_state,rate,state}",
        "/sys/class/infiniband/*/ports/*/{counters,counters_ext,hw_counters}/*",
    ])
    .flags(&[&INCLUDE, &EXCLUDE])
    .metrics(&[&INFO, &STATE, &PORT, &LEGACY, &HARDWARE]);

static INCLUDE: Flag = Flag::text(
    "collector.infiniband.device-include",
    "",
    "Devices to expose, and no others (pattern).",
);
static EXCLUDE: Flag =
    Flag::text("collector.infiniband.device-exclude", "", "Devices to leave out (pattern).");

static INFO: Desc<4> = Desc::gauge(
    "node_infiniband_info",
    "Properties of a device; always 1.",
    ["device", "board_id", "firmware_version", "hca_type"],
);

static STATE: [Column<State, 2>; 3] = [
    Desc::gauge(
        "node_infiniband_state_id",
        "State of the port: 1 down, 2 initialising, 3 armed, 4 active, 5 deferred.",
        LABELS,
    )
    .column(|port| port.logical),
    Desc::gauge(
        "node_infiniband_physical_state_id",
        "Physical state: 1 sleep, 2 polling, 3 disabled, 4 training, 5 up, 6 recovering, 7 test.",
        LABELS,
    )
    .column(|port| port.physical),
    Desc::gauge("node_infiniband_rate_bytes_per_second", "Maximum rate of the port.", LABELS)
        .column(|port| port.rate),
];

const LABELS: [&str; 2] = ["device", "port"];

struct InfiniBand {
    host: Host,
    devices: Filter,
}

impl Collector for InfiniBand {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut devices = self.host.devices("class/infiniband").or_absent("InfiniBand device")?;
        devices.retain(|(name, _)| !self.devices.ignores(name));
        let (devices, mut result) = each(devices, |name, device| {
            let info = labels(name, &INFO, |label| {
                let file = if label == "firmware_version" { "fw_ver" } else { label };
                Ok(if_supported(device.string(file))?.unwrap_or_default())
            })?;
            let ports = if_exists(device.device("ports"))?;
            let ports = ports.map_or_else(|| Ok(Vec::new()), |ports| ports.devices())?;
            Ok((info, each(ports, |_, port| Port::read(port))))
        });
        let mut info = out.family(&INFO);
        for (_, (labels, _)) in &devices {
            info.sample(as_strs(labels), 1.0);
        }
        let ports: Vec<_> = devices
            .iter()
            .flat_map(|(device, (_, (ports, _)))| {
                ports.iter().map(move |(port, values)| ([device.as_str(), port.as_str()], values))
            })
            .collect();
        let rows = ports.iter().map(|(labels, port)| (*labels, port.state));
        out.table(&STATE, &rows.collect::<Vec<_>>());
        Counters::expose(
            out,
            &ports.iter().map(|(at, port)| (*at, &port.counters)).collect::<Vec<_>>(),
        );
        for (_, (_, (_, ports))) in devices {
            result = result.and(ports);
        }
        result
    }
}

struct Port {
    state: State,
    counters: Counters,
}

#[derive(Clone, Copy)]
struct State {
    logical: Option<f64>,
    physical: Option<f64>,
    /// In bytes per second.
    rate: Option<f64>,
}

impl Port {
    fn read(device: &Device) -> Result<Self, Error> {
        let parsed = |file, expected, parse: fn(&str) -> Option<f64>| {
            let Some(text) = if_supported(device.string(file))? else { return Ok(None) };
            match parse(&text) {
                Some(value) => Ok(Some(value)),
                None => Err(device.parse_error(file, expected, &text)),
            }
        };
        let state = State {
            logical: parsed("state", "a state such as `4: ACTIVE`", state)?,
            physical: parsed("phys_state", "a state such as `5: LinkUp`", state)?,
            rate: parsed("rate", "a rate such as `100 Gb/sec (4X EDR)`", rate)?,
        };
        Ok(Self { state, counters: Counters::read(device)? })
    }
}

/// The number of a state.
fn state(text: &str) -> Option<f64> {
    let (number, _) = text.split_once(':')?;
    number.trim().parse::<u32>().ok().map(f64::from)
}

/// A rate in bytes per second.
fn rate(text: &str) -> Option<f64> {
    let (rate, unit) = text.split_once(' ')?;
    let rate: f32 = rate.parse().ok().filter(|rate: &f32| rate.is_finite())?;
    unit.starts_with("Gb/sec").then(|| (f64::from(rate) * 125_000_000.0).trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_rates_are_parsed() {
        for (text, expected) in [
            ("4: ACTIVE", Some(4.0)),
            ("1:", Some(1.0)),
            ("ACTIVE", None),
            (": x", None),
            ("", None),
        ] {
            assert_eq!(state(text), expected, "{text}");
        }
        for (text, expected) in [
            ("40 Gb/sec (4X QDR)", Some(5e9)),
            ("2.5 Gb/sec (1X)", Some(312_500_000.0)),
            ("14.0625 Gb/sec (1X FDR)", Some(1_757_812_500.0)),
            ("nan Gb/sec", None),
            ("40", None),
            ("40 Mb/sec", None),
            ("", None),
        ] {
            assert_eq!(rate(text), expected, "{text}");
        }
    }
}
