//! A page with two families, served on a port of its own.
//!
//! `cargo run --example basic`, then `curl localhost:9990/metrics`.

use std::error::Error;
use std::future;

use exporter_core::instrument::{Counter, Gauge, Labelled, Metric};
use exporter_core::registry::Registry;
use exporter_core::web::{Listener, Site};

static JOBS: Labelled<Counter, 1> =
    Labelled::counter("app_jobs_total", "Jobs done, by result.", ["result"]);
static QUEUED: Metric<Gauge> = Metric::gauge("app_jobs_queued", "Jobs that wait.");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    JOBS.with(["ok"]).inc();
    QUEUED.set(3.0);

    let registry = Registry::builder().instruments("app", [&JOBS, &QUEUED]).build();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9990".to_owned());
    let listeners = Listener::bind(&[address])?;
    Site::new("basic", registry).serve(listeners, future::pending::<()>()).await;
    Ok(())
}
