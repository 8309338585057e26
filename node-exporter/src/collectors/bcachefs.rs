//! bcachefs file systems: `/sys/fs/bcachefs`.

mod text;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;

use self::text::{compression, counter, done, human_readable, io_errors, written};
use super::Definition;
use crate::attributes::{Attributes, Samples, Values, attribute};
use crate::host::{Device, File, Host, OrAbsent, if_exists, if_supported};
use crate::proc::named::MAX_NAMES;

pub(super) static DEFINITION: Definition =
    Definition::new("bcachefs", "bcachefs file systems", |host, _| {
        Ok(Source::blocking(Bcachefs(host.clone())))
    })
    .cost("about 100 small files per file system")
    .reads(&[
        "/sys/fs/bcachefs/*/{btree_cache_size,btree_write_stats,compression_stats,errors}",
        "/sys/fs/bcachefs/*/counters/*",
        "/sys/fs/bcachefs/*/dev-*/{bucket_size,durability,io_done,io_errors,label,nbuckets,state}",
    ])
    .metrics(&[
        &INFO,
        &CACHE_SIZE,
        &COMPRESSED,
        &UNCOMPRESSED,
        &ERRORS,
        &WRITES,
        &WRITE_SIZE,
        &DEVICE_INFO,
        &DEVICE,
        &DEVICE_DONE,
        &DEVICE_ERRORS,
        &Counters,
    ]);

static INFO: Desc<1> =
    Desc::gauge("node_bcachefs_info", "A mounted file system; always 1.", ["uuid"]);
static CACHE_SIZE: Desc<1> = Desc::gauge(
    "node_bcachefs_btree_cache_size_bytes",
    "Memory that the cache of trees takes.",
    ["uuid"],
);
static COMPRESSED: Desc<2> = Desc::gauge(
    "node_bcachefs_compression_compressed_bytes",
    "Size of data on disk, by how it is compressed.",
    ["uuid", "algorithm"],
);
static UNCOMPRESSED: Desc<2> = Desc::gauge(
    "node_bcachefs_compression_uncompressed_bytes",
    "Size of data before compression, by how it is compressed.",
    ["uuid", "algorithm"],
);
static ERRORS: Desc<2> = Desc::counter(
    "node_bcachefs_errors_total",
    "Errors found in the file system, by kind.",
    ["uuid", "error_type"],
);
static WRITES: Desc<2> = Desc::counter(
    "node_bcachefs_btree_writes_total",
    "Writes of nodes of trees, by reason.",
    ["uuid", "type"],
);
static WRITE_SIZE: Desc<2> = Desc::gauge(
    "node_bcachefs_btree_write_average_size_bytes",
    "Average size of writes of nodes of trees, by reason.",
    ["uuid", "type"],
);
static DEVICE_INFO: Desc<4> = Desc::gauge(
    "node_bcachefs_device_info",
    "A device of a file system; always 1.",
    ["uuid", "device", "label", "state"],
);
static DEVICE: Attributes<2, 3> = Attributes([
    attribute(
        "bucket_size",
        Desc::gauge(
            "node_bcachefs_device_bucket_size_bytes",
            "Size of the buckets of a device.",
            ["uuid", "device"],
        ),
    ),
    attribute(
        "nbuckets",
        Desc::gauge("node_bcachefs_device_buckets", "Buckets of a device.", ["uuid", "device"]),
    ),
    attribute(
        "durability",
        Desc::gauge(
            "node_bcachefs_device_durability",
            "Number of copies that a copy on the device counts as.",
            ["uuid", "device"],
        ),
    ),
]);
static DEVICE_DONE: Desc<4> = Desc::counter(
    "node_bcachefs_device_io_done_bytes_total",
    "Data read from and written to a device.",
    ["uuid", "device", "operation", "data_type"],
);
static DEVICE_ERRORS: Desc<3> = Desc::counter(
    "node_bcachefs_device_io_errors_total",
    "Errors of a device since the file system was made.",
    ["uuid", "device", "type"],
);

/// The families that are named after files.
struct Counters;

const COUNTER_HELP: &str = "Counter of the file system, since it was made.";

impl Describe for Counters {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let name = "node_bcachefs_<counter>_total";
        visit(DynDesc::new(name, COUNTER_HELP, Kind::Counter, &["uuid"]));
    }
}

struct Bcachefs(Host);

impl Collector for Bcachefs {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let systems = self.0.devices("fs/bcachefs").or_absent("bcachefs file system")?;
        if systems.is_empty() {
            return Err(Error::Absent("bcachefs file system"));
        }
        let mut samples = FamilySamples::default();
        let mut result = Ok(());
        for (uuid, device) in &systems {
            result = result.and(samples.read_system(uuid, device));
        }
        samples.expose(out);
        result
    }
}

/// The samples of each family.
#[derive(Default)]
struct FamilySamples<'a> {
    info: Samples<1>,
    cache_size: Samples<1>,
    compressed: Samples<2>,
    uncompressed: Samples<2>,
    errors: Samples<2>,
    writes: Samples<2>,
    write_size: Samples<2>,
    device_info: Samples<4>,
    devices: Vec<([String; 2], Values<3>)>,
    done: Samples<4>,
    device_errors: Samples<3>,
    /// The name of the counter, the file system and the value.
    counters: Vec<(String, &'a str, f64)>,
}

impl<'a> FamilySamples<'a> {
    fn read_system(&mut self, uuid: &'a str, system: &Device) -> Result<(), Error> {
        self.info.push([uuid], 1.0);
        if let Some(size) = number(system, "btree_cache_size")? {
            self.cache_size.push([uuid], size);
        }
        for (name, [compressed, uncompressed]) in
            parse_file(system, "compression_stats", compression)?
        {
            self.compressed.push([uuid, &name], compressed);
            self.uncompressed.push([uuid, &name], uncompressed);
        }
        for (name, count) in parse_file(system, "errors", text::errors)? {
            self.errors.push([uuid, &name], count);
        }
        for (name, [count, size]) in parse_file(system, "btree_write_stats", written)? {
            self.writes.push([uuid, &name], count);
            self.write_size.push([uuid, &name], size);
        }
        if let Some(counters) = if_exists(system.device("counters"))? {
            for name in counters.names()?.into_iter().take(MAX_NAMES) {
                let value = counter(&counters.file(&name)?)?;
                self.counters.push((name, uuid, value));
            }
        }
        for (name, device) in system.devices()? {
            if let Some(number) = name.strip_prefix("dev-") {
                self.read_device([uuid, number], &device)?;
            }
        }
        Ok(())
    }

    fn read_device(&mut self, [uuid, name]: [&str; 2], device: &Device) -> Result<(), Error> {
        let text = |file| if_supported(device.string(file)).map(Option::unwrap_or_default);
        self.device_info.push([uuid, name, &text("label")?, &text("state")?], 1.0);
        let values = DEVICE.values(|file| number(device, file))?;
        self.devices.push(([uuid, name].map(str::to_owned), values));
        for ([operation, kind], bytes) in parse_file(device, "io_done", done)? {
            self.done.push([uuid, name, &operation, &kind], bytes);
        }
        for (kind, count) in parse_file(device, "io_errors", io_errors)? {
            self.device_errors.push([uuid, name, &kind], count);
        }
        Ok(())
    }

    fn expose(&mut self, out: &mut Families) {
        self.info.expose(out, &INFO);
        self.cache_size.expose(out, &CACHE_SIZE);
        self.compressed.expose(out, &COMPRESSED);
        self.uncompressed.expose(out, &UNCOMPRESSED);
        self.errors.expose(out, &ERRORS);
        self.writes.expose(out, &WRITES);
        self.write_size.expose(out, &WRITE_SIZE);
        self.device_info.expose(out, &DEVICE_INFO);
        DEVICE.expose_owned(out, &self.devices);
        self.done.expose(out, &DEVICE_DONE);
        self.device_errors.expose(out, &DEVICE_ERRORS);
        self.counters.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        for counters in self.counters.chunk_by(|(one, ..), (other, ..)| one == other) {
            let Some((name, ..)) = counters.first() else { continue };
            let name = family_name(name);
            let desc = Desc::try_new(&name, COUNTER_HELP, Kind::Counter, ["uuid"]);
            let Some(desc) = desc else { continue };
            let mut family = out.family(&desc);
            for (_, uuid, value) in counters {
                family.sample([uuid], *value);
            }
        }
    }
}

/// The family of a counter. Underscores replace characters that are invalid in metric names.
fn family_name(counter: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("node_bcachefs_{}_total", counter.chars().map(legal).collect::<String>())
}

/// A file that contains one number, with or without a unit.
fn number(device: &Device, file: &str) -> Result<Option<f64>, Error> {
    let Some(text) = if_supported(device.string(file))? else { return Ok(None) };
    match human_readable(&text) {
        Some(number) => Ok(Some(number)),
        None => Err(device.parse_error(file, "a number such as 12 or 2.05G", &text)),
    }
}

/// The parsed content of a file with several lines, or nothing if it does not exist.
fn parse_file<T>(
    device: &Device,
    name: &str,
    parse: fn(&File) -> Result<Vec<T>, Error>,
) -> Result<Vec<T>, Error> {
    if_exists(device.file(name))?.map_or_else(|| Ok(Vec::new()), |file| parse(&file))
}
