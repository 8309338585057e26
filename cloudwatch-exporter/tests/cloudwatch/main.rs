//! The real binary against a CloudWatch of our own.

#![expect(
    clippy::disallowed_methods,
    clippy::float_cmp,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test, helpers included: it runs programs, counts, and fails by a panic"
)]

mod charges;
mod configuration;
mod faults;
mod identity;
mod requests;
mod scene;
mod selection;
mod serving;
mod tags;
