//! The cost of a configuration: estimated, and counted.

use std::fs;

use fake_cloudwatch::{Fake, Model, Operation, Values};

use super::fixture::{Fixture, rule, run, value};

const GRID: &str = "  aws_dimensions: [Id]\n";

fn model() -> Model {
    Model::new().grid("Grid", 2, 700, &Values::Constant(1.0))
}

#[test]
fn a_plan_requests_no_datapoints() {
    let fake = Fake::start(model()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yml");
    let rules = rule("Grid", "Metric0", &format!("{GRID}  aws_statistics: [Sum]\n"))
        + &rule("Grid", "Metric1", GRID);
    fs::write(&file, format!("metrics:\n{rules}")).unwrap();
    let file = file.to_str().unwrap();
    let plan = |more: &[&str]| {
        let arguments: Vec<_> = ["--plan", file].iter().chain(more).copied().collect();
        let output = run(&arguments, &fake.url());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let words = |plan: &str, rule: &str| -> Vec<String> {
        let line = plan.lines().find(|line| line.contains(rule)).unwrap();
        line.split_whitespace().map(str::to_owned).collect()
    };
    let printed = plan(&[]);
    // Line, namespace, metric, operation, period, sets, calls, billed units, lists, and dollars
    // twice.
    let first = ["2", "Grid", "Metric0", "GetMetricData", "60s", "700", "2", "700", "86400"];
    assert_eq!(words(&printed, "Metric0")[..9], first, "{printed}");
    assert_eq!(words(&printed, "Metric0")[9..], ["303.26", "303.26", "91.16"]);
    assert_eq!(
        words(&printed, "Metric1")[6..],
        ["7", "700", "86400", "303.26", "1512.86", "91.16"]
    );
    let counters = fake.counters();
    assert_eq!(counters.list_metrics.received, 4);
    assert_eq!(counters.received(), 4, "lists, and nothing else");

    let printed = plan(&["--plan.sets=10"]);
    assert_eq!(words(&printed, "Metric1")[5], "10");
    assert_eq!(fake.counters().received(), 4, "nothing at all");
}

/// The plan of a file equals what the fake bills for fetching it, including shared metrics.
#[test]
fn planned_units_equal_billed_units() {
    let of = |metric: &str, statistic: &str| {
        rule("Grid", metric, &format!("{GRID}  aws_statistics: [{statistic}]\n"))
    };
    let rules = of("Metric0", "Sum") + &of("Metric0", "Average, Maximum") + &of("Metric1", "Sum");
    let config =
        format!("use_get_metric_data: true\nlist_metrics_cache_ttl: 60\nmetrics:\n{rules}");
    let fixture = Fixture::new(model(), &config);
    let file = fixture.file();
    let arguments = ["--plan", file.to_str().unwrap(), "--plan.format=json"];
    let output = run(&arguments, &fixture.fake.url());
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    fixture.fake.reset();
    fixture.page();
    let counters = fixture.fake.counters();
    let rules = plan["targets"][0]["rules"].as_array().unwrap();
    let billed: u64 = rules.iter().map(|rule| rule["billed"].as_u64().unwrap()).sum();
    assert_eq!(billed, counters.get_metric_data.billed, "{plan}");
    let lists: f64 = rules.iter().map(|rule| rule["lists"].as_f64().unwrap()).sum();
    assert_eq!(lists, 43_200.0 * counters.list_metrics.received as f64);
    assert_eq!(plan["savings"][0]["change"], "list_metrics_cache_ttl: 3600");
    let slow = run(&[&arguments[..], &["--plan.scrape-interval=2m"]].concat(), &fixture.fake.url());
    let slow: serde_json::Value = serde_json::from_slice(&slow.stdout).unwrap();
    let dollars = |plan: &serde_json::Value| plan["dollars"].as_f64().unwrap();
    assert!((dollars(&plan) - 2.0 * dollars(&slow)).abs() < 1e-6, "scraped half as often");
}

/// The counters of the exporter equal what the fake bills.
#[test]
fn counted_units_equal_billed_units() {
    let rules = rule("Grid", "Metric0", &format!("{GRID}  use_get_metric_data: true\n"))
        + &rule(
            "Grid",
            "Metric1",
            "  aws_dimensions: [Id]\n  aws_dimension_select: {Id: [id-0, id-1, id-2]}\n  \
             aws_extended_statistics: [p50]\n  aws_statistics: [Sum]\n  use_get_metric_data: false\n",
        );
    let fixture = Fixture::new(model(), &format!("metrics:\n{rules}"));
    fixture.fake.inject(fake_cloudwatch::Fault::throttle().on(Operation::GetMetricData).every(3));
    let page = fixture.page();
    let counters = fixture.fake.counters();
    for (action, operation) in [
        ("listMetrics", Operation::ListMetrics),
        ("getMetricData", Operation::GetMetricData),
        ("getMetricStatistics", Operation::GetMetricStatistics),
    ] {
        let calls = counters.of(operation);
        let labels = format!("{{action=\"{action}\",namespace=\"Grid\"}}");
        let of = |name: &str| value(&page, &format!("{name}{labels}"));
        assert_eq!(of("cloudwatch_requests_total"), calls.received as f64, "{action}");
        assert_eq!(of("cloudwatch_billed_units_total"), calls.billed as f64, "{action}");
        assert_eq!(of("cloudwatch_request_retries_total"), calls.throttled as f64, "{action}");
    }
    assert!(counters.get_metric_data.throttled > 0);
    let requested = |metric: &str| {
        value(&page, &format!("cloudwatch_metrics_requested_total{{metric_name=\"{metric}\""))
    };
    assert_eq!((requested("Metric0"), requested("Metric1")), (3500.0, 6.0));
    let dollars =
        value(&page, "cloudwatch_estimated_cost_dollars_total{counting=\"five_statistics\"}");
    assert!((dollars - counters.billed() as f64 / 1e5).abs() < 1e-9, "{dollars}");
}
