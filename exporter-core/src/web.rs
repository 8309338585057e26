//! The web server: listeners, connections, and graceful shutdown.

mod accept;
mod auth;
mod client_address;
mod client_scrapes;
mod config;
mod connection;
mod http;
mod limits;
mod listen;
mod memory;
pub(crate) mod metrics;
#[cfg(test)]
mod pki;
mod recent_scrapes;
mod rejection_log;
pub(crate) mod reload;
mod server;
mod server_tls;
mod site;
mod socket;
#[cfg(test)]
mod tests;
mod tls;

pub use self::accept::serve;
pub use self::config::ConfigError;
pub use self::limits::Limits;
pub use self::listen::{ListenError, Listener};
pub use self::server_tls::ServerTls;
pub use self::site::Site;
