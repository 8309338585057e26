//! What depends on the system. Each of the modules has all functions.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use self::linux as system;
#[cfg(not(target_os = "linux"))]
use self::other as system;

pub(crate) use self::system::{
    abstract_address, bound_unsent, inherited, release_free_memory, release_startup_pages,
    running_program,
};
