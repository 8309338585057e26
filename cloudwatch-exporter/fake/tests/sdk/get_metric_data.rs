use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric as SdkMetric, MetricDataQuery, MetricStat, ScanBy, StatusCode,
};
use fake_cloudwatch::{Fake, Fault, Limits, Model, Values};

use super::{NOW, at, client, healthy, query};

#[tokio::test]
async fn returns_statistics_and_charges_by_metric() {
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
async fn results_are_paged() {
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
    // A page can be requested again, as by a retry.
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
async fn invalid_requests_are_rejected_as_by_the_service() {
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
