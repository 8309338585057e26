use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::types::{Dimension, StandardUnit, Statistic};
use fake_cloudwatch::{Fake, Model};

use super::{NOW, at, client, healthy};

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
