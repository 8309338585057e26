use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::operation::list_metrics::ListMetricsOutput;
use aws_sdk_cloudwatch::types::{DimensionFilter, RecentlyActive};
use fake_cloudwatch::{Fake, Limits, Metric, Model};

use super::{NOW, client, healthy};

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
