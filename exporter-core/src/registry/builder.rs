//! Builds a registry without a command line.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::Registry;
use super::settings::Settings;
use crate::collector::{Collector, Source};
use crate::exposition::desc::Desc;
use crate::exposition::families::Families;
use crate::instrument::{Instrument, Instruments};

/// Builds a [`Registry`] from collectors and instruments. By default it exposes only those, and
/// each collector has a time limit of five seconds.
///
/// ```
/// use exporter_core::instrument::{Counter, Metric};
/// use exporter_core::registry::Registry;
///
/// static JOBS: Metric<Counter> = Metric::counter("app_jobs_total", "Jobs done.");
///
/// let registry = Registry::builder().instruments("app", [&JOBS]).build();
/// assert_eq!(registry.outcomes()[0].name, "app");
/// ```
#[derive(Debug)]
#[must_use = "a builder builds nothing until `build` is called"]
pub struct Builder {
    collectors: Vec<Collects>,
    settings: Settings,
}

struct Collects {
    name: Cow<'static, str>,
    source: Source,
}

impl std::fmt::Debug for Collects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Builder {
    pub(super) fn new() -> Self {
        Self::with_settings(Settings::default())
    }

    pub(crate) fn with_settings(settings: Settings) -> Self {
        Self { collectors: Vec::new(), settings }
    }

    /// Adds a collector. Its name is used in `collect[]=` and in the log.
    pub fn source(mut self, name: impl Into<Cow<'static, str>>, source: Source) -> Self {
        self.collectors.push(Collects { name: name.into(), source });
        self
    }

    /// Adds a collector that reads files or makes system calls.
    pub fn collector(
        self,
        name: impl Into<Cow<'static, str>>,
        collector: impl Collector + 'static,
    ) -> Self {
        self.source(name, Source::blocking(collector))
    }

    /// Adds a list of instruments as a collector.
    pub fn instruments<const N: usize>(
        self,
        name: impl Into<Cow<'static, str>>,
        instruments: [&'static dyn Instrument; N],
    ) -> Self {
        self.collector(name, Instruments::new(instruments))
    }

    /// Exposes how long each collector took, in seconds, and whether it succeeded.
    pub fn timing(
        mut self,
        duration: &'static Desc<'static, 1>,
        success: &'static Desc<'static, 1>,
    ) -> Self {
        self.settings.duration = Some(duration);
        self.settings.success = Some(success);
        self
    }

    /// Exposes `exporter_dropped_series_total`: series that were dropped because they were invalid
    /// or conflicted with others.
    pub fn dropped_series(mut self) -> Self {
        self.settings.exposes_dropped = true;
        self
    }

    /// The time limit of a collector: five seconds by default.
    pub fn collector_timeout(mut self, timeout: Duration) -> Self {
        self.settings.limit = timeout;
        self
    }

    /// Calls `write` for each page, after the collectors: it must not block.
    pub fn append(mut self, write: impl Fn(&mut Families) + Send + Sync + 'static) -> Self {
        let before = self.settings.own;
        self.settings.own = Box::new(move |out| {
            before(out);
            write(out);
        });
        self
    }

    /// The registry. It can be served, and collectors can be added to it and removed.
    pub fn build(self) -> Arc<Registry> {
        let registry = Registry::new(self.settings);
        for Collects { name, source } in self.collectors {
            registry.register(name, source);
        }
        Arc::new(registry)
    }
}
