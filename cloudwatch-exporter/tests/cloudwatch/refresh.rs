//! Results are shown as they arrive, and due rules are fetched ahead of scrapes.

use std::thread::sleep;
use std::time::{Duration, Instant};

use fake_cloudwatch::{Fault, Metric, Model, Operation, Values};

use super::fixture::{Fixture, rule, samples, value};

/// Waits for a condition, with a generous limit.
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_mins(5), "{what}");
        sleep(Duration::from_millis(100));
    }
}

/// A fixture whose fetches need ten slow calls of `GetMetricData`, one after the other.
fn slow_fixture() -> Fixture {
    let model = Model::new().grid("Grid", 10, 100, &Values::Constant(1.0));
    let of = |n| rule("Grid", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..10).map(of).collect();
    let config = format!(
        "period_seconds: 3600\nrange_seconds: 7200\nuse_get_metric_data: true\nmetrics:\n{rules}"
    );
    let flags = ["--collector.timeout=1s", "--cloudwatch.concurrency=1"];
    let fixture = Fixture::with(model, &config, &flags, &[]);
    fixture.fake.inject(Fault::delay(Duration::from_millis(500)).on(Operation::GetMetricData));
    fixture
}

#[test]
fn results_are_shown_during_a_fetch() {
    let fixture = slow_fixture();
    let mut counts = Vec::new();
    wait_for("all of them", || {
        let page = fixture.page();
        let count = samples(&page, "grid_metric").len();
        let error = value(&page, "cloudwatch_exporter_scrape_error ");
        assert_eq!(error == 1.0, count < 5000, "{count} series");
        counts.push(count);
        count == 5000
    });
    assert!(counts.iter().any(|count| (1..5000).contains(count)), "{counts:?}");
    assert!(counts.is_sorted(), "{counts:?}");
    let counters = fixture.fake.counters();
    assert_eq!((counters.get_metric_data.received, counters.get_metric_data.billed), (10, 1000));
}

/// A complete page does not wait for results of the next period, and shows the previous ones until
/// then.
#[test]
fn regular_scrapes_do_not_wait() {
    let metric = Metric::new("One", "Second").every(1).resolution(1);
    let more = "  period_seconds: 5\n  range_seconds: 30\n  delay_seconds: 5\n";
    let config = format!("metrics:\n{}", rule("One", "Second", more));
    let fixture = Fixture::new(Model::new().metric(metric), &config);
    let start = Instant::now();
    let mut pages = 0;
    while start.elapsed() < Duration::from_secs(18) {
        assert_eq!(fixture.samples("one_second_").len(), 5);
        pages += 1;
        sleep(Duration::from_millis(300));
    }
    let received = fixture.received(Operation::GetMetricStatistics);
    assert!(received >= 2, "{received} in {pages} pages");
    // Without scrapes, only the current period is fetched ahead.
    fixture.fake.inject(Fault::hang());
    let page = fixture.page();
    assert_eq!(samples(&page, "one_second_").len(), 5, "no page waits for what hangs");
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 0.0);
}

#[test]
fn without_scrapes_nothing_is_requested() {
    let metric = Metric::new("One", "Second").every(1).resolution(1);
    let more = "  period_seconds: 1\n  range_seconds: 30\n  delay_seconds: 5\n";
    let config = format!("metrics:\n{}", rule("One", "Second", more));
    let fixture = Fixture::new(Model::new().metric(metric), &config);
    for _ in 0..20 {
        fixture.page();
        sleep(Duration::from_millis(200));
    }
    sleep(Duration::from_secs(2));
    let received = fixture.fake.counters().received();
    sleep(Duration::from_secs(4));
    assert_eq!(fixture.fake.counters().received(), received);
}

/// The cause, the endpoint and the action are logged while the call is still retried, and only
/// once.
#[test]
fn failing_calls_are_logged_when_they_begin_and_end() {
    let model = Model::new().metric(Metric::new("One", "Good"));
    let config = format!("metrics:\n{}", rule("One", "Good", ""));
    let fixture = Fixture::with(model, &config, &["--collector.timeout=1s"], &[]);
    fixture.fake.inject(Fault::drop_connection().first(4));
    let times = |text: &str| fixture.exporter.log().matches(text).count();
    wait_for("the series", || fixture.samples("one_good_").len() == 5);
    let log = fixture.exporter.log();
    let line =
        log.lines().find(|line| line.contains("calls fail")).unwrap_or_else(|| panic!("{log}"));
    for part in ["action=getMetricStatistics", &fixture.fake.url(), "connection closed"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert_eq!(times("calls fail"), 1, "{log}");
    fixture.fake.clear_faults();
    wait_for("the end", || {
        fixture.page();
        times("calls no longer fail") == 1
    });
}

#[test]
fn a_refused_connection_is_named() {
    let config = format!("metrics:\n{}", rule("One", "Good", ""));
    let variables = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    let fixture = Fixture::with(Model::new(), &config, &["--collector.timeout=1s"], &variables);
    fixture.page();
    wait_for("the cause", || {
        let log = fixture.exporter.log();
        log.contains("http://127.0.0.1:1") && log.contains("Connection refused")
    });
}

/// The most expensive rules are queried less often, and metrics show it.
#[test]
fn a_budget_limits_the_cost() {
    let model = Model::new().grid("Grid", 2, 100, &Values::Constant(1.0));
    let all = |n| rule("Grid", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..2).map(all).collect();
    let config = format!("use_get_metric_data: true\nbudget_dollars: 30\nmetrics:\n{rules}");
    let fixture = Fixture::new(model, &config);
    wait_for("what is planned", || {
        let page = fixture.page();
        value(&page, "cloudwatch_exporter_budget_stretched_rules") == 2.0
    });
    let page = fixture.page();
    assert_eq!(value(&page, "cloudwatch_exporter_budget_dollars"), 30.0);
    let planned = value(&page, "cloudwatch_exporter_planned_dollars");
    assert!(planned > 15.0 && planned <= 30.0, "{planned}");
}
