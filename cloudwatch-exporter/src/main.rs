//! Exposes Amazon CloudWatch.

mod charges;
mod cloud;
mod collectors;
mod config;
mod cost;
mod fetch;
mod layout;
mod name;
mod plan;
mod poll;
mod rule;
mod sheet;

fn main() {}
