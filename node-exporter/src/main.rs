//! Exposes the machine it runs on.

mod attributes;
mod collectors;
mod dbus;
mod filter;
mod host;
mod netlink;
mod options;
mod proc;
#[cfg(test)]
mod scratch;
mod system;

use std::env;
use std::process::ExitCode;
use std::sync::Arc;

use exporter_core::desc::Desc;
use exporter_core::run::{BUILD_LABELS, Program};

use host::Host;

static PROGRAM: Program<Host> = Program::new("node-exporter", env!("CARGO_PKG_VERSION"), 9100)
    .about("Exposes the machine it runs on to Prometheus")
    .switch("collector")
    .flags(options::FLAGS)
    .collectors(collectors::ALL)
    .timing(&DURATION, &SUCCESS, "")
    .absent(&ABSENT)
    .build_info(&BUILD_INFO);

static DURATION: Desc<1> = Desc::gauge(
    "node_scrape_collector_duration_seconds",
    "How long a collector took in this scrape.",
    ["collector"],
);
static SUCCESS: Desc<1> = Desc::gauge(
    "node_scrape_collector_success",
    "Whether a collector did all of its work in this scrape.",
    ["collector"],
);
static ABSENT: Desc<1> = Desc::gauge(
    "node_scrape_collector_absent",
    "1 for a collector whose hardware or feature the machine lacks; its success is 0.",
    ["collector"],
);
static BUILD_INFO: Desc<7> =
    Desc::gauge("node_exporter_build_info", "What this exporter was built from.", BUILD_LABELS);

fn main() -> ExitCode {
    // Before anything else: a prober is to be small.
    if env::args_os().nth(1).is_some_and(|first| first == collectors::prober::ARGUMENT) {
        return collectors::prober::main();
    }
    PROGRAM.run(|plan| {
        let mut settings = plan.settings();
        settings.limits = options::limits(&plan.flags)?;
        Ok(Arc::new(Arc::new(plan.registry(&options::host(&plan.flags)?, settings)?)))
    })
}
