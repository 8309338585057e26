//! AWS: the identity of the exporter, and the four operations that it calls.

mod attempts;
mod causes;
mod connections;
mod data;
mod failure;
mod http;
mod limiter;
mod list;
mod pages;
mod profile;
mod resources;
mod statistics;
#[cfg(test)]
pub(crate) mod tests;
mod token_files;
mod unreadable;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_cloudwatch::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use exporter_core::instrument::{Counter, Labelled};

use self::attempts::Attempts;
use self::causes::Causes;
pub(crate) use self::connections::Connections;
pub(crate) use self::failure::Failure;
use self::limiter::{Limiter, Permit};
pub(crate) use self::list::{ListParameters, MetricList};
pub(crate) use self::resources::ResourceFilters;
use self::unreadable::RetryUnreadable;
use crate::calls::context::CallContext;
use crate::usage;

/// The clients of one target: a region and an identity.
#[derive(Debug)]
pub(crate) struct Cloud {
    cloudwatch: aws_sdk_cloudwatch::Client,
    tagging: aws_sdk_resourcegroupstagging::Client,
    credentials: Option<SharedCredentialsProvider>,
    region: String,
    /// Whether metrics of linked accounts are listed.
    is_linked: bool,
    is_data_denied: AtomicBool,
    monitor: Arc<CallMonitor>,
}

/// The state that the attempts of all calls share.
#[derive(Debug)]
struct CallMonitor {
    limiter: Limiter,
    causes: Causes,
    /// The name of the target in logs.
    title: String,
    endpoint: String,
}

impl CallMonitor {
    /// Records an attempt without a response.
    fn record_no_response(&self, action: &'static str, uri: Option<&str>, error: &str) {
        let kind = if error.contains("timed out") || error.contains("timeout") {
            "timeout"
        } else {
            "connection"
        };
        self.causes.record(action, kind, &self.title, uri.unwrap_or(&self.endpoint), error);
    }
}

impl Cloud {
    fn new(
        sdk: &SdkConfig,
        region: String,
        title: String,
        is_linked: bool,
        concurrency: usize,
    ) -> Self {
        // The token bucket of the SDK limits the retries of all calls together. Hundreds of calls run
        // in one fetch, and the failures of some must not use up the retries of the others.
        let partition = RetryPartition::custom("cloudwatch").token_bucket(TokenBucket::unlimited());
        let cloudwatch = aws_sdk_cloudwatch::config::Builder::from(sdk)
            .retry_partition(partition.build())
            .retry_classifier(RetryUnreadable)
            .build();
        let tagging = aws_sdk_resourcegroupstagging::config::Builder::from(sdk)
            .retry_classifier(RetryUnreadable)
            .build();
        let endpoint = match sdk.endpoint_url() {
            Some(url) => url.to_owned(),
            None => format!("monitoring.{region}"),
        };
        let (limiter, causes) = (Limiter::new(concurrency), Causes::default());
        Self {
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(cloudwatch),
            tagging: aws_sdk_resourcegroupstagging::Client::from_conf(tagging),
            credentials: sdk.credentials_provider(),
            region,
            is_linked,
            is_data_denied: AtomicBool::new(false),
            monitor: Arc::new(CallMonitor { limiter, causes, title, endpoint }),
        }
    }

    /// Whether `GetMetricData` has been denied.
    pub(crate) fn is_data_denied(&self) -> bool {
        self.is_data_denied.load(Ordering::Relaxed)
    }

    pub(crate) fn deny_data(&self, failure: &Failure) {
        if !self.is_data_denied.swap(true, Ordering::Relaxed) {
            tracing::warn!(%failure, "asking with GetMetricStatistics instead, metric by metric");
        }
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Whether credentials are available, and their access key ID.
    pub(crate) async fn identity(&self) -> Result<String, Failure> {
        let Some(provider) = &self.credentials else {
            return Err(Failure::setup("no credentials are configured"));
        };
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| Failure::from_error("", "", &error))?;
        Ok(format!("access key {}", credentials.access_key_id()))
    }

    /// Logs the causes of failures that have ended.
    pub(crate) fn log_resolved_failures(&self) {
        self.monitor.causes.log_resolved_failures(&self.monitor.title);
    }

    fn is_linked(&self) -> bool {
        self.is_linked
    }

    /// Counts a request for datapoints against the limits of the fetch.
    fn take(&self, action: &'static str, call: CallContext<'_>, units: u64) -> Result<(), Failure> {
        if call.context.allowance.take_data(units) {
            return Ok(());
        }
        let scope = call.queries().next().map_or("", |query| query.rule.namespace.as_str());
        let failure = Failure::of_fetch_limit(action, scope);
        self.failed(&failure);
        Err(failure)
    }

    async fn permit(&self) -> Permit<'_> {
        self.monitor.limiter.acquire().await
    }

    fn attempts(
        &self,
        action: &'static str,
        counter: &Labelled<Counter, 2>,
        scope: &str,
    ) -> Attempts {
        Attempts::new(action, usage::attempts(counter, action, scope), &self.monitor)
    }

    /// Counts a failed call, and logs it if its cause is new.
    fn failure<E, R>(&self, action: &'static str, scope: &str, error: &SdkError<E, R>) -> Failure
    where
        E: Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug + 'static,
    {
        let failure = Failure::new(action, scope, error);
        self.failed(&failure);
        failure
    }

    fn failed(&self, failure: &Failure) {
        failure.count();
        let CallMonitor { causes, title, endpoint, .. } = &*self.monitor;
        causes.record(failure.action(), failure.code(), title, endpoint, &failure.to_string());
    }
}
