//! Serving: listeners, their connections, and how all of it ends.

mod accept;
pub mod auth;
mod client_address;
pub mod config;
mod connection;
mod http;
mod limits;
pub mod listen;
mod memory;
pub mod metrics;
#[cfg(test)]
mod pki;
pub mod reload;
mod server;
mod site;
mod socket;
#[cfg(test)]
mod tests;
mod tls;

pub use self::accept::serve;
pub use self::config::limit;
pub use self::limits::Limits;
pub use self::listen::Listener;
pub use self::site::Site;
pub use self::tls::{caller, refusal};
