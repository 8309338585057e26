//! Processing of received packets by CPU: `/proc/net/softnet_stat`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, Host};

pub(super) static DEFINITION: Definition =
    Definition::new("softnet", "Packet processing by CPU", |host, _| {
        Ok(Source::blocking(Softnet(host.clone())))
    })
    .cost("one file with a line per CPU")
    .reads(&["/proc/net/softnet_stat"])
    .metrics(&[&COLUMNS]);

static COLUMNS: [Column<Packets, 1>; 7] = [
    Desc::counter("node_softnet_processed_total", "Packets processed.", CPU)
        .column(|cpu| Some(cpu.processed as f64)),
    Desc::counter("node_softnet_dropped_total", "Packets dropped: the backlog was full.", CPU)
        .column(|cpu| Some(cpu.dropped as f64)),
    Desc::counter(
        "node_softnet_times_squeezed_total",
        "Times processing stopped with packets left: out of budget or time.",
        CPU,
    )
    .column(|cpu| Some(cpu.squeezed as f64)),
    Desc::counter(
        "node_softnet_cpu_collision_total",
        "Times a device was locked by another CPU when sending.",
        CPU,
    )
    .column(|cpu| Some(cpu.collisions as f64)),
    Desc::counter(
        "node_softnet_received_rps_total",
        "Times another CPU handed packets over (RPS).",
        CPU,
    )
    .column(|cpu| Some(cpu.received_rps as f64)),
    Desc::counter(
        "node_softnet_flow_limit_count_total",
        "Packets dropped because their flow took too much of the backlog.",
        CPU,
    )
    .column(|cpu| Some(cpu.flow_limit as f64)),
    Desc::gauge("node_softnet_backlog_len", "Packets in the backlog.", CPU)
        .column(|cpu| Some(cpu.backlog as f64)),
];

const CPU: [&str; 1] = ["cpu"];

struct Softnet(Host);

impl Collector for Softnet {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc("net/softnet_stat")?;
        let mut cpus = Vec::new();
        for (number, line) in file.lines().enumerate() {
            let packets = parse(line)?;
            cpus.push((packets.cpu.unwrap_or(number as u64).to_string(), packets));
        }
        if cpus.is_empty() {
            return Err(file.parse_error("a line for each CPU"));
        }
        let rows: Vec<_> = cpus.iter().map(|(cpu, packets)| ([cpu.as_str()], *packets)).collect();
        out.table(&COLUMNS, &rows);
        Ok(())
    }
}

/// A line of the file, which has no header. Columns that the kernel does not have are 0.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Packets {
    processed: u64,
    dropped: u64,
    squeezed: u64,
    collisions: u64,
    /// Since Linux 2.6.36.
    received_rps: u64,
    /// Since Linux 3.11.
    flow_limit: u64,
    /// Since Linux 5.14.
    backlog: u64,
    /// Since Linux 5.14. Before, offline CPUs are left out and the indexes of the others shift.
    cpu: Option<u64>,
}

fn parse(mut line: Fields<'_>) -> Result<Packets, Error> {
    const EXPECTED: &str = "at least nine hexadecimal counts";
    const ALL: usize = 13;
    let mut columns = [0; ALL];
    let width = line.clone().words().count();
    if width < 9 {
        return Err(line.parse_error(EXPECTED));
    }
    for column in columns.iter_mut().take(width) {
        *column = line.hex(EXPECTED)?;
    }
    let [
        processed,
        dropped,
        squeezed,
        _,
        _,
        _,
        _,
        _, // once the fast route
        collisions,
        received_rps,
        flow_limit,
        backlog,
        cpu,
    ] = columns;
    let cpu = (width >= ALL).then_some(cpu);
    Ok(Packets { processed, dropped, squeezed, collisions, received_rps, flow_limit, backlog, cpu })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kernels_are_parsed() {
        for (line, received_rps, flow_limit, backlog, cpu) in [
            ("1 2 3 0 0 0 0 0 4", 0, 0, 0, None),
            ("1 2 3 0 0 0 0 0 4 5", 5, 0, 0, None),
            ("1 2 3 0 0 0 0 0 4 5 6", 5, 6, 0, None),
            ("1 2 3 0 0 0 0 0 4 5 6 7 1f", 5, 6, 7, Some(31)),
            ("1 2 3 0 0 0 0 0 4 5 6 7 1f 8 9", 5, 6, 7, Some(31)),
        ] {
            let expected = Packets {
                processed: 1,
                dropped: 2,
                squeezed: 3,
                collisions: 4,
                received_rps,
                flow_limit,
                backlog,
                cpu,
            };
            assert_eq!(parse(Fields::from_line(line)).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn invalid_lines_are_errors() {
        for line in ["", "1 2 3 0 0 0 0 0", "1 2 3 0 0 0 0 0 x"] {
            let error = parse(Fields::from_line(line)).unwrap_err().to_string();
            assert!(error.starts_with("test: expected at least nine"), "{error}");
        }
    }
}
