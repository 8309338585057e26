//! `--demo`: a simulated CloudWatch in this process, with resources for each rule of the
//! configuration, so that a configuration can be tried without an AWS account.

mod model;

use std::io;

use fake_cloudwatch::Fake;

use crate::config::Config;

/// A CloudWatch on a loopback port, until it is dropped.
#[derive(Debug)]
pub(crate) struct Demo(Fake);

impl Demo {
    pub(crate) fn start(config: &Config) -> io::Result<Self> {
        let demo = Self(Fake::start(model::model(config))?);
        tracing::warn!(endpoint = demo.url(), "demo: all values are invented, AWS is not called");
        Ok(demo)
    }

    /// The endpoint of all services.
    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    /// Invents resources for another configuration.
    pub(crate) fn update(&self, config: &Config) {
        self.0.set_model(model::model(config));
    }
}
