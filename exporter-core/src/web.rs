//! Serving: listeners, their connections, and how all of it ends.

pub mod auth;
pub mod config {
    //! The web configuration: its file, and what is in force.

    pub(crate) mod downgrade;
    pub(crate) mod file;
    pub(crate) mod files;
    #[cfg(test)]
    mod fuzz;
    pub mod limit;
    pub mod live;
    pub(crate) mod secret;
    pub mod settings;

    pub use self::file::ConfigError;
}
mod accept;
mod client_address;
mod connection;
mod http;
pub mod listen;
mod memory;
pub mod metrics;
#[cfg(test)]
mod pki;
mod server;
mod site;
mod socket;
#[cfg(test)]
mod tests;
mod tls {
    //! TLS as configured, and the certificates of clients.

    pub mod caller;
    mod chain;
    mod clients;
    #[cfg(test)]
    mod fuzz;
    pub(crate) mod identity;
    mod parameters;
    mod pem;
    pub mod refusal;
    pub(crate) mod refusals;
    mod revocation;
    mod server;
    pub(crate) mod verify;

    pub(crate) use self::server::transport;
}

pub use self::accept::serve;
pub use self::config::{limit, live, settings};
pub use self::listen::Listener;
pub use self::site::{Limits, Site};
pub use self::tls::{caller, refusal};
