//! TLS as configured, and the certificates of clients.

pub(crate) mod caller;
mod chain;
mod clients;
#[cfg(test)]
mod fuzz;
pub(crate) mod identity;
mod names;
mod pem;
pub(crate) mod refusal;
pub(crate) mod refusals;
mod revocation;
mod server;
mod validity;
pub(crate) mod verify;

pub(crate) use self::server::transport;
