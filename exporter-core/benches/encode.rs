//! The cost of encoding 10,000 series: `cargo bench -p exporter-core`.

use std::fmt::Display;
use std::hint::black_box;
use std::io::Write;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use exporter_core::desc::{Column, Desc, Kind};
use exporter_core::families::Families;
use exporter_core::format::{Escaping, Format};
use exporter_core::testing;
use exporter_core::value::{Bucket, HistogramValue};
use flate2::Compression;
use flate2::write::GzEncoder;

const LABELS: [&str; 3] = ["device", "mountpoint", "state"];

/// Five kinds of numbers, of 2,000 things: seconds, bytes, small counts, ratios and nothing.
static COLUMNS: [Column<f64, 3>; 5] = [
    Desc::counter("node_thing_seconds_total", "Seconds.", LABELS).column(|n| Some(n * 17.03)),
    Desc::gauge("node_thing_bytes", "Bytes.", LABELS).column(|n| Some(n * 4096.0)),
    Desc::gauge("node_thing_count", "Count.", LABELS).column(|n| Some(*n)),
    Desc::gauge("node_thing_ratio", "Ratio.", LABELS).column(|n| Some(n / 2000.1)),
    Desc::counter("node_thing_errors_total", "Errors.", LABELS).column(|_| Some(0.0)),
];

/// Five counters of each of 2,000 things.
static COUNTERS: [Column<f64, 3>; 5] = [
    Desc::counter("node_thing_seconds_total", "Seconds.", LABELS).column(|n| Some(n * 17.03)),
    Desc::counter("node_thing_bytes_total", "Bytes.", LABELS).column(|n| Some(n * 4096.0)),
    Desc::counter("node_thing_events_total", "Events.", LABELS).column(|n| Some(*n)),
    Desc::counter("node_thing_packets_total", "Packets.", LABELS).column(|n| Some(n * 977.0)),
    Desc::counter("node_thing_errors_total", "Errors.", LABELS).column(|_| Some(0.0)),
];

static TOOK: Desc<'_, 1> = Desc::histogram("node_took_seconds", "Took.", ["thing"]);

fn things() -> Vec<[String; 3]> {
    let thing = |n: u32| {
        let state = if n.is_multiple_of(2) { "idle" } else { "busy" };
        [format!("sd{n}"), format!("/srv/data/{n}"), state.to_owned()]
    };
    (0..2000).map(thing).collect()
}

/// A page of 10,000 samples.
fn samples(format: Format, rows: &[([&str; 3], f64)]) -> Vec<u8> {
    let mut out = Families::new(format, Escaping::AllowUtf8);
    out.table(&COLUMNS, rows);
    testing::page(&[out])
}

/// A page of 500 histograms of 11 buckets, 7,000 samples.
fn histograms(format: Format, rows: &[([&str; 3], f64)]) -> Vec<u8> {
    let mut out = Families::new(format, Escaping::AllowUtf8);
    write_histograms(&mut out, rows);
    testing::page(&[out])
}

fn write_histograms(out: &mut Families, rows: &[([&str; 3], f64)]) {
    let mut family = out.family(&TOOK);
    for ([device, ..], n) in rows.iter().take(500) {
        let buckets: [Bucket<'_>; 11] =
            std::array::from_fn(|at| Bucket::new(f64::from(1 << at) * 0.005, at as u64 * 977));
        let value = HistogramValue::new(12_345, *n).with_buckets(&buckets);
        family.histogram([device], &value);
    }
}

/// A page of 10,000 counters and 500 histograms.
fn instruments(format: Format, rows: &[([&str; 3], f64)]) -> Vec<u8> {
    let mut out = Families::new(format, Escaping::AllowUtf8);
    out.table(&COUNTERS, rows);
    write_histograms(&mut out, rows);
    testing::page(&[out])
}

/// A typical page: 300 families of 2 to 4 samples.
fn machine(format: Format, names: &[String]) -> Vec<u8> {
    let mut out = Families::new(format, Escaping::AllowUtf8);
    for (nth, name) in names.iter().enumerate() {
        let help = "What it is, in a few words.";
        let desc = Desc::try_new(name, help, Kind::Gauge, ["device"]);
        let Some(desc) = desc else { continue };
        let mut family = out.family(&desc);
        for device in ["eth0", "eth1", "lo", "docker0"].iter().take(2 + nth % 3) {
            family.sample([device], nth as f64 * 1.5);
        }
    }
    testing::page(&[out])
}

fn encode(criterion: &mut Criterion) {
    let things = things();
    let rows: Vec<_> = (0_u32..)
        .zip(&things)
        .map(|(n, labels)| (labels.each_ref().map(String::as_str), f64::from(n)))
        .collect();
    let names: Vec<_> = (0..300).map(|n| format!("node_subsystem_field_{n}_bytes")).collect();
    let mut group = criterion.benchmark_group("encode");
    for format in [Format::Text004, Format::OpenMetrics, Format::Protobuf] {
        let mut measure = |what: &dyn Display, page: &dyn Fn() -> Vec<u8>| {
            group.throughput(Throughput::Bytes(page().len() as u64));
            group.bench_function(BenchmarkId::new(what.to_string(), format!("{format:?}")), |b| {
                b.iter(|| black_box(page()));
            });
        };
        measure(&"10k-samples", &|| samples(format, &rows));
        measure(&"10k-counters-500-histograms", &|| instruments(format, &rows));
        measure(&"500-histograms", &|| histograms(format, &rows));
        measure(&"machine-900", &|| machine(format, &names));
    }
    group.finish();

    let mut group = criterion.benchmark_group("gzip");
    let page = samples(Format::Text004, &rows);
    group.throughput(Throughput::Bytes(page.len() as u64));
    for level in [1, 6] {
        group.bench_function(BenchmarkId::new("10k-samples", level), |b| {
            b.iter(|| {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::new(level));
                // Writing to memory does not fail.
                let _ = gzip.write_all(&page);
                black_box(gzip.finish())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
