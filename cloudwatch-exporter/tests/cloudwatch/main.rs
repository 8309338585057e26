//! The real binary against a CloudWatch of our own.

#![expect(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod charges;
mod configuration;
mod faults;
mod identity;
mod requests;
mod scene;
mod selection;
mod serving;
mod tags;
