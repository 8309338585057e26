//! Exposes MySQL and MariaDB servers.

mod address;
mod allow_list;
mod check;
mod client;
mod collectors;
mod config;
mod db;
#[cfg(test)]
mod fuzz;
mod grants;
mod options;
mod queries;
#[cfg(feature = "rds-iam")]
mod rds_iam;
mod servers;
mod sql;
mod status;
mod targets;
mod version;

use std::process::ExitCode;

use exporter_core::desc::Desc;
use exporter_core::run::{BUILD_LABELS, Program};

use db::Db;
use servers::Servers;

static PROGRAM: Program<Db> = Program::new("mysql-exporter", env!("CARGO_PKG_VERSION"), 9104)
    .about("Exposes MySQL and MariaDB servers to Prometheus")
    .switch("collect")
    .flags(options::FLAGS)
    .collectors(collectors::ALL)
    .timing(&DURATION, &SUCCESS, "collect.")
    .build_info(&BUILD_INFO);

static DURATION: Desc<1> = Desc::gauge(
    "mysql_exporter_collector_duration_seconds",
    "Duration of a collector in this scrape.",
    ["collector"],
);
static SUCCESS: Desc<1> = Desc::gauge(
    "mysql_exporter_collector_success",
    "Whether a collector succeeded in this scrape.",
    ["collector"],
);
static BUILD_INFO: Desc<7> =
    Desc::gauge("mysqld_exporter_build_info", "Version of this exporter.", BUILD_LABELS);

fn main() -> ExitCode {
    PROGRAM.run(Servers::open)
}
