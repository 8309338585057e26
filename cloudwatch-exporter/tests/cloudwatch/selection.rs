//! Selection of dimension sets.

use std::thread::sleep;
use std::time::Duration;

use fake_cloudwatch::{Limits, Metric, Model, Operation, Request};

use super::fixture::{Fixture, elb, rule, samples};

const BOTH: &str =
    "  aws_dimensions: [AvailabilityZone, LoadBalancerName]\n  aws_statistics: [Average]\n";

/// The zones and balancers on a page.
fn sets(page: &str) -> Vec<String> {
    let set = |line: String| {
        let labels = line.split_once("availability_zone=\"").unwrap().1;
        let (zone, rest) = labels.split_once("\",load_balancer_name=\"").unwrap();
        format!("{zone}/{}", rest.split('"').next().unwrap())
    };
    samples(page, "aws_elb_latency_average{").into_iter().map(set).collect()
}

fn model() -> Model {
    Model::new()
        .metric(elb("Latency", "a", "myLB"))
        .metric(elb("Latency", "b", "myLB"))
        .metric(elb("Latency", "a", "myLB2"))
        .metric(elb("Latency", "a", "otherLB"))
        .metric(elb("Latency", "a", "myLB").dimension("ThisExtra", "is ignored"))
        .metric(Metric::new("AWS/ELB", "Latency").dimension("LoadBalancerName", "myLB"))
}

fn config(more: &str) -> String {
    format!("metrics:\n{}", rule("AWS/ELB", "Latency", &format!("{BOTH}{more}")))
}

#[test]
fn metrics_with_other_dimensions_are_ignored() {
    let fixture = Fixture::new(model(), &config(""));
    assert_eq!(sets(&fixture.page()), ["a/myLB", "a/myLB2", "a/otherLB", "b/myLB"]);
    let requests = fixture.requests(Operation::ListMetrics);
    let [list] = requests.as_slice() else { panic!("{requests:?}") };
    let Request::ListMetrics(list) = &**list else { panic!("{list:?}") };
    assert_eq!(list.recently_active.as_deref(), Some("PT3H"));
    let names: Vec<_> = list.dimensions.iter().map(|filter| filter.name.as_str()).collect();
    assert_eq!(names, ["AvailabilityZone", "LoadBalancerName"]);
    assert!(list.dimensions.iter().all(|filter| filter.value.is_none()));
}

#[test]
fn values_of_one_dimension_select_sets() {
    let fixture =
        Fixture::new(model(), &config("  aws_dimension_select: {LoadBalancerName: [myLB]}\n"));
    assert_eq!(sets(&fixture.page()), ["a/myLB", "b/myLB"]);
    assert_eq!(fixture.received(Operation::ListMetrics), 1);
}

#[test]
fn values_of_all_dimensions_need_no_list() {
    for api in ["false", "true"] {
        let more = format!(
            "  aws_dimension_select:\n    LoadBalancerName: [myLB, absent]\n    \
             AvailabilityZone: [a, b]\n  use_get_metric_data: {api}\n"
        );
        let fixture = Fixture::new(model(), &config(&more));
        assert_eq!(sets(&fixture.page()), ["a/myLB", "b/myLB"]);
        let counters = fixture.fake.counters();
        assert_eq!(counters.list_metrics.received, 0);
        let requested = counters.get_metric_statistics.received + counters.queries;
        assert_eq!(requested, 4, "every combination, whether or not it exists, by {api}");
    }
}

#[test]
fn patterns_match_whole_values() {
    let more = "  aws_dimension_select_regex: {LoadBalancerName: ['myLB(.*)']}\n";
    let fixture = Fixture::new(model(), &config(more));
    assert_eq!(sets(&fixture.page()), ["a/myLB", "a/myLB2", "b/myLB"]);
    let more = "  aws_dimension_select_regex: {LoadBalancerName: ['.*LB']}\n";
    let fixture = Fixture::new(model(), &config(more));
    assert_eq!(sets(&fixture.page()), ["a/myLB", "a/otherLB", "b/myLB"]);
}

#[test]
fn lists_have_pages() {
    let model = model().limits(Limits { list_page: 1, ..Limits::default() });
    let fixture = Fixture::new(model, &config(""));
    assert_eq!(sets(&fixture.page()).len(), 4);
    assert!(fixture.received(Operation::ListMetrics) >= 4);
}

#[test]
fn a_long_range_lists_inactive_metrics() {
    let list = |range| {
        let fixture = Fixture::new(model(), &config(&format!("  range_seconds: {range}\n")));
        assert_eq!(sets(&fixture.page()).len(), 4);
        let requests = fixture.requests(Operation::ListMetrics);
        let Request::ListMetrics(list) = &*requests[0] else { panic!("{requests:?}") };
        list.recently_active.clone()
    };
    assert_eq!(list(12_000), None);
    assert_eq!(list(10_800), None);
    assert_eq!(list(10_799).as_deref(), Some("PT3H"));
}

/// Scrapes, a second apart, until datapoints were requested this often.
fn scrape_until(fixture: &Fixture, calls: u64) {
    for _ in 0..400 {
        assert_eq!(sets(&fixture.page()).len(), 1);
        if fixture.received(Operation::GetMetricStatistics) >= calls {
            return;
        }
        sleep(Duration::from_millis(300));
    }
    panic!("received {} calls", fixture.received(Operation::GetMetricStatistics));
}

#[test]
fn lists_have_a_configured_lifetime() {
    let every_second = "period_seconds: 1\nrange_seconds: 60\ndelay_seconds: 5\n";
    let model = || Model::new().metric(elb("Latency", "a", "myLB").every(1).resolution(1));
    for (config, lists) in [
        (format!("{every_second}list_metrics_cache_ttl: 500\n{}", config("")), 1),
        (format!("{every_second}{}", config("  list_metrics_cache_ttl: 500\n")), 1),
        (
            format!(
                "{every_second}list_metrics_cache_ttl: 500\n{}",
                config("  list_metrics_cache_ttl: 0\n")
            ),
            2,
        ),
    ] {
        let fixture = Fixture::new(model(), &config);
        scrape_until(&fixture, 2);
        assert_eq!(fixture.received(Operation::ListMetrics), lists, "{config}");
    }
}

#[test]
fn rules_without_matches_are_logged_on_request() {
    let more = "  aws_dimension_select: {LoadBalancerName: [absent]}\n";
    let warning = "AWS/ELB:Latency";
    for (more, expected) in
        [(format!("{more}  warn_on_empty_list_dimensions: true\n"), true), (more.to_owned(), false)]
    {
        let fixture = Fixture::new(model(), &config(&more));
        assert!(sets(&fixture.page()).is_empty());
        assert_eq!(
            fixture.exporter.log().contains(warning),
            expected,
            "{}",
            fixture.exporter.log()
        );
    }
}
