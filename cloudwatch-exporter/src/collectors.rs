//! The collectors: one, of everything that the configuration file asks for.

mod cloudwatch;
#[cfg(test)]
mod tests;

use crate::page::Page;

type Definition = exporter_core::collector::Definition<Page>;

pub(crate) static ALL: &[&Definition] = &[&cloudwatch::DEFINITION];
