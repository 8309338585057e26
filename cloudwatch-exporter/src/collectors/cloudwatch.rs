//! The metrics of the configuration file, and their cost.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{DynDesc, Kind};
use exporter_core::families::Families;
use tokio::time::timeout;

use super::Definition;
use crate::cache;
use crate::page::Page;
use crate::{exposition, stream, usage};

pub(super) static DEFINITION: Definition =
    Definition::new("cloudwatch", "The metrics of the configuration file", |page, _| {
        Ok(Source::asynchronous(CloudWatch(page.clone())))
    })
    .reads(&[
        "cloudwatch:ListMetrics",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "tag:GetResources",
    ])
    .metrics(&[
        &METRIC,
        &exposition::INFO,
        &exposition::RESOURCE,
        &exposition::TARGET_UP,
        &usage::REQUESTS,
        &usage::METRICS,
        &usage::TAGGING_REQUESTS,
        &usage::RETRIES,
        &usage::FAILED,
        &usage::BILLED,
        &usage::DOLLARS,
        &usage::FETCHES,
        &usage::LIMITED,
        &usage::BUDGET,
        &usage::PLANNED,
        &usage::STRETCHED,
        &usage::RELOADED,
        &usage::SCRAPE_DURATION,
        &usage::SCRAPE_ERROR,
        &stream::metrics::DELIVERIES,
        &stream::metrics::REJECTED,
        &stream::metrics::DATAPOINTS,
        &stream::metrics::DROPPED,
        &stream::metrics::SERIES,
        &stream::metrics::AGE,
    ]);

static METRIC: DynDesc<'_> = DynDesc::new(
    "<namespace>_<metric>_<statistic>",
    "The newest datapoint of a metric.",
    Kind::Gauge,
    &["job", "instance", "<dimension>"],
);

struct CloudWatch(Page);

#[async_trait]
impl AsyncCollector for CloudWatch {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let start = Instant::now();
        if let Some(fetch) = self.0.cache.scrape(cache::now()) {
            match out.time_left() {
                // Late results are missing, which the page reports.
                Some(left) => drop(timeout(time_to_wait(left), fetch).await),
                None => fetch.await,
            }
        }
        let Page { cache, names } = &self.0;
        let ((exposition, snapshot), now) = (cache.exposition(), cache::now());
        exposition.write(out, &snapshot, names, now);
        let is_missing = snapshot.is_missing(now);
        usage::SCRAPE_ERROR.set(f64::from(u8::from(is_missing)));
        usage::SCRAPE_DURATION.set(start.elapsed().as_secs_f64());
        let setup = cache.setup();
        let of_stream = setup.config.stream.as_ref().map(|_| stream::metrics::ALL);
        setup.streamed.measure(&setup.config, now);
        for instrument in usage::ALL.into_iter().chain(of_stream.into_iter().flatten()) {
            let mut is_shown = false;
            instrument.describe(&mut |desc| is_shown |= names.shows(desc.name));
            if is_shown {
                instrument.write(out);
            }
        }
        let mut failures = snapshot.failures();
        match (failures.next(), failures.count()) {
            (None, _) if is_missing => Err(Error::Other(LATE.into())),
            (None, _) => Ok(()),
            (Some(failure), 0) => Err(Error::Other(failure.to_string().into())),
            (Some(first), more) => {
                Err(Error::Other(format!("{first} (and {more} more calls failed)").into()))
            }
        }
    }
}

const LATE: &str = "not all responses of CloudWatch have arrived yet; a later page will have them";

/// The time to wait for CloudWatch, so that there is time to write the page.
fn time_to_wait(left: Duration) -> Duration {
    left.saturating_sub((left / 10).clamp(Duration::from_millis(50), Duration::from_millis(500)))
}
