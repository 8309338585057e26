//! AWS: who we are there, and the four operations that we call.

mod attempts;
mod data;
mod failure;
mod http;
mod list;
mod pages;
mod resources;
mod statistics;
#[cfg(test)]
pub(crate) mod tests;
mod unreadable;

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatch::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_cloudwatch::config::{ProvideCredentials, SharedCredentialsProvider};

pub(crate) use self::failure::Failure;
pub(crate) use self::list::{Listed, Listing};
pub(crate) use self::resources::Selection;
use self::unreadable::RetryUnreadable;
use crate::config::Config;

/// The clients of one region and one identity.
#[derive(Debug)]
pub(crate) struct Cloud {
    cloudwatch: aws_sdk_cloudwatch::Client,
    tagging: aws_sdk_resourcegroupstagging::Client,
    credentials: Option<SharedCredentialsProvider>,
    region: String,
    is_data_denied: AtomicBool,
}

/// How often a call is tried, unless `AWS_MAX_ATTEMPTS` says otherwise.
const ATTEMPTS: u32 = 8;

impl Cloud {
    /// As the configuration, the environment and the machine say.
    pub(crate) async fn open(config: &Config) -> Result<Self, Failure> {
        let region = RegionProviderChain::first_try(config.region.clone().map(Region::new));
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http::client())
            .region(region.or_default_provider())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(4))
                    .operation_attempt_timeout(Duration::from_secs(30))
                    .operation_timeout(Duration::from_mins(2))
                    .build(),
            );
        let is_said = |name| env::var_os(name).is_some();
        if !is_said("AWS_MAX_ATTEMPTS") && !is_said("AWS_RETRY_MODE") {
            loader = loader.retry_config(
                RetryConfig::standard()
                    .with_max_attempts(ATTEMPTS)
                    .with_initial_backoff(Duration::from_millis(250))
                    .with_max_backoff(Duration::from_secs(5)),
            );
        }
        let base = loader.load().await;
        let region = base.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let Some(region) = region else {
            return Err(Failure::setup(
                "no region is configured; set `region` in the configuration file or AWS_REGION",
            ));
        };
        let sdk = match &config.role_arn {
            Some(role) => assume(role, &base).await,
            None => base,
        };
        Ok(Self::new(&sdk, region))
    }

    fn new(sdk: &SdkConfig, region: String) -> Self {
        // Whether a call is tried again is for the call itself to say: hundreds are under way in
        // one fetch, and the failures of some must not use up the retries of the others.
        let partition = RetryPartition::custom("cloudwatch").token_bucket(TokenBucket::unlimited());
        let cloudwatch = aws_sdk_cloudwatch::config::Builder::from(sdk)
            .retry_partition(partition.build())
            .retry_classifier(RetryUnreadable)
            .build();
        let tagging = aws_sdk_resourcegroupstagging::config::Builder::from(sdk)
            .retry_classifier(RetryUnreadable)
            .build();
        Self {
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(cloudwatch),
            tagging: aws_sdk_resourcegroupstagging::Client::from_conf(tagging),
            credentials: sdk.credentials_provider(),
            region,
            is_data_denied: AtomicBool::new(false),
        }
    }

    /// Whether `GetMetricData` has turned out not to be allowed.
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

    /// Whether there are credentials, and the part of them that is no secret.
    pub(crate) async fn identity(&self) -> Result<String, Failure> {
        let Some(provider) = &self.credentials else {
            return Err(Failure::setup("no credentials are configured"));
        };
        let credentials = provider.provide_credentials().await;
        let credentials =
            credentials.map_err(|error| Failure::of_error("credentials", "", &error))?;
        Ok(format!("access key {}", credentials.access_key_id()))
    }
}

/// The same with the credentials of a role, which are renewed before they end.
async fn assume(role: &str, base: &SdkConfig) -> SdkConfig {
    let builder =
        AssumeRoleProvider::builder(role).session_name("cloudwatch_exporter").configure(base);
    let provider = match base.credentials_provider() {
        Some(own) => builder.build_from_provider(own).await,
        None => builder.build().await,
    };
    let credentials = SharedCredentialsProvider::new(provider);
    base.clone().into_builder().credentials_provider(credentials).build()
}
