//! The metrics that the configuration file asks for, and what they cost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::{DynDesc, Kind};
use exporter_core::families::Families;
use tokio::time::timeout;

use super::Definition;
use crate::poll::{self, Poll, View};
use crate::{charges, layout};

pub(super) static DEFINITION: Definition = Definition {
    name: "cloudwatch",
    about: "The metrics that the configuration file asks for",
    on_by_default: true,
    reads: &[
        "cloudwatch:ListMetrics",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "tag:GetResources",
    ],
    flags: &[],
    metrics: &[
        &METRIC,
        &layout::RESOURCE,
        &charges::REQUESTS,
        &charges::METRICS,
        &charges::TAGGING_REQUESTS,
        &charges::RETRIES,
        &charges::FAILED,
        &charges::BILLED,
        &charges::DOLLARS,
        &charges::FETCHES,
        &charges::RELOADED,
        &charges::SCRAPE_DURATION,
        &charges::SCRAPE_ERROR,
    ],
    build: |poll, _| Ok(Source::asynchronous(CloudWatch(Arc::clone(poll)))),
};

static METRIC: DynDesc<'_> = DynDesc {
    name: "<namespace>_<metric>_<statistic>",
    help: "The newest datapoint of a metric.",
    kind: Kind::Gauge,
    labels: &["job", "instance", "<dimension>"],
};

struct CloudWatch(Arc<Poll>);

#[async_trait]
impl AsyncCollector for CloudWatch {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let start = Instant::now();
        let mut is_late = false;
        if let Some(fetch) = self.0.refresh(poll::now()) {
            match out.time_left() {
                Some(left) => is_late = timeout(patience(left), fetch).await.is_err(),
                None => fetch.await,
            }
        }
        let view = self.0.view();
        let View { setup, sheets, .. } = &view;
        setup.layout.write(out, &setup.config.rules, sheets, poll::now());
        let is_bad = is_late || view.is_incomplete();
        charges::SCRAPE_ERROR.set(f64::from(u8::from(is_bad)));
        charges::SCRAPE_DURATION.set(start.elapsed().as_secs_f64());
        for instrument in charges::ALL {
            instrument.write(out);
        }
        match view.failures.as_slice() {
            _ if is_late => Err(Error::Other(LATE.into())),
            [] => Ok(()),
            [failure] => Err(Error::Other(failure.to_string().into())),
            [first, rest @ ..] => {
                let more = rest.len();
                Err(Error::Other(format!("{first} (and {more} more calls failed)").into()))
            }
        }
    }
}

const LATE: &str = "CloudWatch has not answered in the time that the scrape has; what it answers \
                    will be on the next page";

/// How long to wait for CloudWatch, so that there is time left to write the page.
fn patience(left: Duration) -> Duration {
    left.saturating_sub((left / 10).clamp(Duration::from_millis(50), Duration::from_millis(500)))
}
