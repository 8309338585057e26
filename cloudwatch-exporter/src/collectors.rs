//! The collectors: one, of everything that the configuration file asks for.

mod cloudwatch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::cache::Cache;

type Definition = exporter_core::collector::Definition<Arc<Cache>>;

pub(crate) static ALL: &[&Definition] = &[&cloudwatch::DEFINITION];
