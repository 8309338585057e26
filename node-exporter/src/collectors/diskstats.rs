//! What each block device has read and written: `/proc/diskstats`.
//!
//! The kernel counts sectors of 512 bytes whatever the device, and time in milliseconds; see
//! `Documentation/admin-guide/iostats.rst`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, Host};

pub(super) static DEFINITION: Definition = Definition {
    name: "diskstats",
    about: "Block device I/O",
    on_by_default: true,
    reads: &["/proc/diskstats"],
    flags: &[],
    metrics: &[&COLUMNS],
    build: |host, _| Ok(Source::blocking(Diskstats(host.clone()))),
};

static COLUMNS: [Column<Io, 1>; 5] = [
    Desc::counter("node_disk_reads_completed_total", "Reads completed.", DEVICE)
        .column(|io| Some(io.reads)),
    Desc::counter("node_disk_read_bytes_total", "Bytes read.", DEVICE)
        .column(|io| Some(io.read_sectors * SECTOR)),
    Desc::counter("node_disk_read_time_seconds_total", "Time reads took.", DEVICE)
        .column(|io| Some(io.read_ms / 1e3)),
    Desc::gauge("node_disk_io_now", "I/Os in progress.", DEVICE).column(|io| Some(io.in_progress)),
    Desc::counter("node_disk_discards_completed_total", "Discards completed.", DEVICE)
        .column(|io| io.discards),
];

const DEVICE: [&str; 1] = ["device"];
const SECTOR: f64 = 512.0;

struct Diskstats(Host);

impl Collector for Diskstats {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc("diskstats")?;
        let disks = file.lines().map(parse).collect::<Result<Vec<_>, _>>()?;
        out.table(&COLUMNS, &disks);
        Ok(())
    }
}

/// A line of `/proc/diskstats`, as far as it is exposed.
#[derive(Debug, PartialEq)]
struct Io {
    reads: f64,
    read_sectors: f64,
    read_ms: f64,
    in_progress: f64,
    /// Since Linux 4.18.
    discards: Option<f64>,
}

fn parse(mut line: Fields<'_>) -> Result<([&str; 1], Io), Error> {
    line.skip(2); // major, minor
    let device = line.word("a device name")?;
    let reads = line.number("reads completed")?;
    line.skip(1); // reads merged
    let read_sectors = line.number("sectors read")?;
    let read_ms = line.number("ms spent reading")?;
    line.skip(4); // writes
    let in_progress = line.number("I/Os in progress")?;
    line.skip(2); // ms doing I/O, weighted
    let discards = line.newer("discards completed")?;
    Ok(([device], Io { reads, read_sectors, read_ms, in_progress, discards }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_several_kernels() {
        for (line, reads, discards) in [
            ("8 0 sda 1 0 2 3 0 0 0 0 4 0 0", 1.0, None),
            ("8 0 sda 1 0 2 3 0 0 0 0 4 0 0 5 0 0 0", 1.0, Some(5.0)),
            ("8 0 sda 1 0 2 3 0 0 0 0 4 0 0 5 0 0 0 6 7", 1.0, Some(5.0)),
        ] {
            let ([device], io) = parse(Fields::of(line)).unwrap();
            assert_eq!((device, io.reads, io.discards), ("sda", reads, discards), "{line}");
        }
    }

    #[test]
    fn lines_of_no_kernel() {
        for (line, missing) in [
            ("", "a device name"),
            ("8 0 sda 1 0", "sectors read"),
            ("8 0 sda 1 0 x", "sectors read"),
        ] {
            let error = parse(Fields::of(line)).unwrap_err().to_string();
            assert_eq!(error, format!("test: expected {missing}, found {line:?}"));
        }
    }
}
