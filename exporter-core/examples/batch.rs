//! A batch job that pushes its metrics when it ends: how long it took, when it last succeeded, and what
//! it did.
//!
//! `cargo run --example batch --features push -- http://localhost:9091`

use exporter_core::instrument::{Counter, Gauge, Metric};
use exporter_core::push::{PushError, Pushgateway};

static FILES: Metric<Counter> = Metric::counter("backup_files_total", "Files backed up.");
static BYTES: Metric<Gauge> = Metric::gauge("backup_size_bytes", "Size of the backup.");

fn main() -> Result<(), PushError> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://localhost:9091".to_owned());
    let group = Pushgateway::builder(url).build()?.group("backup").label("instance", "db1");
    // Returning early, or a panic, counts as a failed run.
    let run = group.run(&[&FILES, &BYTES]);
    for size in [1200.0, 350.0, 40.0] {
        FILES.inc();
        BYTES.add(size);
    }
    run.succeeded()
}
