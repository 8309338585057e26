//! The main that exporters share: options, log, systemd.

mod check;
pub mod log;
mod options;
mod password;
mod plan;
pub mod run;
pub mod systemd;
mod unit;
