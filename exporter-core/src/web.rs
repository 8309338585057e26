//! The web configuration file and what it makes of a connection: TLS, who may come in, how often.

pub mod auth;
pub mod caller;
pub mod config;
mod duration;
mod files;
mod identity;
pub mod limit;
pub mod live;
mod parameters;
mod pem;
#[cfg(test)]
mod pki;
pub mod refusal;
mod secret;
pub mod settings;
mod tls;
mod verify;
