//! The fake, driven by the client that it is for.

use std::time::{Duration, Instant};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::config::timeout::TimeoutConfig;
use aws_sdk_cloudwatch::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
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
    assert_eq!(answer.datapoints()[0].extended_statistics().unwrap().get("p99.99"), Some(&6.0));
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

#[tokio::test]
async fn metric_data_is_paged() {
    let limits = Limits { datapoints: 5, ..Limits::default() };
    let fake =
        Fake::start(Model::new().metric(healthy("a")).metric(healthy("b")).limits(limits)).unwrap();
    fake.set_now(Some(NOW));
    let client = client(&fake, 1);
    let request = |ids: [&str; 3]| {
        let mut request = client.get_metric_data().start_time(at(NOW - 180)).end_time(at(NOW));
        for (id, zone) in ids.into_iter().zip(["a", "b", "elsewhere"]) {
            request = request.metric_data_queries(query(id, zone, "Sum", 60));
        }
        request
    };
    let results = |answer: &GetMetricDataOutput| -> Vec<String> {
        let results = answer.metric_data_results().iter();
        results
            .map(|result| {
                let times: Vec<_> =
                    result.timestamps().iter().map(|at| (at.secs() - NOW).to_string()).collect();
                let status = result.status_code().unwrap();
                format!("{} {} {status}", result.id().unwrap(), times.join(" "))
            })
            .collect()
    };
    let first = request(["a", "b", "c"]).send().await.unwrap();
    assert_eq!(
        results(&first),
        ["a -60 -120 -180 Complete", "b -60 -120 PartialData", "c  Complete"]
    );
    // A page can be had again, as a retry may have to.
    for _ in 0..2 {
        let second =
            request(["a", "b", "c"]).next_token(first.next_token().unwrap()).send().await.unwrap();
        assert_eq!(results(&second), ["b -180 Complete", "c  Complete"]);
        assert_eq!(second.next_token(), None);
    }
    let other =
        request(["x", "y", "z"]).next_token(first.next_token().unwrap()).send().await.unwrap_err();
    assert!(other.into_service_error().is_invalid_next_token());

    fake.inject(Fault::partial(2));
    let mut pages =
        request(["a", "b", "c"]).scan_by(ScanBy::TimestampAscending).into_paginator().send();
    let mut got = Vec::new();
    while let Some(page) = pages.next().await {
        got.push(results(&page.unwrap()).join(", "));
    }
    assert_eq!(
        got,
        [
            "a -180 -120 PartialData, b  PartialData, c  Complete",
            "a -60 Complete, b -180 PartialData, c  Complete",
            "b -120 -60 Complete, c  Complete"
        ]
    );
}

#[tokio::test]
async fn refuses_metric_data_as_the_service_does() {
    let fake = Fake::start(Model::new().metric(healthy("a"))).unwrap();
    let client = client(&fake, 1);
    let request = || client.get_metric_data().start_time(at(NOW - 600)).end_time(at(NOW));
    let many = |count: usize| {
        (0..count).map(|id| query(&format!("q{id}"), "a", "Sum", 60)).collect::<Vec<_>>()
    };
    assert!(request().set_metric_data_queries(Some(many(500))).send().await.is_ok());
    let sum = query("q", "a", "Sum", 60);
    for (wrong, message) in [
        (request().set_metric_data_queries(Some(many(501))), "size greater than 500"),
        (request().set_metric_data_queries(Some(vec![])), "size less than 1"),
        (request().metric_data_queries(sum.clone()).metric_data_queries(sum.clone()), "not unique"),
        (
            request().metric_data_queries(query("Q", "a", "Sum", 60)),
            "value Q for parameter MetricDataQueries.member.1.Id",
        ),
        (
            request().metric_data_queries(query("q", "a", "Median", 60)),
            "member.1.MetricStat.Stat is not a valid",
        ),
        (request().metric_data_queries(query("q", "a", "Sum", 90)), "multiple of 60"),
        (request().metric_data_queries(sum.clone()).start_time(at(NOW)), "must not equal"),
        (request().metric_data_queries(sum.clone()).start_time(at(NOW + 1)), "must be less"),
        (request().metric_data_queries(sum.clone()).max_datapoints(100_801), "MaxDatapoints"),
        (
            request()
                .metric_data_queries(MetricDataQuery::builder().id("e").expression("a+b").build()),
            "Expression",
        ),
    ] {
        let error = wrong.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some("ValidationError"));
        assert!(error.message().unwrap().contains(message), "{error:?}");
    }
    let calls = fake.counters().get_metric_data;
    assert_eq!((calls.received, calls.answered, calls.refused, calls.billed), (11, 1, 10, 100));
}

#[tokio::test]
async fn faults_are_retried_by_the_client() {
    let fake = Fake::start(Model::new().metric(healthy("a"))).unwrap();
    let once = client(&fake, 1);
    let thrice = client(&fake, 3);
    let list = |client: &Client| client.list_metrics().namespace("AWS/ELB").send();

    for (fault, code) in [
        (Fault::throttle(), Some("Throttling")),
        (Fault::internal_error(), Some("InternalServiceError")),
        (Fault::error(403, "AccessDenied", "not you"), Some("AccessDenied")),
        (Fault::drop_connection(), None),
        (Fault::truncate(), None),
    ] {
        fake.inject(fault.clone().on(Operation::ListMetrics).only(1));
        let error = list(&once).await.unwrap_err();
        assert_eq!(error.code(), code, "{fault:?}: {error:?}");
        assert!(list(&once).await.is_ok(), "{fault:?}");
        fake.clear_faults();
    }
    let calls = fake.counters().list_metrics;
    assert_eq!(
        (calls.throttled, calls.failed, calls.answered),
        (1, 3, 6),
        "a truncated answer is an answer"
    );

    fake.reset();
    fake.inject(Fault::throttle().first(1));
    fake.inject(Fault::internal_error().only(2));
    assert_eq!(list(&thrice).await.unwrap().metrics().len(), 1);
    let calls = fake.counters().list_metrics;
    assert_eq!((calls.received, calls.throttled, calls.failed, calls.billed), (3, 1, 1, 1));
    let seen = fake.calls();
    assert_eq!(seen.iter().map(|call| call.status).collect::<Vec<_>>(), [400, 500, 200]);
    assert_eq!((seen[0].access_key.as_str(), seen[0].region.as_str()), ("AKIDFAKE", "eu-west-1"));
    let Request::ListMetrics(request) = &*seen[0].request else { panic!("{:?}", seen[0]) };
    assert_eq!((request.namespace.as_deref(), &request.recently_active), (Some("AWS/ELB"), &None));
}

#[tokio::test]
async fn what_has_no_data_by_injection_says_so() {
    let fake = Fake::start(Model::new().metric(healthy("a"))).unwrap();
    fake.set_now(Some(NOW));
    fake.inject(Fault::internal_status().naming("HealthyHostCount").first(1));
    let client = client(&fake, 1);
    let request = client.get_metric_data().start_time(at(NOW - 600)).end_time(at(NOW));
    let request = request.metric_data_queries(query("q", "a", "Sum", 300));
    let answer = request.clone().send().await.unwrap();
    assert_eq!(answer.metric_data_results()[0].status_code(), Some(&StatusCode::InternalError));
    assert!(answer.metric_data_results()[0].values().is_empty());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.metric_data_results()[0].values().len(), 2);
}

#[tokio::test]
async fn calls_that_are_delayed_are_under_way_together() {
    let fake = Fake::start(Model::new()).unwrap();
    fake.inject(Fault::delay(Duration::from_secs(2)));
    let client = client(&fake, 1);
    let before = Instant::now();
    let calls = (0..4).map(|_| tokio::spawn(client.list_metrics().send())).collect::<Vec<_>>();
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    assert!(before.elapsed() >= Duration::from_secs(2));
    assert_eq!(fake.counters().most_at_once, 4);
}

#[tokio::test]
async fn fifty_thousand_series() {
    let fake =
        Fake::start(Model::new().grid("Load", 20, 500, &Values::Samples(vec![1.0, 2.0, 3.0])))
            .unwrap();
    fake.set_now(Some(NOW));
    let client = client(&fake, 1);
    let mut series = 0;
    for name in 0..20 {
        for sets in 0..5 {
            let mut request = client.get_metric_data().start_time(at(NOW - 600)).end_time(at(NOW));
            for set in sets * 100..(sets + 1) * 100 {
                let id = Dimension::builder().name("Id").value(format!("id-{set}")).build();
                let metric = SdkMetric::builder()
                    .namespace("Load")
                    .metric_name(format!("Metric{name}"))
                    .dimensions(id);
                for stat in ["Average", "Maximum", "Minimum", "SampleCount", "Sum"] {
                    let stat = MetricStat::builder()
                        .metric(metric.clone().build())
                        .period(300)
                        .stat(stat)
                        .build();
                    let id = format!("q{set}_{}", stat.stat().unwrap());
                    request = request.metric_data_queries(
                        MetricDataQuery::builder().id(id).metric_stat(stat).build(),
                    );
                }
            }
            let answer = request.send().await.unwrap();
            series += answer
                .metric_data_results()
                .iter()
                .filter(|result| result.values().len() == 2)
                .count();
        }
    }
    assert_eq!(series, 50_000);
    let counters = fake.counters();
    assert_eq!(
        (counters.queries, counters.datapoints, counters.billed()),
        (50_000, 100_000, 10_000)
    );
}
