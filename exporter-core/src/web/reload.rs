//! The web configuration in force, and how it is reloaded.

mod downgrade;
#[cfg(test)]
mod fuzz;
mod store;
mod web_config;

pub use self::store::{ConfigStore, ReloadStatus, Reloaded};
pub use self::web_config::WebConfig;
