//! I/O statistics and properties of block devices: `/proc/diskstats`, the database of udev, and
//! `/sys/block/<device>/queue/rotational`.
//!
//! The kernel counts sectors of 512 bytes whatever the device, and time in milliseconds; see
//! `Documentation/admin-guide/iostats.rst`.

mod io;
mod udev;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use self::io::{Io, parse};
use self::udev::Properties;
use super::Definition;
use crate::filter::{self, Filter};
use crate::host::{Device, File, Host};

pub(super) static DEFINITION: Definition =
    Definition::new("diskstats", "Block device I/O", |host, flags| {
        let exclude = filter::renamed_flag(flags, &IGNORED, &EXCLUDE)?;
        let filter = Filter::one_of(flags, &INCLUDE, exclude)?;
        Ok(Source::blocking(Diskstats { host: host.clone(), filter }))
    })
    .cost("one file with a line per device; two small files per new device")
    .reads(&["/proc/diskstats", "/run/udev/data/b*", "/sys/block/*/queue/rotational"])
    .flags(&[&EXCLUDE, &INCLUDE, &IGNORED])
    .metrics(&[
        &INFO,
        &COLUMNS,
        &FILESYSTEM,
        &DEVICE_MAPPER,
        &WRITE_CACHE,
        &WRITE_CACHE_ENABLED,
        &ROTATION_RATE,
    ]);

static EXCLUDE: Flag = Flag::text(
    "collector.diskstats.device-exclude",
    r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$",
    "Block devices to leave out (pattern); not together with device-include.",
);
static INCLUDE: Flag = Flag::text(
    "collector.diskstats.device-include",
    "",
    "Block devices to expose, and no others (pattern); not together with device-exclude.",
);
static IGNORED: Flag = Flag::text(
    "collector.diskstats.ignored-devices",
    "",
    "The old name of --collector.diskstats.device-exclude.",
)
.hidden();

static INFO: Desc<9> = Desc::gauge(
    "node_disk_info",
    "Properties of a block device from the kernel and udev.",
    ["device", "major", "minor", "path", "wwn", "model", "serial", "revision", "rotational"],
);
static FILESYSTEM: Desc<5> = Desc::gauge(
    "node_disk_filesystem_info",
    "The file system or other content that udev found on a block device.",
    ["device", "type", "usage", "uuid", "version"],
);
static DEVICE_MAPPER: Desc<6> = Desc::gauge(
    "node_disk_device_mapper_info",
    "Names of a block device in the device mapper and LVM.",
    ["device", "name", "uuid", "vg_name", "lv_name", "lv_layer"],
);
static WRITE_CACHE: Desc<1> =
    Desc::gauge("node_disk_ata_write_cache", "Whether an ATA disk has a write cache.", DEVICE);
static WRITE_CACHE_ENABLED: Desc<1> = Desc::gauge(
    "node_disk_ata_write_cache_enabled",
    "Whether an ATA disk's write cache is in use.",
    DEVICE,
);
static ROTATION_RATE: Desc<1> = Desc::gauge(
    "node_disk_ata_rotation_rate_rpm",
    "Rotations of an ATA disk per minute; 0 for solid-state disks.",
    DEVICE,
);

static COLUMNS: [Column<Io, 1>; 17] = [
    Desc::counter("node_disk_reads_completed_total", "Reads completed.", DEVICE)
        .column(|io| Some(io.reads)),
    Desc::counter("node_disk_reads_merged_total", "Reads merged with a queued one.", DEVICE)
        .column(|io| Some(io.reads_merged)),
    Desc::counter("node_disk_read_bytes_total", "Bytes read.", DEVICE)
        .column(|io| Some(io.read_sectors * SECTOR)),
    Desc::counter("node_disk_read_time_seconds_total", "Total time of reads.", DEVICE)
        .column(|io| Some(io.read_ms * MILLI)),
    Desc::counter("node_disk_writes_completed_total", "Writes completed.", DEVICE)
        .column(|io| Some(io.writes)),
    Desc::counter("node_disk_writes_merged_total", "Writes merged with a queued one.", DEVICE)
        .column(|io| Some(io.writes_merged)),
    Desc::counter("node_disk_written_bytes_total", "Bytes written.", DEVICE)
        .column(|io| Some(io.written_sectors * SECTOR)),
    Desc::counter("node_disk_write_time_seconds_total", "Total time of writes.", DEVICE)
        .column(|io| Some(io.write_ms * MILLI)),
    Desc::gauge("node_disk_io_now", "Requests in flight.", DEVICE).column(|io| Some(io.in_flight)),
    Desc::counter(
        "node_disk_io_time_seconds_total",
        "Time in which at least one request was in flight.",
        DEVICE,
    )
    .column(|io| Some(io.busy_ms * MILLI)),
    Desc::counter(
        "node_disk_io_time_weighted_seconds_total",
        "Time multiplied by the requests then in flight.",
        DEVICE,
    )
    .column(|io| Some(io.weighted_ms * MILLI)),
    Desc::counter("node_disk_discards_completed_total", "Discards completed.", DEVICE)
        .column(|io| Some(io.discards?.completed)),
    Desc::counter("node_disk_discards_merged_total", "Discards merged with a queued one.", DEVICE)
        .column(|io| Some(io.discards?.merged)),
    Desc::counter("node_disk_discarded_sectors_total", "Sectors of 512 bytes discarded.", DEVICE)
        .column(|io| Some(io.discards?.sectors)),
    Desc::counter("node_disk_discard_time_seconds_total", "Total time of discards.", DEVICE)
        .column(|io| Some(io.discards?.ms * MILLI)),
    Desc::counter("node_disk_flush_requests_total", "Flushes completed.", DEVICE)
        .column(|io| Some(io.flushes?.completed)),
    Desc::counter("node_disk_flush_requests_time_seconds_total", "Total time of flushes.", DEVICE)
        .column(|io| Some(io.flushes?.ms * MILLI)),
];

const DEVICE: [&str; 1] = ["device"];
const SECTOR: f64 = 512.0;
const MILLI: f64 = 0.001;

struct Diskstats {
    host: Host,
    filter: Filter,
}

impl Collector for Diskstats {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.host.proc("diskstats")?;
        let mut result = Ok(());
        let mut counters = Vec::new();
        let mut disks = Vec::new();
        let (block, udev) = (self.host.device("block").ok(), self.host.udev().ok());
        for line in file.lines() {
            match parse(line) {
                Ok((_, [device], _)) if self.filter.ignores(device) => {}
                Ok((numbers, device, io)) => {
                    disks.push(Disk::read(numbers, device, block.as_ref(), udev.as_ref()));
                    counters.push((device, io));
                }
                // An invalid line does not hide other disks.
                Err(error) => result = result.and(Err(error)),
            }
        }
        let properties: Vec<_> =
            disks.iter().map(|disk| (disk.device, Properties::parse(disk.udev.as_ref()))).collect();

        let mut info = out.family(&INFO);
        for (disk, ([device], p)) in disks.iter().zip(&properties) {
            let [major, minor] = disk.numbers;
            let rotational = disk.rotational.as_ref().map_or("0", File::trimmed);
            let serial = p.serial();
            info.sample(
                [device, major, minor, p.path, p.wwn, p.model, serial, p.revision, rotational],
                1.0,
            );
        }
        out.table(&COLUMNS, &counters);
        write_properties(out, &properties);
        result
    }
}

/// A device with its files, if they exist.
struct Disk<'a> {
    /// Major and minor.
    numbers: [&'a str; 2],
    device: [&'a str; 1],
    udev: Option<File>,
    rotational: Option<File>,
}

impl<'a> Disk<'a> {
    fn read(
        numbers: [&'a str; 2],
        device: [&'a str; 1],
        block: Option<&Device>,
        udev: Option<&Device>,
    ) -> Self {
        let [major, minor] = numbers;
        let udev = udev.and_then(|udev| udev.file(format!("b{major}:{minor}")).ok());
        // The kernel replaces the slash in a name such as cciss/c0d0 with an exclamation mark.
        let rotational = format!("{}/queue/rotational", device.concat().replace('/', "!"));
        let rotational = block.and_then(|block| block.file(rotational).ok());
        let rotational = rotational.filter(|file| !file.trimmed().is_empty());
        Self { numbers, device, udev, rotational }
    }
}

/// Writes the properties from udev, for the devices that have any.
fn write_properties(out: &mut Families, disks: &[([&str; 1], Properties<'_>)]) {
    let mut family = out.family(&FILESYSTEM);
    for ([device], p) in disks.iter().filter(|(_, p)| !p.fs_type.is_empty()) {
        family.sample([device, p.fs_type, p.fs_usage, p.fs_uuid, p.fs_version], 1.0);
    }
    let mut family = out.family(&DEVICE_MAPPER);
    for ([device], p) in disks.iter().filter(|(_, p)| !p.dm_name.is_empty()) {
        let names = [device, p.dm_name, p.dm_uuid, p.vg_name, p.lv_name, p.lv_layer];
        family.sample(names, 1.0);
    }
    ata(out, disks, &WRITE_CACHE, |p| p.write_cache.parse().ok());
    ata(out, disks, &WRITE_CACHE_ENABLED, |p| p.write_cache_enabled.parse().ok());
    ata(out, disks, &ROTATION_RATE, |p| p.rotation_rate.parse().ok());
}

fn ata(
    out: &mut Families,
    disks: &[([&str; 1], Properties<'_>)],
    desc: &Desc<1>,
    value: impl Fn(&Properties<'_>) -> Option<f64>,
) {
    let mut family = out.family(desc);
    for (device, p) in disks.iter().filter(|(_, p)| !p.ata.is_empty()) {
        if let Some(value) = value(p) {
            family.sample(*device, value);
        }
    }
}
