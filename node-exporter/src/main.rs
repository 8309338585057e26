//! Exposes the machine it runs on.

#[cfg(target_os = "linux")]
mod attributes;
#[cfg(target_os = "linux")]
mod collectors;
#[cfg(target_os = "linux")]
mod dbus;
mod filter;
#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
mod netlink;
mod options;
mod portable;
#[cfg(target_os = "linux")]
mod proc;
#[cfg(target_os = "linux")]
#[cfg(test)]
mod scratch;
#[cfg(target_os = "linux")]
mod system;

use std::process::ExitCode;
use std::sync::Arc;

use exporter_core::collector::{Definition, Error};
use exporter_core::desc::Desc;
use exporter_core::flags::{Flag, Flags};
use exporter_core::registry::Registry;
use exporter_core::run::{BUILD_LABELS, Plan, Program};

#[cfg(target_os = "linux")]
static NATIVE: Program<host::Host> = program(options::native::FLAGS, collectors::ALL);
static PORTABLE: Program<()> = program(options::PORTABLE_FLAGS, portable::ALL);

const fn program<Env>(
    flags: &'static [&'static Flag],
    collectors: &'static [&'static Definition<Env>],
) -> Program<Env> {
    Program::new("node-exporter", env!("CARGO_PKG_VERSION"), 9100)
        .about("Exposes the machine it runs on to Prometheus")
        .switch("collector")
        .flags(flags)
        .collectors(collectors)
        .timing(&DURATION, &SUCCESS, "")
        .absent(&ABSENT)
        .build_info(&BUILD_INFO)
}

static DURATION: Desc<1> = Desc::gauge(
    "node_scrape_collector_duration_seconds",
    "Duration of a collector in this scrape.",
    ["collector"],
);
static SUCCESS: Desc<1> = Desc::gauge(
    "node_scrape_collector_success",
    "Whether a collector succeeded in this scrape.",
    ["collector"],
);
static ABSENT: Desc<1> = Desc::gauge(
    "node_scrape_collector_absent",
    "1 for a collector whose hardware or feature the machine lacks; its success is 0.",
    ["collector"],
);
static BUILD_INFO: Desc<7> =
    Desc::gauge("node_exporter_build_info", "Version of this exporter.", BUILD_LABELS);

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    // Before anything else, to keep the memory of a prober small.
    if args.get(1).is_some_and(|first| first == collectors::prober::ARGUMENT) {
        return collectors::prober::main();
    }
    if options::native::selects_portable(&args) {
        return PORTABLE.run(|plan| open(&plan, options::PORTABLE, |_| Ok(())));
    }
    NATIVE.run(|plan| open(&plan, options::NATIVE, options::native::host))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    PORTABLE.run(|plan| open(&plan, options::PORTABLE, |_| Ok(())))
}

/// Builds the registry of a set of collectors: [`options::NATIVE`] or [`options::PORTABLE`].
fn open<Env>(
    plan: &Plan<Env>,
    collector_set: &str,
    environment: fn(&Flags) -> Result<Env, Error>,
) -> Result<Arc<Registry>, Error> {
    options::check_collectors(&plan.flags, collector_set)?;
    let mut settings = plan.settings();
    settings.limits = options::limits(&plan.flags)?;
    Ok(Arc::new(plan.registry(&environment(&plan.flags)?, settings)?))
}
