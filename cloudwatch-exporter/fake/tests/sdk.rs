//! The fake, driven by the client that it is for.

use std::time::{Duration, Instant};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::config::timeout::TimeoutConfig;
use aws_sdk_cloudwatch::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::operation::list_metrics::ListMetricsOutput;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, DimensionFilter, Metric as SdkMetric, MetricDataQuery, MetricStat, RecentlyActive,
    ScanBy, StandardUnit, Statistic, StatusCode,
};
use aws_smithy_http_client::Builder;
use fake_cloudwatch::{Fake, Fault, Limits, Metric, Model, Operation, Request, Values};

/// Noon of some day, and the fake's clock in most tests.
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
    // Not in the order of the metric: CloudWatch does not mind.
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

#[tokio::test]
async fn lists_metrics_in_pages() {
    let mut model = Model::new().limits(Limits { list_page: 2, ..Limits::default() });
    for zone in ["a", "b", "c"] {
        model = model.metric(healthy(zone));
    }
    model = model
        .metric(Metric::new("AWS/ELB", "HealthyHostCount"))
        .metric(Metric::new("AWS/ELB", "RequestCount").dimension("AvailabilityZone", "a"))
        .metric(healthy("gone").until(NOW - 4 * 3600))
        .metric(healthy("forgotten").until(NOW - 15 * 24 * 3600))
        .metric(healthy("foreign").account("999999999999"));
    let fake = Fake::start(model).unwrap();
    fake.set_now(Some(NOW));
    let client = client(&fake, 1);
    let list = || {
        client
            .list_metrics()
            .namespace("AWS/ELB")
            .metric_name("HealthyHostCount")
            .dimensions(DimensionFilter::builder().name("AvailabilityZone").build())
            .dimensions(DimensionFilter::builder().name("LoadBalancerName").value("myLB").build())
    };
    for (request, pages, zones) in
        [(list(), 2, "a b c gone"), (list().recently_active(RecentlyActive::Pt3H), 2, "a b c")]
    {
        let answers = request.into_paginator().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(answers.len(), pages);
        let metrics = answers.iter().flat_map(ListMetricsOutput::metrics);
        let got: Vec<&str> =
            metrics.map(|metric| metric.dimensions()[0].value().unwrap()).collect();
        assert_eq!(got.join(" "), zones);
    }
    let foreign =
        list().include_linked_accounts(true).owning_account("999999999999").send().await.unwrap();
    assert_eq!(foreign.metrics().len(), 1);
    assert_eq!(foreign.owning_accounts(), ["999999999999"]);
    assert_eq!(fake.counters().list_metrics.billed, 5);

    let error = list().next_token("stale").send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidNextToken"));
}

#[tokio::test]
async fn gets_metric_data() {
    let fake = Fake::start(Model::new().metric(healthy("a"))).unwrap();
    fake.set_now(Some(NOW));
    let client = client(&fake, 1);
    let statistics = ["Average", "Maximum", "Minimum", "SampleCount", "Sum", "p50"];
    let mut request = client.get_metric_data().start_time(at(NOW - 900)).end_time(at(NOW - 300));
    for (id, statistic) in statistics.iter().enumerate() {
        request = request.metric_data_queries(query(&format!("q{id}"), "a", statistic, 300));
    }
    let answer = request
        .clone()
        .metric_data_queries(query("none", "elsewhere", "Sum", 300))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.next_token(), None);
    let values = [3.0, 6.0, 1.0, 15.0, 45.0, 2.0];
    for (result, value) in answer.metric_data_results().iter().zip(values) {
        assert_eq!(result.timestamps(), [at(NOW - 600), at(NOW - 900)], "newest first");
        assert_eq!(result.values(), [value, value], "{:?}", result.id());
        assert_eq!(result.status_code(), Some(&StatusCode::Complete));
        assert_eq!(result.label(), Some("HealthyHostCount"));
    }
    let none = &answer.metric_data_results()[6];
    assert_eq!(
        (none.id(), none.values(), none.status_code()),
        (Some("none"), &[][..], Some(&StatusCode::Complete))
    );

    let counters = fake.counters();
    assert_eq!((counters.queries, counters.datapoints), (7, 12));
    assert_eq!(counters.get_metric_data.billed, 3, "six statistics are two metrics");

    let oldest_first = request.scan_by(ScanBy::TimestampAscending).send().await.unwrap();
    assert_eq!(oldest_first.metric_data_results()[0].timestamps(), [at(NOW - 900), at(NOW - 600)]);
}

#[tokio::test]
async fn gets_metric_statistics() {
    let fake = Fake::start(Model::new().metric(healthy("a").unit("None"))).unwrap();
    fake.set_now(Some(NOW));
    let client = client(&fake, 1);
    let request = |period| {
        client
            .get_metric_statistics()
            .namespace("AWS/ELB")
            .metric_name("HealthyHostCount")
            .dimensions(Dimension::builder().name("LoadBalancerName").value("myLB").build())
            .dimensions(Dimension::builder().name("AvailabilityZone").value("a").build())
            .start_time(at(NOW - 600))
            .end_time(at(NOW))
            .period(period)
    };
    let answer = request(300)
        .statistics(Statistic::Sum)
        .statistics(Statistic::SampleCount)
        .send()
        .await
        .unwrap();
    let points: Vec<_> = answer
        .datapoints()
        .iter()
        .map(|point| {
            (
                point.timestamp().unwrap().secs() - NOW,
                point.sum(),
                point.sample_count(),
                point.average(),
            )
        })
        .collect();
    assert_eq!(
        points,
        [(-300, Some(45.0), Some(15.0), None), (-600, Some(45.0), Some(15.0), None)]
    );
    assert_eq!(answer.datapoints()[0].unit(), Some(&StandardUnit::None));
    let answer = request(600).extended_statistics("p99.99").send().await.unwrap();
    assert_eq!(answer.datapoints()[0].extended_statistics().unwrap()["p99.99"], 6.0);
    let answer =
        request(600).statistics(Statistic::Sum).unit(StandardUnit::Bytes).send().await.unwrap();
    assert_eq!(answer.datapoints(), []);
    assert_eq!(fake.counters().get_metric_statistics.billed, 3);

    for (wrong, code) in [
        (request(300), "InvalidParameterCombination"),
        (
            request(300).statistics(Statistic::Sum).extended_statistics("p99"),
            "InvalidParameterCombination",
        ),
        (request(45).statistics(Statistic::Sum), "InvalidParameterValue"),
        (
            request(60).statistics(Statistic::Sum).start_time(at(NOW - 1441 * 60)),
            "InvalidParameterCombination",
        ),
        (request(60).statistics(Statistic::Sum).start_time(at(NOW)), "InvalidParameterValue"),
        (request(60).statistics(Statistic::from("Median")), "InvalidParameterValue"),
        (request(60).statistics(Statistic::Sum).metric_name(""), "MissingParameter"),
    ] {
        let error = wrong.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some(code), "{error:?}");
        assert!(error.message().is_some(), "{error:?}");
    }
    assert_eq!(fake.counters().get_metric_statistics.refused, 7);
}
