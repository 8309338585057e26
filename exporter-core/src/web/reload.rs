//! The web configuration in force, and how it is reloaded.

mod downgrade;
#[cfg(test)]
mod fuzz;
mod store;
mod web_config;

pub(crate) use self::store::ConfigStore;
pub(crate) use self::web_config::WebConfig;
