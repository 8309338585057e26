//! The main function of exporters: command line, checks, log, systemd.

mod check;
pub(crate) mod command_line;
mod flags;
pub mod log;
mod password;
mod plan;
pub mod run;
pub mod systemd;
mod unit;
