//! Prometheus metrics for Rust programs: instruments, all exposition formats, and complete
//! exporters with TLS, client certificates and systemd integration.
//!
//! # Instrument a program
//!
//! Instruments are statics. [`encode()`] writes a page of them, without a runtime or a server:
//!
//! ```
//! use exporter_core::format::{Escaping, Format};
//! use exporter_core::instrument::{Counter, Labelled};
//!
//! static REQUESTS: Labelled<Counter, 1> =
//!     Labelled::counter("app_requests_total", "Requests answered.", ["code"]);
//!
//! REQUESTS.with(["200"]).inc();
//! let page = exporter_core::encode(&[&REQUESTS], Format::Text004, Escaping::Underscores);
//! # assert!(page.ends_with(b"app_requests_total{code=\"200\"} 1\n"));
//! ```
//!
//! [`instrument`] has counters, gauges, histograms, summaries, info metrics and state sets.
//!
//! # Serve the metrics of a program
//!
//! With the feature `serve`, which is on by default, a [`registry::Registry`] runs collectors and
//! answers scrapes: over a server of its own ([`web::Site`]), or through the router of the program
//! ([`Registry::answer`](registry::Registry::answer)), which negotiates format and compression and
//! keeps to the timeout of Prometheus.
//!
//! # Write an exporter
//!
//! A [`collector::Collector`] writes what it measures into [`families::Families`], each family by
//! its [`desc::Desc`]. A [`run::Program`] is an exporter with a command line, a web configuration
//! file, a log and systemd integration: see the example there.
//!
//! # One scrape
//!
//! [`web`] accepts a connection and authenticates the client. [`registry`] runs the collectors
//! that the scrape asks for, within its deadline. Their families become bytes of the negotiated
//! [`format`](mod@format) as they are written, and one page in the end.
//!
//! # Features
//!
//! - none: instruments, collectors and encoding, on any system, with nine other crates
//! - `process`: the `process_*` metrics, and files of the kernel that stay open; Linux only
//! - `push`: a client for the Pushgateway, and guards for batch jobs; on any system
//! - `serve` (default): registry, web server and command line; Linux only
//! - `testing`: helpers for tests of exporters
//!
//! `examples/` has whole programs: a web application, workers that share a range of ports, a batch
//! job, an operator, and two exporters.

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
#[cfg(feature = "serve")]
pub mod web;

pub use self::exposition::{desc, families, format, limits, value};
pub use self::instrument::encode;
#[cfg(feature = "process")]
pub use self::kernel::{file, process};
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
