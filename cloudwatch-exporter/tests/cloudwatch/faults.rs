//! Throttling, errors and dropped connections.

use std::time::Duration;

use fake_cloudwatch::{Fault, Metric, Model, Operation, Values};

use super::fixture::{Fixture, rule, samples, value};

/// Eight calls of `GetMetricData`, and their series.
const SERIES: usize = 4000;

fn park() -> Fixture {
    let model = Model::new().grid("Park", 4, 200, &Values::Constant(1.0));
    let of = |n| rule("Park", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..4).map(of).collect();
    Fixture::new(model, &format!("use_get_metric_data: true\nmetrics:\n{rules}"))
}

#[test]
fn retries_recover_from_faults() {
    for (name, fault) in [
        ("throttling", Fault::throttle().chance(0.4, 7)),
        ("500", Fault::internal_error().chance(0.4, 8)),
        ("a connection dropped", Fault::drop_connection().chance(0.3, 9)),
        ("half a response", Fault::truncate().on(Operation::GetMetricData).chance(0.3, 10)),
        (
            "queries that failed inside",
            Fault::internal_status().on(Operation::GetMetricData).first(3),
        ),
    ] {
        let fixture = park();
        fixture.fake.inject(fault);
        let page = fixture.page();
        assert_eq!(
            samples(&page, "park_metric").len(),
            SERIES,
            "{name}: {}",
            fixture.exporter.log()
        );
        assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 0.0, "{name}");
        assert_eq!(value(&page, "cloudwatch_exporter_collector_success"), 1.0, "{name}");
        let calls = fixture.fake.counters().get_metric_data;
        assert!(calls.received > 8, "{name}: nothing failed");
        let requests = "cloudwatch_requests_total{action=\"getMetricData\",namespace=\"Park\"}";
        assert_eq!(value(&page, requests), calls.received as f64, "{name}");
    }
}

#[test]
fn a_failed_call_affects_only_its_metrics_and_is_reported() {
    let fixture = park();
    let denied = Fault::error(403, "AccessDenied", "Not this one.");
    fixture.fake.inject(denied.on(Operation::GetMetricData).only(3));
    let page = fixture.page();
    assert_eq!(samples(&page, "park_metric").len(), SERIES - 500);
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    assert_eq!(value(&page, "cloudwatch_exporter_collector_success"), 0.0);
    let failed = "cloudwatch_failed_calls_total{action=\"getMetricData\",namespace=\"Park\",\
                  error=\"AccessDenied\"}";
    assert_eq!(value(&page, failed), 1.0);
    let log = fixture.exporter.log();
    assert!(log.contains("getMetricData of Park: AccessDenied: Not this one."), "{log}");
}

/// Older IAM policies may allow only one of the operations.
#[test]
fn the_other_operation_is_used_if_one_is_denied() {
    let model = Model::new().grid("Park", 1, 30, &Values::Constant(1.0));
    let rules = rule("Park", "Metric0", "  aws_dimensions: [Id]\n");
    let fixture = Fixture::new(model, &format!("metrics:\n{rules}"));
    let denied = Fault::error(403, "AccessDenied", "Only statistics.");
    fixture.fake.inject(denied.on(Operation::GetMetricData));
    let page = fixture.page();
    assert_eq!(samples(&page, "park_metric0").len(), 150);
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 0.0);
    assert_eq!(fixture.received(Operation::GetMetricData), 1);
    assert_eq!(fixture.received(Operation::GetMetricStatistics), 30);
    assert!(
        fixture.exporter.log().contains("GetMetricStatistics instead"),
        "{}",
        fixture.exporter.log()
    );
}

/// Missing results are fetched again before the period is over, and nothing else is.
#[test]
fn only_failed_queries_are_retried() {
    // Must not cross the end of a minute.
    let model = Model::new().grid("Park", 2, 100, &Values::Constant(1.0));
    let of = |n| rule("Park", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..2).map(of).collect();
    let config = "period_seconds: 3600\nrange_seconds: 7200\nuse_get_metric_data: true\n";
    let fixture = Fixture::new(model, &format!("{config}metrics:\n{rules}"));
    let denied = Fault::error(403, "AccessDenied", "Not this one.");
    fixture.fake.inject(denied.on(Operation::GetMetricData).only(2));
    assert_eq!(fixture.samples("park_metric").len(), 500);
    let received = fixture.fake.counters().received();
    assert_eq!(fixture.samples("park_metric").len(), 500);
    assert_eq!(fixture.fake.counters().received(), received, "not at every scrape");
}

#[test]
fn a_failed_list_affects_only_its_rule() {
    let fixture = park();
    let denied = Fault::error(403, "AccessDenied", "Not this one.");
    fixture.fake.inject(denied.on(Operation::ListMetrics).naming("Metric2"));
    let page = fixture.page();
    assert_eq!(samples(&page, "park_metric").len(), SERIES - 1000);
    assert_eq!(samples(&page, "park_metric2").len(), 0);
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
}

#[test]
fn calls_of_get_metric_statistics_fail_separately() {
    let model = Model::new()
        .metric(Metric::new("One", "Good"))
        .metric(Metric::new("One", "Bad"))
        .metric(Metric::new("Two", "Good"));
    let rules = rule("One", "Good", "") + &rule("One", "Bad", "") + &rule("Two", "Good", "");
    let fixture = Fixture::new(model, &format!("metrics:\n{rules}"));
    fixture.fake.inject(Fault::error(400, "InvalidParameterValue", "No.").naming("Bad"));
    let page = fixture.page();
    assert_eq!(samples(&page, "one_good").len(), 5);
    assert_eq!(samples(&page, "one_bad").len(), 0);
    assert_eq!(samples(&page, "two_good").len(), 5);
}

/// Without any endpoint, the page is still served in time.
#[test]
fn an_unreachable_cloud_does_not_block_scrapes() {
    let flags = ["--collector.timeout=1s"];
    let rules = rule("One", "Good", "");
    let variables = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    let fixture = Fixture::with(Model::new(), &format!("metrics:\n{rules}"), &flags, &variables);
    let start = std::time::Instant::now();
    let page = fixture.page();
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
}
