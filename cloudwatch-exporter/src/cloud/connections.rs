//! Creates the clients of a target, with its region and credentials.

use std::collections::HashMap;
use std::env;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatch::config::{Credentials, SharedCredentialsProvider};
use tokio::sync::{Mutex, OnceCell};

use super::profile::Profiles;
use super::{Cloud, Failure, http, token_files};
use crate::target::{Role, Target};

/// The maximum number of attempts of a call, unless `AWS_MAX_ATTEMPTS` is set.
const MAX_ATTEMPTS: u32 = 10;

/// The region of `--demo` if the configuration has none.
const DEMO_REGION: Region = Region::from_static("eu-west-1");

/// The state that the targets of a configuration share: the environment, and the credentials of
/// roles.
#[derive(Debug)]
pub(crate) struct Connections {
    /// Without a region, for targets that have one: the metadata service need not be queried for it.
    environment: OnceCell<SdkConfig>,
    environment_with_region: OnceCell<SdkConfig>,
    roles: Mutex<HashMap<Role, SharedCredentialsProvider>>,
    /// Concurrent calls of each target.
    concurrency: usize,
    demo: Option<String>,
}

impl Connections {
    /// `demo` is the endpoint of a simulated CloudWatch.
    pub(crate) fn new(concurrency: usize, demo: Option<String>) -> Self {
        let (environment, environment_with_region) = (OnceCell::new(), OnceCell::new());
        let roles = Mutex::default();
        Self { environment, environment_with_region, roles, concurrency, demo }
    }

    /// The clients of a target, from the configuration, the environment and the machine.
    pub(crate) async fn open(&self, target: &Target) -> Result<Cloud, Failure> {
        let configured = target.region.clone().map(Region::new);
        let environment = match configured {
            Some(_) => &self.environment,
            None => &self.environment_with_region,
        }
        .get_or_try_init(|| environment(self.demo.as_deref(), configured.clone()))
        .await?;
        let region = configured.or_else(|| environment.region().cloned());
        let Some(region) = region.filter(|region| !region.as_ref().is_empty()) else {
            return Err(Failure::setup(
                "no region is configured; set `region` in the configuration file or AWS_REGION",
            ));
        };
        let mut regional = environment.clone().into_builder().region(region.clone());
        if let Some(fips) = target.endpoints.fips {
            regional.set_use_fips(Some(fips));
        }
        if let Some(dual_stack) = target.endpoints.dual_stack {
            regional.set_use_dual_stack(Some(dual_stack));
        }
        let regional = regional.build();
        let role = target.account.as_ref().and_then(|account| account.role.as_ref());
        let sdk = match role {
            Some(role) => {
                let credentials = self.assume_role(role, &regional).await;
                regional.into_builder().credentials_provider(credentials).build()
            }
            None => regional,
        };
        let is_linked = target.account.as_ref().is_some_and(|account| account.is_linked);
        Ok(Cloud::new(&sdk, region.to_string(), target.title(), is_linked, self.concurrency))
    }

    /// The credentials of a role. The SDK renews them before they expire. Targets with the same role
    /// share them.
    async fn assume_role(&self, role: &Role, base: &SdkConfig) -> SharedCredentialsProvider {
        let mut roles = self.roles.lock().await;
        if let Some(known) = roles.get(role) {
            return known.clone();
        }
        let mut builder = AssumeRoleProvider::builder(&role.arn)
            .session_name("cloudwatch_exporter")
            .configure(base);
        if let Some(id) = &role.external_id {
            builder = builder.external_id(id);
        }
        let provider = match base.credentials_provider() {
            Some(base) => builder.build_from_provider(base).await,
            None => builder.build().await,
        };
        let credentials = SharedCredentialsProvider::new(provider);
        roles.insert(role.clone(), credentials.clone());
        credentials
    }
}

/// The configuration of the environment. Without `region`, it includes the region of the environment.
async fn environment(demo: Option<&str>, region: Option<Region>) -> Result<SdkConfig, Failure> {
    let Profiles { files, token_files } = if demo.is_some() {
        Profiles::empty()
    } else {
        token_files::check_roots().await?;
        Profiles::read().await?
    };
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http::client(demo.is_none()))
        .profile_files(files)
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(4))
                .operation_attempt_timeout(Duration::from_secs(10))
                .operation_timeout(Duration::from_mins(2))
                .build(),
        );
    let is_set = |name| env::var_os(name).is_some();
    if !is_set("AWS_MAX_ATTEMPTS") && !is_set("AWS_RETRY_MODE") {
        loader = loader.retry_config(
            RetryConfig::standard()
                .with_max_attempts(MAX_ATTEMPTS)
                .with_initial_backoff(Duration::from_millis(250))
                .with_max_backoff(Duration::from_secs(5)),
        );
    }
    if let Some(endpoint) = demo {
        let keys = Credentials::new("AKIADEMO", "demo", None, None, "demo");
        loader = loader.endpoint_url(endpoint).credentials_provider(keys);
    }
    if let Some(region) = region.or(demo.map(|_| DEMO_REGION)) {
        loader = loader.region(region);
    }
    let sdk = loader.load().await;
    let Some(credentials) = sdk.credentials_provider() else { return Ok(sdk) };
    let credentials = token_files::check_before_use(credentials, token_files);
    Ok(sdk.into_builder().credentials_provider(credentials).build())
}
