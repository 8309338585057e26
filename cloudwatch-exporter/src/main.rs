//! Exposes Amazon CloudWatch.

mod allowance;
mod budget;
mod cache;
mod calls;
mod check;
mod cloud;
mod collectors;
mod config;
mod cost;
mod demo;
mod discovery;
mod estimate;
mod exporter;
mod exposition;
mod fetch;
#[cfg(test)]
mod fuzz;
mod name_filter;
mod naming;
mod options;
mod page;
mod results;
mod rule;
mod services;
mod snapshot;
mod stream;
mod stream_receiver;
mod target;
mod usage;
mod yace;

use std::env::args_os;
use std::process::ExitCode;

use exporter_core::desc::Desc;
use exporter_core::run::Program;

use exporter::CloudWatchExporter;
use page::Page;

static PROGRAM: Program<Page> =
    Program::new("cloudwatch-exporter", env!("CARGO_PKG_VERSION"), 9106)
        .about("Exposes Amazon CloudWatch to Prometheus")
        .switch("collector")
        .flags(options::FLAGS)
        .collectors(collectors::ALL)
        .timing(&DURATION, &SUCCESS, "")
        .build_info(&BUILD_INFO);

static DURATION: Desc<1> = Desc::gauge(
    "cloudwatch_exporter_collector_duration_seconds",
    "Duration of a collector in this scrape.",
    ["collector"],
);
static SUCCESS: Desc<1> = Desc::gauge(
    "cloudwatch_exporter_collector_success",
    "Whether a collector succeeded in this scrape.",
    ["collector"],
);
/// The version label has the name of the Java exporter.
static BUILD_INFO: Desc<7> = Desc::gauge(
    "cloudwatch_exporter_build_info",
    "Version of this exporter.",
    ["build_version", "revision", "release_date", "tags", "goversion", "goos", "goarch"],
);

fn main() -> ExitCode {
    PROGRAM.run_with(options::convert_arguments(args_os()), |plan| CloudWatchExporter::open(&plan))
}
