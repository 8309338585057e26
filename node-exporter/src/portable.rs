//! Collectors for systems other than Linux, based on the crate `sysinfo`.
//!
//! Names of collectors and metrics are those of `node_exporter` on Darwin and the BSDs. On Linux,
//! `--collectors=portable` selects them, for tests that compare them with the native collectors.

mod boottime;
mod cpu;
mod diskstats;
mod filesystem;
mod hwmon;
mod loadavg;
mod meminfo;
mod netdev;
mod os;
mod uname;

/// The collectors only need the system itself.
type Definition = exporter_core::collector::Definition<()>;

/// All collectors, in the order of the exposition.
pub(crate) static ALL: &[&Definition] = &[
    &boottime::DEFINITION,
    &cpu::DEFINITION,
    &diskstats::DEFINITION,
    &filesystem::DEFINITION,
    &hwmon::DEFINITION,
    &loadavg::DEFINITION,
    &meminfo::DEFINITION,
    &netdev::DEFINITION,
    &os::DEFINITION,
    &uname::DEFINITION,
];

#[cfg(test)]
mod tests;
