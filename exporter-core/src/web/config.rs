//! The web configuration file, and the files that it names.

pub(crate) mod diagnostics;
pub(crate) mod file;
pub(crate) mod files;
pub(crate) mod limit;

pub use crate::config_file::ConfigError;
