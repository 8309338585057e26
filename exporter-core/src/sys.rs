//! Functions that depend on the operating system. Each of the modules implements all of them.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use self::linux as system;
#[cfg(not(target_os = "linux"))]
use self::other as system;

pub(crate) use self::system::{
    abstract_address, limit_unsent_data, release_free_memory, release_startup_pages,
    running_program, take_inherited_sockets,
};
