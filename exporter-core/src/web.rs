//! Serving: listeners, their connections, and how all of it ends.

pub mod auth;
pub mod config {
    //! The file of the web configuration, and the files that it names.

    pub mod diagnostics;
    pub(crate) mod file;
    pub(crate) mod files;
    pub mod limit;
    pub(crate) mod secret;

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
pub mod reload {
    //! The web configuration in force, and how it is reloaded.

    mod downgrade;
    #[cfg(test)]
    mod fuzz;
    mod store;
    mod web_config;

    pub use self::store::{ConfigStore, ReloadStatus, Reloaded};
    pub use self::web_config::WebConfig;
}
mod limits;
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
    mod names;
    mod pem;
    pub mod refusal;
    pub(crate) mod refusals;
    mod revocation;
    mod server;
    mod validity;
    pub(crate) mod verify;

    pub(crate) use self::server::transport;
}

pub use self::accept::serve;
pub use self::config::limit;
pub use self::limits::Limits;
pub use self::listen::Listener;
pub use self::site::Site;
pub use self::tls::{caller, refusal};
