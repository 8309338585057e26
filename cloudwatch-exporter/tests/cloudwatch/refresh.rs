//! Answers are shown as they come, and what is due is fetched before it is asked for.

use std::thread::sleep;
use std::time::{Duration, Instant};

use fake_cloudwatch::{Fault, Metric, Model, Operation, Values};

use super::scene::{Scene, rule, samples, value};

/// Waits for a condition, generously.
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        sleep(Duration::from_millis(100));
    }
}

/// Ten calls of `GetMetricData`, one after the other.
fn slow() -> Scene {
    let model = Model::new().grid("Grid", 10, 100, &Values::Constant(1.0));
    let of = |n| rule("Grid", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..10).map(of).collect();
    let config = format!(
        "period_seconds: 3600\nrange_seconds: 7200\nuse_get_metric_data: true\nmetrics:\n{rules}"
    );
    let flags = ["--collector.timeout=1s", "--cloudwatch.concurrency=1"];
    let scene = Scene::with(model, &config, &flags, &[]);
    scene.fake.inject(Fault::delay(Duration::from_millis(500)).on(Operation::GetMetricData));
    scene
}

#[test]
fn answers_are_shown_before_the_fetch_has_ended() {
    let scene = slow();
    let mut counts = Vec::new();
    wait_for("all of them", || {
        let page = scene.page();
        let count = samples(&page, "grid_metric").len();
        let error = value(&page, "cloudwatch_exporter_scrape_error ");
        assert_eq!(error == 1.0, count < 5000, "{count} series");
        counts.push(count);
        count == 5000
    });
    assert!(counts.iter().any(|count| (1..5000).contains(count)), "{counts:?}");
    assert!(counts.is_sorted(), "{counts:?}");
    let counters = scene.fake.counters();
    assert_eq!((counters.get_metric_data.received, counters.get_metric_data.billed), (10, 1000));
}

/// A page that is complete does not wait for the next period's answers, and shows the last ones
/// until then.
#[test]
fn regular_scrapes_find_their_page_ready() {
    let metric = Metric::new("One", "Second").every(1).resolution(1);
    let more = "  period_seconds: 5\n  range_seconds: 30\n  delay_seconds: 5\n";
    let config = format!("metrics:\n{}", rule("One", "Second", more));
    let scene = Scene::new(Model::new().metric(metric), &config);
    let start = Instant::now();
    let mut pages = 0;
    while start.elapsed() < Duration::from_secs(18) {
        assert_eq!(scene.samples("one_second_").len(), 5);
        pages += 1;
        sleep(Duration::from_millis(300));
    }
    let asked = scene.received(Operation::GetMetricStatistics);
    assert!(asked >= 2, "{asked} in {pages} pages");
    // Nobody asks now: the period that ends next is fetched ahead, later ones are not.
    scene.fake.inject(Fault::hang());
    let page = scene.page();
    assert_eq!(samples(&page, "one_second_").len(), 5, "no page waits for what hangs");
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 0.0);
}

#[test]
fn what_nobody_scrapes_costs_nothing() {
    let metric = Metric::new("One", "Second").every(1).resolution(1);
    let more = "  period_seconds: 1\n  range_seconds: 30\n  delay_seconds: 5\n";
    let config = format!("metrics:\n{}", rule("One", "Second", more));
    let scene = Scene::new(Model::new().metric(metric), &config);
    for _ in 0..20 {
        scene.page();
        sleep(Duration::from_millis(200));
    }
    sleep(Duration::from_secs(2));
    let asked = scene.fake.counters().received();
    sleep(Duration::from_secs(4));
    assert_eq!(scene.fake.counters().received(), asked);
}

/// The cause, the endpoint and the action are in the log while the call is still retried, and once.
#[test]
fn the_cause_is_logged_when_it_begins_and_when_it_ends() {
    let model = Model::new().metric(Metric::new("One", "Good"));
    let config = format!("metrics:\n{}", rule("One", "Good", ""));
    let scene = Scene::with(model, &config, &["--collector.timeout=1s"], &[]);
    scene.fake.inject(Fault::drop_connection().first(4));
    let times = |text: &str| scene.exporter.log().matches(text).count();
    wait_for("the series", || scene.samples("one_good_").len() == 5);
    let log = scene.exporter.log();
    let line =
        log.lines().find(|line| line.contains("calls fail")).unwrap_or_else(|| panic!("{log}"));
    for part in ["action=getMetricStatistics", &scene.fake.url(), "connection closed"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert_eq!(times("calls fail"), 1, "{log}");
    scene.fake.clear_faults();
    wait_for("the end", || {
        scene.page();
        times("calls no longer fail") == 1
    });
}

#[test]
fn a_refused_connection_is_named() {
    let config = format!("metrics:\n{}", rule("One", "Good", ""));
    let variables = [("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    let scene = Scene::with(Model::new(), &config, &["--collector.timeout=1s"], &variables);
    scene.page();
    wait_for("the cause", || {
        let log = scene.exporter.log();
        log.contains("http://127.0.0.1:1") && log.contains("Connection refused")
    });
}

/// The dearest rules are asked for less often, and the page says so.
#[test]
fn a_budget_is_kept_to() {
    let model = Model::new().grid("Grid", 2, 100, &Values::Constant(1.0));
    let all = |n| rule("Grid", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..2).map(all).collect();
    let config = format!("use_get_metric_data: true\nbudget_dollars: 30\nmetrics:\n{rules}");
    let scene = Scene::new(model, &config);
    wait_for("what is planned", || {
        let page = scene.page();
        value(&page, "cloudwatch_exporter_budget_stretched_rules") == 2.0
    });
    let page = scene.page();
    assert_eq!(value(&page, "cloudwatch_exporter_budget_dollars"), 30.0);
    let planned = value(&page, "cloudwatch_exporter_planned_dollars");
    assert!(planned > 15.0 && planned <= 30.0, "{planned}");
}
