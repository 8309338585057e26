//! Queueing disciplines of interfaces: rtnetlink's `RTM_GETQDISC`.

use std::collections::HashMap;
use std::path::PathBuf;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use serde::Deserialize;

use super::Definition;
use crate::filter::{self, Filter};
use crate::host;
use crate::netlink::link::{self, LinkStats};
use crate::netlink::qdisc::{self, Counts};
use crate::netlink::{Netlink, c_string};

pub(super) static DEFINITION: Definition =
    Definition::new("qdisc", "Queueing disciplines", |_, flags| {
        let include = filter::renamed_flag(flags, &OLD_INCLUDE, &INCLUDE)?;
        let exclude = filter::renamed_flag(flags, &OLD_EXCLUDE, &EXCLUDE)?;
        let filter = Filter::one_of(flags, include, exclude)?.of_interfaces(flags)?;
        let source = match flags.text(&FIXTURES) {
            "" => Qdiscs::Kernel(Netlink::route()),
            directory => Qdiscs::Recorded(PathBuf::from(directory).join("results.json")),
        };
        Ok(Source::blocking(Qdisc { filter, source }))
    })
    .cost("one dump of the queueing disciplines")
    .off_by_default()
    .flags(&[&FIXTURES, &INCLUDE, &EXCLUDE, &OLD_INCLUDE, &OLD_EXCLUDE])
    .metrics(&[&COLUMNS]);

static FIXTURES: Flag = Flag::text(
    "collector.qdisc.fixtures",
    "",
    "For tests: a directory with results.json, to be read in place of the kernel's list.",
);
static INCLUDE: Flag = Flag::text(
    "collector.qdisc.device-include",
    "",
    "Interfaces to expose, and no others (pattern); not together with device-exclude.",
);
static EXCLUDE: Flag = Flag::text(
    "collector.qdisc.device-exclude",
    "",
    "Interfaces to leave out (pattern); not together with device-include.",
);
static OLD_INCLUDE: Flag = Flag::text(
    "collector.qdisk.device-include",
    "",
    "The old name of --collector.qdisc.device-include.",
)
.hidden();
static OLD_EXCLUDE: Flag = Flag::text(
    "collector.qdisk.device-exclude",
    "",
    "The old name of --collector.qdisc.device-exclude.",
)
.hidden();

const LABELS: [&str; 2] = ["device", "kind"];

static COLUMNS: [Column<Counts, 2>; 7] = [
    Desc::counter("node_qdisc_bytes_total", "Bytes sent.", LABELS)
        .column(|qdisc| Some(qdisc.bytes as f64)),
    Desc::counter("node_qdisc_packets_total", "Packets sent.", LABELS)
        .column(|qdisc| Some(qdisc.packets as f64)),
    Desc::counter("node_qdisc_drops_total", "Packets dropped.", LABELS)
        .column(|qdisc| Some(qdisc.drops.into())),
    Desc::counter(
        "node_qdisc_requeues_total",
        "Packets requeued because the device could not accept them.",
        LABELS,
    )
    .column(|qdisc| Some(qdisc.requeues.into())),
    Desc::counter("node_qdisc_overlimits_total", "Packets that came above the limit.", LABELS)
        .column(|qdisc| Some(qdisc.overlimits.into())),
    Desc::gauge("node_qdisc_current_queue_length", "Packets in the queue.", LABELS)
        .column(|qdisc| Some(qdisc.length.into())),
    Desc::gauge("node_qdisc_backlog", "Bytes in the queue.", LABELS)
        .column(|qdisc| Some(qdisc.backlog.into())),
];

struct Qdisc {
    filter: Filter,
    source: Qdiscs,
}

enum Qdiscs {
    Kernel(Netlink),
    Recorded(PathBuf),
}

impl Collector for Qdisc {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let qdiscs = match &mut self.source {
            Qdiscs::Kernel(netlink) => from_netlink(netlink)?,
            Qdiscs::Recorded(path) => from_fixtures(path)?,
        };
        let shown = qdiscs.iter().filter(|([device, _], _)| !self.filter.ignores(device));
        let rows: Vec<_> = shown
            .map(|(labels, counts)| (labels.each_ref().map(String::as_str), *counts))
            .collect();
        out.table(&COLUMNS, &rows);
        Ok(())
    }
}

/// Device and kind, and the counters.
type Row = ([String; 2], Counts);

fn from_netlink(netlink: &mut Netlink) -> Result<Vec<Row>, Error> {
    let names: HashMap<_, _> = link::links(netlink, LinkStats::Skip, |link| {
        let name = link.attributes.clone().find(|(kind, _)| *kind == link::NAME)?;
        Some((link.index, c_string(name.1)))
    })?
    .into_iter()
    .collect();
    // An interface that was removed meanwhile is left out.
    let row = |qdisc: qdisc::Qdisc| {
        Some(([names.get(&qdisc.interface)?.clone(), qdisc.kind], qdisc.counts))
    };
    Ok(qdisc::roots(netlink)?.into_iter().filter_map(row).collect())
}

/// A queueing discipline in `results.json`.
#[derive(Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[derive(Default)]
struct Recorded {
    iface_name: String,
    kind: String,
    parent: u32,
    bytes: u64,
    packets: u64,
    drops: u32,
    requeues: u32,
    overlimits: u32,
    qlen: u32,
    backlog: u32,
}

fn from_fixtures(path: &std::path::Path) -> Result<Vec<Row>, Error> {
    let read: Result<Vec<Recorded>, _> = serde_json::from_slice(&host::read_bytes(path)?);
    let qdiscs = read.map_err(|error| Error::Parse {
        path: path.to_owned(),
        expected: "a JSON array of queueing disciplines",
        found: error.to_string(),
    })?;
    let row = |qdisc: Recorded| {
        let counts = Counts {
            bytes: qdisc.bytes,
            packets: qdisc.packets,
            drops: qdisc.drops,
            requeues: qdisc.requeues,
            overlimits: qdisc.overlimits,
            length: qdisc.qlen,
            backlog: qdisc.backlog,
        };
        ([qdisc.iface_name, qdisc.kind], counts)
    };
    Ok(qdiscs.into_iter().filter(|qdisc| qdisc.parent == 0).map(row).collect())
}
