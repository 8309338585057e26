//! Kernel files that stay open, and the metrics of this process.

#[cfg(target_os = "linux")]
pub mod file;
pub mod process;
