//! The fake, called by the AWS SDK.

mod faults;
mod get_metric_data;
mod get_metric_statistics;
mod list_metrics;

use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::config::timeout::TimeoutConfig;
use aws_sdk_cloudwatch::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric as SdkMetric, MetricDataQuery, MetricStat};
use aws_smithy_http_client::Builder;
use fake_cloudwatch::{Fake, Metric, Values};

/// Noon of a day: the clock of the fake in most tests.
const NOW: i64 = 1_700_049_600;

fn client(fake: &Fake, attempts: u32) -> Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(Duration::from_millis(1));
    Client::from_conf(
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("AKIDFAKE", "secret", None, None, "test"))
            .endpoint_url(fake.url())
            .http_client(Builder::new().build_http())
            .retry_config(retries)
            .timeout_config(
                TimeoutConfig::builder().operation_timeout(Duration::from_secs(10)).build(),
            )
            .build(),
    )
}

fn healthy(zone: &str) -> Metric {
    Metric::new("AWS/ELB", "HealthyHostCount")
        .dimension("AvailabilityZone", zone)
        .dimension("LoadBalancerName", "myLB")
        .values(Values::Samples(vec![1.0, 2.0, 6.0]))
}

fn query(id: &str, zone: &str, stat: &str, period: i32) -> MetricDataQuery {
    // In another order than in the metric, as CloudWatch allows.
    let metric = SdkMetric::builder()
        .namespace("AWS/ELB")
        .metric_name("HealthyHostCount")
        .dimensions(Dimension::builder().name("LoadBalancerName").value("myLB").build())
        .dimensions(Dimension::builder().name("AvailabilityZone").value(zone).build())
        .build();
    let stat = MetricStat::builder().metric(metric).period(period).stat(stat).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

fn at(unix: i64) -> DateTime {
    DateTime::from_secs(unix)
}
