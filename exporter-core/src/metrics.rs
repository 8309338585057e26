//! Metrics of libraries and programs that use the `metrics` facade.

mod families;
mod handles;
#[cfg(test)]
mod tests;

use ::metrics as facade;
use facade::{Key, KeyName, Metadata, SharedString, Unit};

use self::families::Metrics;
use crate::exposition::desc::{Describe, DynDesc, Kind};
use crate::exposition::families::Families;
use crate::instrument::{Buckets, Counter, Gauge, Histogram, Instrument, REFUSED};

/// A recorder for the `metrics` facade: an instrument with all that its macros count.
///
/// Names are exposed as they are, escaped as the format of the page requires: use those of
/// Prometheus, such as `app_jobs_total`. A counter without `_total` is of type `unknown` in
/// `OpenMetrics`. Help texts and units are those of the `describe_...!` macros; a unit is exposed if
/// the name ends with it, before `_total`. If two kinds of metrics have the same name, one of them
/// is left out.
///
/// ```
/// use exporter_core::metrics::Recorder;
/// use exporter_core::registry::Registry;
///
/// static RECORDER: Recorder = Recorder::new().at_most(1000);
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// metrics::set_global_recorder(&RECORDER)?;
/// metrics::counter!("app_jobs_total", "result" => "ok").increment(1);
/// let registry = Registry::builder().instruments("app", [&RECORDER]).build();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Recorder {
    counters: Metrics<Counter>,
    gauges: Metrics<Gauge>,
    histograms: Metrics<Histogram>,
    max: usize,
    buckets: Buckets,
    buckets_by_name: &'static [(&'static str, Buckets)],
}

impl Recorder {
    /// A recorder without metrics so far. It can be a static.
    pub const fn new() -> Self {
        Self {
            counters: Metrics::new(),
            gauges: Metrics::new(),
            histograms: Metrics::new(),
            max: usize::MAX,
            buckets: Buckets::DURATIONS,
            buckets_by_name: &[],
        }
    }

    /// Limits the number of label sets of each name. Metrics of further ones work, but are not
    /// exposed, and are counted in `instrument_refused_label_sets_total`.
    #[must_use]
    pub const fn at_most(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// The buckets of histograms, in the place of [`Buckets::DURATIONS`].
    #[must_use]
    pub const fn with_buckets(mut self, buckets: Buckets) -> Self {
        self.buckets = buckets;
        self
    }

    /// The buckets of histograms by their name, where they differ from the others.
    #[must_use]
    pub const fn with_buckets_by_name(
        mut self,
        buckets: &'static [(&'static str, Buckets)],
    ) -> Self {
        self.buckets_by_name = buckets;
        self
    }

    fn buckets_of(&self, name: &str) -> Buckets {
        let found = self.buckets_by_name.iter().find(|(of, _)| *of == name);
        found.map_or(self.buckets, |(_, buckets)| *buckets)
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl facade::Recorder for Recorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.counters.describe(name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.gauges.describe(name, unit, help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.histograms.describe(name, unit, help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> facade::Counter {
        facade::Counter::from_arc(self.counters.with(key, (), self.max))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> facade::Gauge {
        facade::Gauge::from_arc(self.gauges.with(key, (), self.max))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> facade::Histogram {
        let buckets = self.buckets_of(key.name());
        facade::Histogram::from_arc(self.histograms.with(key, buckets, self.max))
    }
}

/// Lists the families that there are so far.
impl Describe for Recorder {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        self.counters.list(Kind::Counter, visit);
        self.gauges.list(Kind::Gauge, visit);
        self.histograms.list(Kind::Histogram, visit);
        if self.max < usize::MAX {
            REFUSED.describe(visit);
        }
    }
}

impl Instrument for Recorder {
    fn write(&self, out: &mut Families) {
        self.counters.write(Kind::Counter, out);
        self.gauges.write(Kind::Gauge, out);
        self.histograms.write(Kind::Histogram, out);
        if self.max < usize::MAX {
            self.counters.write_refused(out);
            self.gauges.write_refused(out);
            self.histograms.write_refused(out);
        }
    }
}
