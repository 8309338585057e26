//! I/O statistics of tape drives: `/sys/class/scsi_tape`, see
//! `Documentation/ABI/testing/sysfs-class-scsi_tape`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use regex::bytes::Regex;

use super::Definition;
use crate::attributes::{Attributes, attribute, each};
use crate::filter;
use crate::host::{Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("tapestats", "Tape drives", |host, flags| {
        Ok(Source::blocking(TapeStats {
            host: host.clone(),
            ignored: filter::pattern(flags, &IGNORED)?,
        }))
    })
    .cost("about 10 small files per drive")
    .reads(&["/sys/class/scsi_tape/st*/stats/*"])
    .flags(&[&IGNORED])
    .metrics(&[&STATISTICS]);

static IGNORED: Flag =
    Flag::text("collector.tapestats.ignored-devices", "^$", "Tape drives to leave out (pattern).");

static STATISTICS: Attributes<1, 10> = Attributes([
    attribute("in_flight", Desc::gauge("node_tape_io_now", "Requests in progress.", DEVICE)),
    attribute(
        "io_ns",
        Desc::counter("node_tape_io_time_seconds_total", "Time that all requests took.", DEVICE),
    )
    .scaled(seconds),
    attribute(
        "other_cnt",
        Desc::counter(
            "node_tape_io_others_total",
            "Requests that were neither reads nor writes.",
            DEVICE,
        ),
    ),
    attribute("read_byte_cnt", Desc::counter("node_tape_read_bytes_total", "Bytes read.", DEVICE)),
    attribute("read_cnt", Desc::counter("node_tape_reads_completed_total", "Reads done.", DEVICE)),
    attribute(
        "read_ns",
        Desc::counter("node_tape_read_time_seconds_total", "Time that reads took.", DEVICE),
    )
    .scaled(seconds),
    attribute(
        "resid_cnt",
        Desc::counter(
            "node_tape_residual_total",
            "Reads and writes that transferred less than requested.",
            DEVICE,
        ),
    ),
    attribute(
        "write_byte_cnt",
        Desc::counter("node_tape_written_bytes_total", "Bytes written.", DEVICE),
    ),
    attribute(
        "write_cnt",
        Desc::counter("node_tape_writes_completed_total", "Writes done.", DEVICE),
    ),
    attribute(
        "write_ns",
        Desc::counter("node_tape_write_time_seconds_total", "Time that writes took.", DEVICE),
    )
    .scaled(seconds),
]);

const DEVICE: [&str; 1] = ["device"];

fn seconds(nanoseconds: f64) -> f64 {
    nanoseconds * 1e-9
}

struct TapeStats {
    host: Host,
    ignored: Option<Regex>,
}

impl Collector for TapeStats {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut devices = self.host.devices("class/scsi_tape").or_absent("tape drive")?;
        devices.retain(|(name, _)| {
            is_drive(name)
                && !self.ignored.as_ref().is_some_and(|ignored| ignored.is_match(name.as_bytes()))
        });
        let (drives, result) = each(devices, |_, device| STATISTICS.read(&device.device("stats")?));
        let rows: Vec<_> = drives.iter().map(|(name, values)| ([name.as_str()], *values)).collect();
        STATISTICS.expose(out, &rows);
        result
    }
}

/// Whether a name is that of the main device of a drive. A drive also has the device `nst0`, which
/// does not rewind, and one device per mode, such as `st0a`, all with the same statistics.
fn is_drive(name: &str) -> bool {
    let number = name.strip_prefix("st").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_device_of_a_drive_is_used() {
        for (name, counts) in
            [("st0", true), ("st12", true), ("nst0", false), ("st0a", false), ("st", false)]
        {
            assert_eq!(is_drive(name), counts, "{name}");
        }
    }
}
