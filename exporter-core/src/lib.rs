//! Prometheus metrics for Rust programs: instruments, all exposition formats, and complete
//! exporters with TLS, client certificates and systemd integration.
//!
//! # Instrument a program
//!
//! Instruments are statics. [`encode()`] writes a page of them, without a runtime or a server:
//!
//! ```
//! use exporter_core::format::{Escaping, Format};
//! use exporter_core::instrument::{Buckets, Counter, Histogram, Labelled};
//!
//! static REQUESTS: Labelled<Counter, 1> =
//!     Labelled::counter("app_requests_total", "Requests answered.", ["code"]);
//! static TOOK: Labelled<Histogram, 1> = Labelled::histogram(
//!     "app_request_duration_seconds",
//!     "Time to answer a request.",
//!     ["method"],
//!     Buckets::DURATIONS,
//! );
//!
//! let timer = TOOK.with(["GET"]).time();
//! REQUESTS.with(["200"]).inc();
//! timer.stop();
//! let page = exporter_core::encode(&[&REQUESTS, &TOOK], Format::Text004, Escaping::Underscores);
//! # assert!(String::from_utf8_lossy(&page).contains("app_requests_total{code=\"200\"} 1\n"));
//! ```
//!
//! [`instrument`] has counters, gauges, histograms, summaries, info metrics and state sets, with
//! exemplars, units and limits on label sets. The feature `tower` measures HTTP services by a layer,
//! the feature `metrics` exposes libraries that use the `metrics` facade.
//!
//! # Serve the metrics of a program
//!
//! With the feature `serve`, which is on by default, a `Registry` runs collectors and answers
//! scrapes: over a server of its own, or through the router of the program.
//!
#![cfg_attr(feature = "serve", doc = "```no_run")]
#![cfg_attr(not(feature = "serve"), doc = "```ignore")]
//! use exporter_core::instrument::{Counter, Metric};
//! use exporter_core::registry::Registry;
//! use exporter_core::web::{Listener, Site};
//!
//! static JOBS: Metric<Counter> = Metric::counter("app_jobs_total", "Jobs done.");
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::builder().instruments("app", [&JOBS]).build();
//! let listeners = Listener::bind(&["127.0.0.1:9999".to_owned()])?;
//! let site = Site::new("app", registry).with_config_file("/etc/app/web.yml")?;
//! tokio::spawn(site.serve(listeners, std::future::pending::<()>()));
//! # Ok(())
//! # }
//! ```
//!
//! `Registry::answer` is for a server of the program: it takes the headers and the query of a
//! request, negotiates format and compression, and keeps to the timeout of Prometheus.
//!
//! # Write an exporter
//!
//! A [`collector::Collector`] writes what it measures into [`families::Families`], each family by
//! its [`desc::Desc`]. A `Program` gives it a command line, a web configuration file with TLS and
//! users, a log, and systemd integration:
//!
#![cfg_attr(feature = "serve", doc = "```no_run")]
#![cfg_attr(not(feature = "serve"), doc = "```ignore")]
//! use std::process::ExitCode;
//!
//! use exporter_core::collector::{Collector, Definition, Error, Source};
//! use exporter_core::desc::Desc;
//! use exporter_core::families::Families;
//! use exporter_core::run::Program;
//!
//! static USERS: Desc = Desc::gauge("app_users", "Lines of the user file.", []);
//!
//! struct Users;
//!
//! impl Collector for Users {
//!     fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
//!         let lines = std::fs::read_to_string("/etc/passwd")?.lines().count();
//!         out.family(&USERS).sample([], lines as f64);
//!         Ok(())
//!     }
//! }
//!
//! static DEFINITION: Definition<()> =
//!     Definition::new("users", "Users of the machine", |(), _| Ok(Source::blocking(Users)))
//!         .metrics(&[&USERS]);
//!
//! static PROGRAM: Program<()> = Program::new("user-exporter", env!("CARGO_PKG_VERSION"), 9999)
//!     .about("Exposes users")
//!     .collectors(&[&DEFINITION]);
//!
//! fn main() -> ExitCode {
//!     PROGRAM.run(|plan| plan.exporter(&()))
//! }
//! ```
//!
//! # Features
//!
//! - none: instruments, collectors and encoding, on any system, with nine other crates
//! - `metrics`: a recorder for the `metrics` facade; on any system
//! - `process`: the `process_*` metrics, and on Linux files of the kernel that stay open; Unix only
//! - `push`: a client for the Pushgateway, and guards for batch jobs; on any system
//! - `serve` (default): registry, web server and command line; Unix only
//! - `testing`: helpers for tests of exporters
//! - `tower`: a layer that measures HTTP services, such as those of axum; on any system
//!
//! The [`manual`] explains the design, and what may change between versions. `examples/` has whole
//! programs: web applications on axum and on hyper, workers that share a range of ports, a batch
//! job, an operator, and two exporters.

#![warn(missing_docs)]

pub mod collector;
#[cfg(feature = "serve")]
pub mod config_file;
pub mod duration;
mod error;
#[cfg(feature = "serve")]
pub mod exporter;
mod exposition;
pub mod flags;
pub mod instrument;
#[cfg(feature = "process")]
mod kernel;
pub mod manual;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "serve")]
mod program;
#[cfg(feature = "push")]
pub mod push;
#[cfg(feature = "serve")]
mod query;
#[cfg(feature = "serve")]
pub mod redact;
#[cfg(feature = "serve")]
pub mod registry;
#[cfg(feature = "serve")]
mod sys;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "serve")]
pub mod web;

pub use self::exposition::{desc, families, format, limits, value};
pub use self::instrument::encode;
#[cfg(all(feature = "process", target_os = "linux"))]
pub use self::kernel::file;
#[cfg(feature = "process")]
pub use self::kernel::process;
#[cfg(feature = "serve")]
pub use self::program::{log, run, systemd as service};

/// The snippets of the guides.
#[cfg(all(doctest, feature = "serve"))]
mod guides {
    #[doc = include_str!("../README.md")]
    mod readme {}

    #[doc = include_str!("../../docs/library.md")]
    mod library {}
}
