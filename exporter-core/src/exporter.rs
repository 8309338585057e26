//! What a program serves: one registry, or one for each target.

use std::fmt::Debug;
use std::sync::Arc;

use crate::collector::{Error, async_trait};
pub use crate::query::Query;
use crate::registry::Registry;

/// Finds the registry that a scrape is answered from.
///
/// Most programs have one registry, which is an exporter as it is.
#[async_trait]
pub trait Exporter: Debug + Send + Sync {
    /// The registry of the telemetry path. The error is one line for the client: status 400.
    fn registry(&self, query: &Query) -> Result<Arc<Registry>, String>;

    /// The registry of the target of `/probe`. `None` if the program has no such path.
    fn probe(&self, _: &Query) -> Option<Result<Arc<Registry>, String>> {
        None
    }

    /// The targets of `/probe`, in the JSON that Prometheus' `http_sd` reads, for the path `/sd`.
    /// `None` if the program has no such path.
    fn discovery(&self) -> Option<String> {
        None
    }

    /// Reads the program's own configuration again. What is bad changes nothing, and is told in
    /// one line. May block on files.
    fn reload(&self) -> Result<(), String> {
        Ok(())
    }

    /// What is done in the place of serving, where a flag asks for it: its outcome is printed, and
    /// the program ends.
    async fn one_shot_command(&self) -> Option<Result<String, String>> {
        None
    }

    /// What `--check` tells beside how each collector did. A line that is not fine fails it.
    async fn check(&self) -> Vec<CheckLine> {
        Vec::new()
    }
}

/// One line of `--check`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckLine {
    /// Good as it is, or a thing that works but is seldom meant.
    pub is_fine: bool,
    /// What was checked, such as `collector cpu`.
    pub what: String,
    /// Names, dates and counts; no secret.
    pub finding: String,
}

impl CheckLine {
    /// What was checked, whether it is fine, and what was found.
    pub fn new(is_fine: bool, what: impl Into<String>, finding: impl Into<String>) -> Self {
        Self { is_fine, what: what.into(), finding: finding.into() }
    }
}

/// An exporter of any type, for programs that have several, or why it cannot be built.
pub type Opened = Result<Arc<dyn Exporter>, Error>;

#[async_trait]
impl Exporter for Arc<dyn Exporter> {
    fn registry(&self, query: &Query) -> Result<Arc<Registry>, String> {
        (**self).registry(query)
    }

    fn probe(&self, query: &Query) -> Option<Result<Arc<Registry>, String>> {
        (**self).probe(query)
    }

    fn discovery(&self) -> Option<String> {
        (**self).discovery()
    }

    fn reload(&self) -> Result<(), String> {
        (**self).reload()
    }

    async fn one_shot_command(&self) -> Option<Result<String, String>> {
        (**self).one_shot_command().await
    }

    async fn check(&self) -> Vec<CheckLine> {
        (**self).check().await
    }
}

impl Exporter for Arc<Registry> {
    fn registry(&self, _: &Query) -> Result<Self, String> {
        Ok(Self::clone(self))
    }
}
