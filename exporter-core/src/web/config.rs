//! The file of the web configuration, and the files that it names.

pub(crate) mod diagnostics;
pub(crate) mod file;
pub(crate) mod files;
pub(crate) mod limit;
pub(crate) mod secret;

pub use crate::config_file::ConfigError;
