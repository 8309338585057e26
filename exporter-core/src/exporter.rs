//! The interface of an exporter to the server: one registry, or one for each target.

use std::fmt::Debug;
use std::sync::Arc;

use crate::collector::{Error, async_trait};
pub use crate::query::Query;
use crate::registry::Registry;

/// Selects the registry for a scrape.
///
/// A [`Registry`] is itself an exporter.
#[async_trait]
pub trait Exporter: Debug + Send + Sync {
    /// The registry of the telemetry path. The error is one line for the client: status 400.
    fn registry(&self, query: &Query) -> Result<Arc<Registry>, String>;

    /// The registry of the target of `/probe`. `None` if the program has no such path.
    fn probe(&self, _: &Query) -> Option<Result<Arc<Registry>, String>> {
        None
    }

    /// The targets of `/probe`, in the JSON that `http_sd` of Prometheus reads, for the path `/sd`.
    /// `None` if the program has no such path.
    fn discovery(&self) -> Option<String> {
        None
    }

    /// Reads the configuration of the program again. An invalid one changes nothing and is reported
    /// in one line. May block on files.
    fn reload(&self) -> Result<(), String> {
        Ok(())
    }

    /// A command that runs instead of the server, if a flag requests it: its output is printed, and
    /// the program ends.
    async fn one_shot_command(&self) -> Option<Result<String, String>> {
        None
    }

    /// The lines of `--check` in addition to the results of the collectors. A line that is not fine
    /// fails the check.
    async fn check(&self) -> Vec<CheckLine> {
        Vec::new()
    }
}

/// One line of `--check`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckLine {
    /// False for a warning or a failure.
    pub is_fine: bool,
    /// What was checked, such as `collector cpu`.
    pub what: String,
    /// Names, dates and counts; no secrets.
    pub finding: String,
}

impl CheckLine {
    /// The name of a check, whether it is fine, and its finding.
    pub fn new(is_fine: bool, what: impl Into<String>, finding: impl Into<String>) -> Self {
        Self { is_fine, what: what.into(), finding: finding.into() }
    }
}

/// An exporter, or an error that names a flag or file.
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
