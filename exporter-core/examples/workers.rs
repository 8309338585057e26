//! Several processes of one program on a machine. Each serves its metrics on the first free port of
//! a range, and writes a file for the `file_sd_configs` of Prometheus:
//!
//! ```yaml
//! scrape_configs:
//!   - job_name: workers
//!     file_sd_configs: [{files: [/run/workers/*.json]}]
//! ```
//!
//! `cargo run --example workers -- /run/workers`, as often as you like.

use std::error::Error;
use std::path::Path;
use std::{env, fs, io};

use exporter_core::instrument::{Counter, Metric};
use exporter_core::process::ProcessMetrics;
use exporter_core::registry::Registry;
use exporter_core::web::{Listener, Site};
use tokio::signal::unix::{SignalKind, signal};

static JOBS: Metric<Counter> = Metric::counter("app_jobs_total", "Jobs done by this worker.");

/// Ports of a range.
const PORTS: u16 = 100;

/// Prometheus may read the directory at any time, so the file appears under its name when it is
/// complete.
fn announce(file: &Path, target: &str) -> io::Result<()> {
    let draft = file.with_extension("tmp");
    fs::write(&draft, format!("[{{\"targets\": [\"{target}\"]}}]\n"))?;
    fs::rename(draft, file)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let directory = arguments.next().ok_or("usage: workers DIRECTORY [FIRST_PORT]")?;
    let first = arguments.next().map_or(Ok(9300), |port| port.parse::<u16>())?;

    let mut terminated = signal(SignalKind::terminate())?;
    let registry = Registry::builder().instruments("app", [&JOBS, &ProcessMetrics]).build();
    let listener = Listener::bind_first_free("127.0.0.1", first..=first.saturating_add(PORTS - 1))?;
    let target = listener.local_addr().ok_or("the listener has no address")?;
    // A worker that was killed leaves its file; the next one on its port overwrites it.
    let file = Path::new(&directory).join(format!("{}.json", target.port()));
    announce(&file, &target.to_string())?;
    JOBS.inc();
    Site::new("worker", registry).serve(vec![listener], terminated.recv()).await;
    fs::remove_file(file)?;
    Ok(())
}
