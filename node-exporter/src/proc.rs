//! Kernel files that two collectors read.

pub(crate) mod cpus;
pub(crate) mod mounts;
pub(crate) mod named;
