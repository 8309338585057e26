//! A CloudWatch that throttles, fails and hangs up.

use std::time::Duration;

use fake_cloudwatch::{Fault, Metric, Model, Operation, Values};

use super::scene::{Scene, rule, samples, value};

/// Eight calls of `GetMetricData`, and their series.
const SERIES: usize = 4000;

fn park() -> Scene {
    let model = Model::new().grid("Park", 4, 200, &Values::Constant(1.0));
    let of = |n| rule("Park", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..4).map(of).collect();
    Scene::new(model, &format!("use_get_metric_data: true\nmetrics:\n{rules}"))
}

#[test]
fn what_a_retry_can_get_is_not_lost() {
    for (name, fault) in [
        ("throttling", Fault::throttle().chance(0.4, 7)),
        ("500", Fault::internal_error().chance(0.4, 8)),
        ("a connection dropped", Fault::drop_connection().chance(0.3, 9)),
        ("half an answer", Fault::truncate().on(Operation::GetMetricData).chance(0.3, 10)),
        (
            "queries that failed inside",
            Fault::internal_status().on(Operation::GetMetricData).first(3),
        ),
    ] {
        let scene = park();
        scene.fake.inject(fault);
        let page = scene.page();
        assert_eq!(samples(&page, "park_metric").len(), SERIES, "{name}: {}", scene.exporter.log());
        assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 0.0, "{name}");
        assert_eq!(value(&page, "cloudwatch_exporter_collector_success"), 1.0, "{name}");
        let calls = scene.fake.counters().get_metric_data;
        assert!(calls.received > 8, "{name}: nothing failed");
        let requests = "cloudwatch_requests_total{action=\"getMetricData\",namespace=\"Park\"}";
        assert_eq!(value(&page, requests), calls.received as f64, "{name}");
    }
}

#[test]
fn a_failed_call_costs_its_own_metrics_and_shows() {
    let scene = park();
    let denied = Fault::error(403, "AccessDenied", "Not this one.");
    scene.fake.inject(denied.on(Operation::GetMetricData).only(3));
    let page = scene.page();
    assert_eq!(samples(&page, "park_metric").len(), SERIES - 500);
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    assert_eq!(value(&page, "cloudwatch_exporter_collector_success"), 0.0);
    let failed = "cloudwatch_failed_calls_total{action=\"getMetricData\",namespace=\"Park\",\
                  error=\"AccessDenied\"}";
    assert_eq!(value(&page, failed), 1.0);
    let log = scene.exporter.log();
    assert!(log.contains("getMetricData of Park: AccessDenied: Not this one."), "{log}");
}

/// Who has always asked with one operation may lack the permission for the other.
#[test]
fn where_one_operation_is_not_allowed_the_other_is_used() {
    let model = Model::new().grid("Park", 1, 30, &Values::Constant(1.0));
    let rules = rule("Park", "Metric0", "  aws_dimensions: [Id]\n");
    let scene = Scene::new(model, &format!("metrics:\n{rules}"));
    let denied = Fault::error(403, "AccessDenied", "Only statistics.");
    scene.fake.inject(denied.on(Operation::GetMetricData));
    let page = scene.page();
    assert_eq!(samples(&page, "park_metric0").len(), 150);
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 0.0);
    assert_eq!(scene.received(Operation::GetMetricData), 1);
    assert_eq!(scene.received(Operation::GetMetricStatistics), 30);
    assert!(
        scene.exporter.log().contains("GetMetricStatistics instead"),
        "{}",
        scene.exporter.log()
    );
}

/// What is missing is asked for again before the period is over, and nothing else is.
#[test]
fn what_failed_is_asked_for_again_and_no_more() {
    // Seconds of a minute count here: not to be tested over a boundary.
    let model = Model::new().grid("Park", 2, 100, &Values::Constant(1.0));
    let of = |n| rule("Park", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..2).map(of).collect();
    let config = "period_seconds: 3600\nrange_seconds: 7200\nuse_get_metric_data: true\n";
    let scene = Scene::new(model, &format!("{config}metrics:\n{rules}"));
    let denied = Fault::error(403, "AccessDenied", "Not this one.");
    scene.fake.inject(denied.on(Operation::GetMetricData).only(2));
    assert_eq!(scene.samples("park_metric").len(), 500);
    let asked = scene.fake.counters().received();
    assert_eq!(scene.samples("park_metric").len(), 500);
    assert_eq!(scene.fake.counters().received(), asked, "not at every scrape");
}

#[test]
fn a_list_that_fails_costs_its_own_rule() {
    let scene = park();
    let denied = Fault::error(403, "AccessDenied", "Not this one.");
    scene.fake.inject(denied.on(Operation::ListMetrics).naming("Metric2"));
    let page = scene.page();
    assert_eq!(samples(&page, "park_metric").len(), SERIES - 1000);
    assert_eq!(samples(&page, "park_metric2").len(), 0);
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
}

#[test]
fn statistics_one_by_one_fail_one_by_one() {
    let model = Model::new()
        .metric(Metric::new("One", "Good"))
        .metric(Metric::new("One", "Bad"))
        .metric(Metric::new("Two", "Good"));
    let rules = rule("One", "Good", "") + &rule("One", "Bad", "") + &rule("Two", "Good", "");
    let scene = Scene::new(model, &format!("metrics:\n{rules}"));
    scene.fake.inject(Fault::error(400, "InvalidParameterValue", "No.").naming("Bad"));
    let page = scene.page();
    assert_eq!(samples(&page, "one_good").len(), 5);
    assert_eq!(samples(&page, "one_bad").len(), 0);
    assert_eq!(samples(&page, "two_good").len(), 5);
}

/// With nobody there at all, the page is still served, in time.
#[test]
fn a_cloud_that_does_not_answer_stops_no_scrape() {
    let flags = ["--collector.timeout=1s"];
    let rules = rule("One", "Good", "");
    let variables = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    let scene = Scene::with(Model::new(), &format!("metrics:\n{rules}"), &flags, &variables);
    let start = std::time::Instant::now();
    let page = scene.page();
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
}
