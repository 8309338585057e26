//! The real binary against a fake CloudWatch.
//!
//! All 44 cases of the Java exporter's collector are covered:
//!
//! - `requests`: the period of a metric, of the file, and of either operation (3); all five
//!   statistics by both operations (2); with and without timestamps (2); the newest of several
//!   datapoints; percentiles; tables and their indices (3); no dimensions
//! - `selection`: further dimensions; one dimension selected; all of them, by both operations (2);
//!   patterns; pages of a list; a long range; lists cached by a key of the file or of the metric (2)
//! - `tags`: machines, access lists, target groups and load balancers (4); pages; no selection;
//!   tags and values; tags that some lack; a resource exposed once
//! - `configuration`: nothing, no metrics, no names (2), both selections, half a tag selection (2);
//!   defaults of the file; a configured help text; extended statistics alone (`requests`); a reload
//! - `faults`: an error is exposed; `serving`: build information

#![expect(
    clippy::disallowed_methods,
    clippy::float_cmp,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test, helpers included: it runs programs, counts, and fails by a panic"
)]

mod accounts;
mod charges;
mod configuration;
mod demo;
mod discovery;
mod faults;
mod fixture;
mod identity;
mod joins;
mod limits;
mod refresh;
mod requests;
mod scale;
mod selection;
mod serving;
mod stream;
mod tags;
mod yace;
