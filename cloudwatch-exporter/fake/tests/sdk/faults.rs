use std::time::{Duration, Instant};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::types::StatusCode;
use fake_cloudwatch::{Fake, Fault, Model, Operation, Request};

use super::{NOW, at, client, healthy, query};

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
        "a truncated response counts as answered"
    );

    fake.reset();
    fake.inject(Fault::throttle().first(1));
    fake.inject(Fault::internal_error().only(2));
    assert_eq!(list(&thrice).await.unwrap().metrics().len(), 1);
    let calls = fake.counters().list_metrics;
    assert_eq!((calls.received, calls.throttled, calls.failed, calls.billed), (3, 1, 1, 1));
    let calls = fake.calls();
    assert_eq!(calls.iter().map(|call| call.status).collect::<Vec<_>>(), [400, 500, 200]);
    assert_eq!((calls[0].access_key.as_str(), calls[0].region.as_str()), ("AKIDFAKE", "eu-west-1"));
    let Request::ListMetrics(request) = &*calls[0].request else { panic!("{:?}", calls[0]) };
    assert_eq!((request.namespace.as_deref(), &request.recently_active), (Some("AWS/ELB"), &None));
}

#[tokio::test]
async fn an_injected_result_status_has_no_values() {
    let fake = Fake::start(Model::new().metric(healthy("a"))).unwrap();
    fake.set_now(Some(NOW));
    fake.inject(Fault::internal_status().naming("HealthyHostCount").first(1));
    let client = client(&fake, 1);
    let request = client.get_metric_data().start_time(at(NOW - 600)).end_time(at(NOW));
    let request = request.metric_data_queries(query("q", "a", "Sum", 300));
    let response = request.clone().send().await.unwrap();
    assert_eq!(response.metric_data_results()[0].status_code(), Some(&StatusCode::InternalError));
    assert!(response.metric_data_results()[0].values().is_empty());
    let response = request.send().await.unwrap();
    assert_eq!(response.metric_data_results()[0].values().len(), 2);
}

#[tokio::test]
async fn delayed_calls_run_concurrently() {
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
