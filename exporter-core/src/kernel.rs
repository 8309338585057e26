//! Kernel files that stay open, and the metrics of this process.

pub mod file;
pub mod process;
