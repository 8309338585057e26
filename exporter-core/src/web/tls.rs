//! The TLS configuration, and verification of client certificates.

pub(crate) mod caller;
mod chain;
mod clients;
#[cfg(test)]
mod fuzz;
pub(crate) mod identity;
mod names;
mod parameters;
mod pem;
pub(crate) mod rejection;
mod revocation;
mod section;
mod server;
pub(crate) mod validity;
pub(crate) mod verify;

pub(crate) use self::server::transport;
