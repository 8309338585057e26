//! The collectors: one, of everything that the configuration file asks for.

mod cloudwatch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::poll::Poll;

type Definition = exporter_core::collector::Definition<Arc<Poll>>;

pub(crate) static ALL: &[&Definition] = &[&cloudwatch::DEFINITION];
