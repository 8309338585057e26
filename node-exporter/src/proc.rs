//! What two collectors read of the same kernel files.

pub(crate) mod cpus;
pub(crate) mod mounts;
pub(crate) mod named;
