//! The only collector: all metrics of the configuration file.

mod cloudwatch;
#[cfg(test)]
mod tests;

use crate::page::Page;

type Definition = exporter_core::collector::Definition<Page>;

pub(crate) static ALL: &[&Definition] = &[&cloudwatch::DEFINITION];
