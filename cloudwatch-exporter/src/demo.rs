//! `--demo`: a simulated CloudWatch in this process, to try a configuration without an AWS account. It
//! has resources for each rule of the configuration.

mod model;

use std::io;

use fake_cloudwatch::Fake;

use crate::config::Config;

/// A simulated CloudWatch on a loopback port. It stops on drop.
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
