//! The keys that can be set for one metric, or in the file for all metrics.

use std::time::Duration;

use exporter_core::config_file::Fault;
use serde_saphyr::Spanned;

use super::file::{Given, SharedKeys, WholeNumber};
use crate::rule::{Api, Window};

/// The values for metrics that have none of their own.
#[expect(clippy::struct_excessive_bools, reason = "independent keys of the file")]
pub(super) struct Defaults {
    pub(super) window: Window,
    pub(super) set_timestamp: bool,
    pub(super) api: Option<Api>,
    pub(super) list_ttl: Duration,
    pub(super) warn_on_empty: bool,
    pub(super) nil_to_zero: bool,
    pub(super) from_stream: bool,
}

impl Defaults {
    /// The keys of a file, or else the defaults of the Java exporter.
    pub(super) fn new(shared: &SharedKeys<'_>) -> Result<Self, Fault> {
        let java = Self {
            window: Window { period: 60, range: 600, delay: 600 },
            set_timestamp: true,
            api: None,
            list_ttl: Duration::ZERO,
            warn_on_empty: false,
            nil_to_zero: false,
            from_stream: false,
        };
        java.with(shared)
    }

    /// These defaults, overridden by keys.
    pub(super) fn with(&self, shared: &SharedKeys<'_>) -> Result<Self, Fault> {
        let SharedKeys { period_seconds, range_seconds, delay_seconds, .. } = shared;
        let ttl = shared.list_metrics_cache_ttl;
        let seconds = |given: &Given<WholeNumber>, key, default| match given {
            Some(given) => u32::try_from(given.value.0)
                .map_err(|_| Fault::at(given, key, "expected a number of seconds, 0 or more")),
            None => Ok(default),
        };
        let period = seconds(period_seconds, "period_seconds", self.window.period)?;
        let is_allowed = matches!(period, 1 | 5 | 10 | 20 | 30) || (period > 0 && period % 60 == 0);
        if let Some(given) = period_seconds.as_ref().filter(|_| !is_allowed) {
            let problem = "CloudWatch has periods of 1, 5, 10, 20, 30 and multiples of 60 seconds";
            return Err(Fault::at(given, "period_seconds", problem));
        }
        let range = seconds(range_seconds, "range_seconds", self.window.range)?;
        if let Some(given) = range_seconds.as_ref().filter(|_| range == 0) {
            return Err(Fault::at(given, "range_seconds", "expected more than 0 seconds"));
        }
        let api = shared.use_get_metric_data.as_ref();
        let api = api.map(|given| if given.value { Api::Data } else { Api::Statistics });
        let list_ttl = Duration::from_secs(u64::from(seconds(
            ttl,
            "list_metrics_cache_ttl",
            u32::try_from(self.list_ttl.as_secs()).unwrap_or(u32::MAX),
        )?));
        Ok(Self {
            window: Window {
                period,
                range,
                delay: seconds(delay_seconds, "delay_seconds", self.window.delay)?,
            },
            set_timestamp: value_or(shared.set_timestamp.as_ref(), self.set_timestamp),
            api: api.or(self.api),
            list_ttl,
            warn_on_empty: value_or(
                shared.warn_on_empty_list_dimensions.as_ref(),
                self.warn_on_empty,
            ),
            nil_to_zero: value_or(shared.nil_to_zero.as_ref(), self.nil_to_zero),
            from_stream: value_or(shared.from_stream.as_ref(), self.from_stream),
        })
    }
}

fn value_or(given: Option<&Spanned<bool>>, default: bool) -> bool {
    given.map_or(default, |given| given.value)
}
