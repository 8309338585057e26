//! Flags that do not belong to a collector: filters and limits for all collectors.

#[cfg(target_os = "linux")]
pub(crate) mod native;

use std::sync::Arc;

use exporter_core::collector::Error;
use exporter_core::flags::{Flag, Flags};
use exporter_core::limits::OutputLimits;

use crate::filter::{
    Filter, INTERFACES_EXCLUDE, INTERFACES_INCLUDE, MOUNT_POINTS_EXCLUDE, MOUNT_POINTS_INCLUDE,
};

/// The flags of the portable collectors.
pub(crate) static PORTABLE_FLAGS: &[&Flag] = &[
    &COLLECTORS,
    &INTERFACES_INCLUDE,
    &INTERFACES_EXCLUDE,
    &MOUNT_POINTS_INCLUDE,
    &MOUNT_POINTS_EXCLUDE,
    &METRICS_INCLUDE,
    &METRICS_EXCLUDE,
    &MAX_SERIES,
];

static COLLECTORS: Flag = Flag::text(
    "collectors",
    if cfg!(target_os = "linux") { NATIVE } else { PORTABLE },
    "Which collectors: native (of Linux) or portable (of any system, with fewer metrics).",
);
pub(crate) const NATIVE: &str = "native";
pub(crate) const PORTABLE: &str = "portable";

static METRICS_INCLUDE: Flag = Flag::text(
    "collector.metrics-include",
    "",
    "Metrics of collectors to expose, and no others (pattern, matched with names).",
);
static METRICS_EXCLUDE: Flag = Flag::text(
    "collector.metrics-exclude",
    "",
    "Metrics of collectors to leave out (pattern, matched with names).",
);
static MAX_SERIES: Flag = Flag::text(
    "collector.max-series",
    "0",
    "Maximum number of series of one collector; further ones are dropped and counted. 0 means no limit.",
);

/// Returns an error unless `--collectors` is `collector_set`.
pub(crate) fn check_collectors(flags: &Flags, collector_set: &str) -> Result<(), Error> {
    match flags.text(&COLLECTORS) {
        found if found == collector_set => Ok(()),
        PORTABLE => Err(COLLECTORS.error("must be on the command line, not in a file")),
        NATIVE if !cfg!(target_os = "linux") => {
            Err(COLLECTORS.error("the native collectors need Linux; omit the flag"))
        }
        found => {
            let problem = format!("expected {NATIVE} or {PORTABLE}, found {found:?}");
            Err(COLLECTORS.error(problem))
        }
    }
}

/// Limits on the output of each collector.
pub(crate) fn limits(flags: &Flags) -> Result<OutputLimits, Error> {
    let mut limits = OutputLimits::default();
    let max_series: usize = flags.parsed(&MAX_SERIES, "a number of series")?;
    limits.max_series = (max_series > 0).then_some(max_series);
    let filter = Filter::new(flags, &METRICS_INCLUDE, &METRICS_EXCLUDE)?;
    if !filter.is_empty() {
        limits.is_wanted = Some(Arc::new(move |name| !filter.ignores(name)));
    }
    Ok(limits)
}
