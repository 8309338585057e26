//! Exposes Amazon CloudWatch.

mod config;
mod name;
mod rule;

fn main() {}
