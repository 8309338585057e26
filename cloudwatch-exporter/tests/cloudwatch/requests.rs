//! Requests to CloudWatch, and the series from their datapoints.

use fake_cloudwatch::{Limits, Metric, Model, Operation, Request, Values};

use super::fixture::{Fixture, elb, rule, samples};

const BOTH: &str = "  aws_dimensions: [AvailabilityZone, LoadBalancerName]\n";

/// Three samples per minute.
fn three() -> Values {
    Values::Samples(vec![1.0, 2.0, 6.0])
}

fn unix() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_secs()).unwrap()
}

/// The first example in the README of the Java exporter, with its series.
#[test]
fn the_first_example_has_its_series() {
    let model = Model::new()
        .metric(elb("HealthyHostCount", "eu-west-1a", "myLB").values(three()))
        .metric(elb("HealthyHostCount", "eu-west-1b", "other").values(Values::Constant(4.0)))
        .metric(Metric::new("AWS/ELB", "HealthyHostCount").dimension("LoadBalancerName", "myLB"))
        .metric(elb("Latency", "eu-west-1a", "myLB"));
    let more = format!("{BOTH}  aws_statistics: [Average]\n");
    let fixture =
        Fixture::new(model, &format!("metrics:\n{}", rule("AWS/ELB", "HealthyHostCount", &more)));
    let page = fixture.page();
    let found = samples(&page, "aws_");
    let [first, second] = found.as_slice() else { panic!("{found:?}") };
    let labels = "job=\"aws_elb\",instance=\"\"";
    for (line, zone, balancer, value) in
        [(first, "eu-west-1a", "myLB", "3"), (second, "eu-west-1b", "other", "4")]
    {
        let series = format!(
            "aws_elb_healthy_host_count_average{{{labels},availability_zone=\"{zone}\",\
             load_balancer_name=\"{balancer}\"}} {value} "
        );
        let timestamp = line.strip_prefix(&series).unwrap_or_else(|| panic!("{line}"));
        let timestamp: i64 = timestamp.parse().unwrap();
        assert_eq!(timestamp % 60_000, 0);
        let age = unix() - timestamp / 1000;
        assert!((600..=662).contains(&age), "{age} s old: the last minute that began 600 s ago");
    }
    assert!(page.contains(
        "# HELP aws_elb_healthy_host_count_average CloudWatch metric AWS/ELB HealthyHostCount \
         Dimensions: [AvailabilityZone, LoadBalancerName] Statistic: Average Unit: Count\n\
         # TYPE aws_elb_healthy_host_count_average gauge\n"
    ));
}

fn period(request: &Request) -> i64 {
    match request {
        Request::GetMetricStatistics(request) => request.period,
        Request::GetMetricData(request) => request.queries[0].metric.as_ref().unwrap().period,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_period_is_that_of_the_metric_or_the_file() {
    let model = || Model::new().metric(elb("RequestCount", "a", "myLB"));
    let rule =
        |more| format!("metrics:\n{}", rule("AWS/ELB", "RequestCount", &format!("{BOTH}{more}")));
    for (config, api) in [
        (rule("  period_seconds: 120\n"), Operation::GetMetricStatistics),
        (format!("period_seconds: 120\n{}", rule("")), Operation::GetMetricStatistics),
        (rule("  period_seconds: 120\n  use_get_metric_data: true\n"), Operation::GetMetricData),
        (
            format!("period_seconds: 120\nuse_get_metric_data: true\n{}", rule("")),
            Operation::GetMetricData,
        ),
    ] {
        let fixture = Fixture::new(model(), &config);
        assert_eq!(fixture.samples("aws_elb_request_count_sum{").len(), 1, "{config}");
        let requests = fixture.requests(api);
        assert_eq!(requests.len(), 1, "{config}");
        assert_eq!(period(&requests[0]), 120);
        let counters = fixture.fake.counters();
        let both = counters.get_metric_data.received + counters.get_metric_statistics.received;
        assert_eq!(both, 1, "the other operation is not called");
    }
}

#[test]
fn both_operations_return_all_five_statistics() {
    for api in ["false", "true"] {
        let model = Model::new().metric(elb("RequestCount", "a", "myLB").values(three()));
        let more = format!("{BOTH}  use_get_metric_data: {api}\n");
        let config = format!("metrics:\n{}", rule("AWS/ELB", "RequestCount", &more));
        let fixture = Fixture::new(model, &config);
        let page = fixture.page();
        let labels =
            "{job=\"aws_elb\",instance=\"\",availability_zone=\"a\",load_balancer_name=\"myLB\"}";
        for (statistic, value) in
            [("sum", 9), ("sample_count", 3), ("minimum", 1), ("maximum", 6), ("average", 3)]
        {
            let series = format!("aws_elb_request_count_{statistic}{labels} {value} ");
            assert_eq!(samples(&page, &series).len(), 1, "{series} by {api} in {page}");
        }
        assert_eq!(samples(&page, "aws_").len(), 5);
        let unit = if api == "true" { "Unit: N/A\n" } else { "Unit: Count\n" };
        assert!(page.contains(unit), "{page}");
    }
}

#[test]
fn timestamps_are_optional() {
    let model = || Model::new().metric(elb("HTTPCode_Backend_2XX", "a", "myLB"));
    for (given, words) in [("true", 3), ("false", 2)] {
        let more = format!("{BOTH}  aws_statistics: [Sum]\n  set_timestamp: {given}\n");
        let config = format!("metrics:\n{}", rule("AWS/ELB", "HTTPCode_Backend_2XX", &more));
        let samples = Fixture::new(model(), &config).samples("aws_elb_httpcode_backend_2_xx_sum{");
        assert_eq!(samples[0].split(' ').count(), words, "{samples:?}");
    }
}

#[test]
fn the_newest_datapoint_is_exposed() {
    let minute = unix() / 60 * 60;
    let old = |ago: i64, value: f64| (minute - ago * 60, value);
    for api in ["false", "true"] {
        let values = Values::Points(vec![old(12, 1.0), old(14, 2.0), old(15, 3.0), old(5, 9.0)]);
        let model = Model::new().metric(elb("Latency", "a", "myLB").values(values));
        let more = format!("{BOTH}  aws_statistics: [Average]\n  use_get_metric_data: {api}\n");
        let config = format!("metrics:\n{}", rule("AWS/ELB", "Latency", &more));
        let samples = Fixture::new(model, &config).samples("aws_elb_latency_average{");
        let end = format!("}} 1 {}", (minute - 12 * 60) * 1000);
        assert!(samples[0].ends_with(&end), "{samples:?} does not end with {end}");
    }
}

#[test]
fn percentiles_have_families() {
    for api in ["false", "true"] {
        let values = Values::Samples((1..=1000).map(f64::from).collect());
        let model = Model::new().metric(elb("Latency", "a", "myLB").values(values));
        let more = format!(
            "{BOTH}  aws_extended_statistics: [p95, p99.99]\n  use_get_metric_data: {api}\n"
        );
        let config = format!("metrics:\n{}", rule("AWS/ELB", "Latency", &more));
        let fixture = Fixture::new(model, &config);
        let page = fixture.page();
        for (suffix, low, high) in [("p95", 940.0, 960.0), ("p99_99", 990.0, 1001.0)] {
            let found = samples(&page, &format!("aws_elb_latency_{suffix}{{"));
            let value: f64 = found[0].split(' ').nth(1).unwrap().parse().unwrap();
            assert!((low..high).contains(&value), "{found:?}");
        }
        assert_eq!(samples(&page, "aws_").len(), 2, "extended ones alone are alone");
    }
}

/// Basic and extended statistics need separate calls of `GetMetricStatistics`.
#[test]
fn percentiles_and_basic_statistics_together() {
    let model = Model::new().metric(elb("Latency", "a", "myLB").values(three()));
    let more = format!("{BOTH}  aws_statistics: [Sum]\n  aws_extended_statistics: [p50]\n");
    let config = format!("metrics:\n{}", rule("AWS/ELB", "Latency", &more));
    let fixture = Fixture::new(model, &config);
    assert_eq!(fixture.samples("aws_elb_latency_").len(), 2);
    assert_eq!(fixture.received(Operation::GetMetricStatistics), 2);
}

#[test]
fn metrics_of_indices_have_their_own_names() {
    let table = |metric| Metric::new("AWS/DynamoDB", metric).dimension("TableName", "t");
    let model = Model::new()
        .metric(table("ConsumedReadCapacityUnits"))
        .metric(table("ConsumedReadCapacityUnits").dimension("GlobalSecondaryIndexName", "i"))
        .metric(
            table("OnlineIndexConsumedWriteCapacity").dimension("GlobalSecondaryIndexName", "i"),
        );
    let of = |metric, dimensions| {
        let more = format!("  aws_dimensions: [{dimensions}]\n  aws_statistics: [Sum]\n");
        rule("AWS/DynamoDB", metric, &more)
    };
    let config = [
        of("ConsumedReadCapacityUnits", "TableName, GlobalSecondaryIndexName"),
        of("OnlineIndexConsumedWriteCapacity", "TableName, GlobalSecondaryIndexName"),
        of("ConsumedReadCapacityUnits", "TableName"),
    ];
    let fixture = Fixture::new(model, &format!("metrics:\n{}", config.concat()));
    let page = fixture.page();
    let labels = "{job=\"aws_dynamodb\",instance=\"\",table_name=\"t\"";
    for series in [
        format!(
            "aws_dynamodb_consumed_read_capacity_units_index_sum{labels},global_secondary_index_name=\"i\"}}"
        ),
        format!(
            "aws_dynamodb_online_index_consumed_write_capacity_sum{labels},global_secondary_index_name=\"i\"}}"
        ),
        format!("aws_dynamodb_consumed_read_capacity_units_sum{labels}}}"),
    ] {
        assert_eq!(samples(&page, &series).len(), 1, "{series} in {page}");
    }
    assert_eq!(samples(&page, "aws_").len(), 3);
}

#[test]
fn a_metric_without_dimensions_is_not_listed() {
    let model = Model::new()
        .metric(Metric::new("AWS/ELB", "RequestCount").values(Values::Constant(7.0)))
        .metric(elb("RequestCount", "a", "myLB"));
    let config =
        format!("metrics:\n{}", rule("AWS/ELB", "RequestCount", "  aws_statistics: [Sum]\n"));
    let fixture = Fixture::new(model, &config);
    let samples = fixture.samples("aws_elb_request_count_sum");
    assert!(samples[0].starts_with("aws_elb_request_count_sum{job=\"aws_elb\",instance=\"\"} 7 "));
    assert_eq!(samples.len(), 1);
    assert_eq!(fixture.received(Operation::ListMetrics), 0);
}

/// An empty list of dimensions differs from a missing one: the metric is listed.
#[test]
fn an_empty_list_of_dimensions_is_listed() {
    let model = Model::new()
        .metric(Metric::new("AWS/ELB", "RequestCount").values(Values::Constant(7.0)))
        .metric(elb("RequestCount", "a", "myLB"));
    let config = format!("metrics:\n{}", rule("AWS/ELB", "RequestCount", "  aws_dimensions: []\n"));
    let fixture = Fixture::new(model, &config);
    assert_eq!(fixture.samples("aws_elb_request_count_sum").len(), 1);
    assert_eq!(fixture.received(Operation::ListMetrics), 1);
}

/// Two rules with one metric: one family, all series.
#[test]
fn rules_share_a_family() {
    let model =
        Model::new().metric(elb("RequestCount", "a", "myLB").values(Values::Constant(1.0))).metric(
            Metric::new("AWS/ELB", "RequestCount")
                .dimension("LoadBalancerName", "myLB")
                .values(Values::Constant(2.0)),
        );
    let sum = "  aws_statistics: [Sum]\n";
    let config = rule("AWS/ELB", "RequestCount", &format!("{BOTH}{sum}"))
        + &rule("AWS/ELB", "RequestCount", &format!("  aws_dimensions: [LoadBalancerName]\n{sum}"));
    let fixture = Fixture::new(model, &format!("metrics:\n{config}"));
    let page = fixture.page();
    assert_eq!(samples(&page, "# TYPE aws_elb_request_count_sum ").len(), 1);
    let found = samples(&page, "aws_elb_request_count_sum{");
    assert!(
        found[0].contains("availability_zone=\"a\",load_balancer_name=\"myLB\"} 1 "),
        "{found:?}"
    );
    assert!(
        found[1].contains("availability_zone=\"\",load_balancer_name=\"myLB\"} 2 "),
        "{found:?}"
    );
    assert_eq!(
        super::fixture::value(&page, "exporter_dropped_series_total{reason=\"duplicate\"}"),
        0.0
    );
}

#[test]
fn pages_of_datapoints_are_joined() {
    let model = Model::new()
        .grid("Grid", 2, 10, &Values::Constant(1.0))
        .limits(Limits { datapoints: 200, ..Limits::default() });
    let of = |n| rule("Grid", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let config = format!("use_get_metric_data: true\nmetrics:\n{}{}", of(0), of(1));
    let fixture = Fixture::new(model, &config);
    assert_eq!(fixture.samples("grid_metric").len(), 100);
    assert!(fixture.received(Operation::GetMetricData) > 3);
}
