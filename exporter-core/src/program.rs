//! The main that exporters share: options, log, systemd.

mod check;
pub(crate) mod command_line;
mod flags;
pub mod log;
mod password;
mod plan;
pub mod run;
pub mod systemd;
mod unit;
