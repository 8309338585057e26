//! Traffic and errors of network interfaces.

use std::collections::BTreeMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use sysinfo::{NetworkData, Networks};

use super::Definition;
use crate::filter::Filter;

pub(super) static DEFINITION: Definition =
    Definition::new("netdev", "Network interface traffic and errors", |(), flags| {
        let filter = Filter::new(flags, &INCLUDE, &EXCLUDE)?.of_interfaces(flags)?;
        Ok(Source::blocking(Netdev(filter)))
    })
    .flags(&[&INCLUDE, &EXCLUDE])
    .metrics(&[&COLUMNS]);

static INCLUDE: Flag =
    Flag::text("collector.netdev.device-include", "", "Pattern of the devices to expose.");
static EXCLUDE: Flag =
    Flag::text("collector.netdev.device-exclude", "", "Pattern of the devices to leave out.");

static COLUMNS: [Column<Counters, 1>; 6] = [
    Desc::counter("node_network_receive_bytes_total", "Bytes received.", DEVICE)
        .column(|row| Some(row.receive_bytes as f64)),
    Desc::counter("node_network_receive_packets_total", "Packets received.", DEVICE)
        .column(|row| Some(row.receive_packets as f64)),
    Desc::counter("node_network_receive_errs_total", "Errors on receiving.", DEVICE)
        .column(|row| Some(row.receive_errs as f64)),
    Desc::counter("node_network_transmit_bytes_total", "Bytes sent.", DEVICE)
        .column(|row| Some(row.transmit_bytes as f64)),
    Desc::counter("node_network_transmit_packets_total", "Packets sent.", DEVICE)
        .column(|row| Some(row.transmit_packets as f64)),
    Desc::counter("node_network_transmit_errs_total", "Errors on sending.", DEVICE)
        .column(|row| Some(row.transmit_errs as f64)),
];

const DEVICE: [&str; 1] = ["device"];

#[derive(Clone, Copy)]
struct Counters {
    receive_bytes: u64,
    receive_packets: u64,
    receive_errs: u64,
    transmit_bytes: u64,
    transmit_packets: u64,
    transmit_errs: u64,
}

impl From<&NetworkData> for Counters {
    fn from(data: &NetworkData) -> Self {
        Self {
            receive_bytes: data.total_received(),
            receive_packets: data.total_packets_received(),
            receive_errs: data.total_errors_on_received(),
            transmit_bytes: data.total_transmitted(),
            transmit_packets: data.total_packets_transmitted(),
            transmit_errs: data.total_errors_on_transmitted(),
        }
    }
}

struct Netdev(Filter);

impl Collector for Netdev {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let networks = Networks::new_with_refreshed_list().map_err(Error::other)?;
        let devices: BTreeMap<_, _> = networks
            .iter()
            .map(|(name, data)| (name.to_string_lossy(), Counters::from(data)))
            .filter(|(name, _)| !self.0.ignores(name.as_bytes()))
            .collect();
        let rows: Vec<_> =
            devices.iter().map(|(name, counters)| ([name.as_ref()], *counters)).collect();
        out.table(&COLUMNS, &rows);
        Ok(())
    }
}
