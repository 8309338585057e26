//! Metric streams: deliveries in both formats over real sockets, and what is rejected.

mod rejections;
mod sender;
mod tls;

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use exporter_core::testing::{Exporter, until};
use fake_cloudwatch::stream::{Datapoint, Format};
use fake_cloudwatch::{Metric, Model, Values};

use self::sender::{KEY, Streamed};
use super::fixture::{BINARY, Fixture, elb, rule, samples, value};

const FORMATS: [Format; 2] = [Format::Json, Format::OpenTelemetry];

/// The start of a minute that ended a minute ago or earlier.
fn minute() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now / 60 * 60).unwrap() - 120
}

fn datapoints(model: &Model) -> Vec<Datapoint> {
    let of = |metric| Datapoint::of(metric, minute(), &["p90", "p99.9"]).unwrap();
    model.metrics.iter().map(of).collect()
}

/// The same value in every minute, whenever it is fetched.
fn model() -> Model {
    let arn = |id: &str| format!("arn:aws:ec2:eu-west-1:123456789012:instance/{id}");
    let cpu = |id: &str| Metric::new("AWS/EC2", "CPUUtilization").dimension("InstanceId", id);
    let balancer =
        |zone, name| elb("Latency", zone, name).values(Values::Samples(vec![1.0, 2.0, 6.0]));
    Model::new()
        .metric(cpu("i-1").values(Values::Samples(vec![3.0, 4.5])))
        .metric(cpu("i-2"))
        .metric(cpu("i-1").dimension("Other", "x"))
        .metric(Metric::new("AWS/EC2", "NetworkIn").dimension("InstanceId", "i-1"))
        .metric(balancer("a", "one"))
        .metric(balancer("b", "two"))
        .metric(balancer("c", "other"))
        .metric(elb("Latency", "a", "one").dimension("Third", "x"))
        .metric(Metric::new("My App", "Jobs").values(Values::Constant(7.0)).unit("Bytes/Second"))
        .metric(Metric::new("My App", "Jobs").dimension("Host", "h"))
        .resource(arn("i-1"), &[("Env", "prod"), ("Name", "one")])
        .resource(arn("i-2"), &[("Env", "test")])
}

/// Rules for the model, of each kind.
fn rules() -> String {
    let latency = "  aws_dimensions: [LoadBalancerName, AvailabilityZone]\n  aws_dimension_select_regex: {LoadBalancerName: [one|two]}\n  aws_statistics: [Average, Sum, SampleCount, Minimum, Maximum]\n  aws_extended_statistics: [p99.9, p50, p90]\n";
    let jobs = rule("My App", "Jobs", "  aws_statistics: [Maximum]\n");
    format!(
        "region: eu-west-1\nset_timestamp: false\nlabels: {{env: live}}\n\
         discover: [{{aws_namespace: ec2, period_seconds: 60, tags: {{Env: [prod]}}, copy_tags: [Name], \
         metrics: {{CPUUtilization: [Average, Sum]}}}}]\nmetrics:\n{}{jobs}",
        rule("AWS/ELB", "Latency", latency)
    )
}

fn series(page: &str) -> Vec<String> {
    let lines = page.lines().filter(|line| line.contains("aws_") || line.contains("my_app_"));
    lines.filter(|line| !line.contains("cloudwatch_")).map(str::to_owned).collect()
}

#[test]
fn both_formats_give_the_page_of_polling() {
    let polled = Fixture::new(model(), &rules());
    // A stream has the percentiles that it is configured to, which p50 is none of.
    let has_p50 = |line: &String| line.contains("latency_p50");
    let expected: Vec<_> =
        series(&polled.page()).into_iter().filter(|line| !has_p50(line)).collect();
    assert!(expected.iter().filter(|line| !line.starts_with('#')).count() > 15, "{expected:?}");
    for format in FORMATS {
        let streamed = Streamed::new(model(), &format!("from_stream: true\n{}", rules()));
        streamed.page();
        streamed.deliver(format, &datapoints(&model()));
        let page = streamed.page();
        let mut found: Vec<_> = series(&page).into_iter().filter(|line| !has_p50(line)).collect();
        let mut expected = expected.clone();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{format:?}");
        assert_eq!(streamed.fixture.fake.counters().billed(), 0, "nothing is fetched");
        assert_eq!(value(&page, "cloudwatch_stream_deliveries_total "), 1.0);
        // Two instances, with a further dimension as well, three balancers, and one application: which
        // resources are tagged is not known to the receiver.
        assert_eq!(value(&page, "cloudwatch_stream_datapoints_total "), 6.0);
        let no_rule =
            value(&page, "cloudwatch_stream_dropped_datapoints_total{reason=\"no_rule\"}");
        assert_eq!(no_rule, 4.0);
        let age = "cloudwatch_stream_newest_datapoint_age_seconds{region=\"eu-west-1\"}";
        assert!((60.0..3600.0).contains(&value(&page, age)), "{page}");
        assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 0.0);
    }
}

/// One rule that AWS has nothing to say about.
fn jobs(more: &str) -> String {
    let statistics = "  aws_dimensions: [Host]\n  aws_statistics: [Sum]\n";
    format!("{}metrics:\n{}", jobs_head(more), rule("My App", "Jobs", statistics))
}

fn jobs_head(more: &str) -> String {
    format!("region: eu-west-1\nfrom_stream: true\n{more}")
}

fn job(host: &str, start: i64, sum: f64) -> Datapoint {
    let metric = Metric::new("My App", "Jobs").dimension("Host", host);
    Datapoint {
        sum,
        start,
        ..Datapoint::of(&metric.values(Values::Constant(1.0)), start, &[]).unwrap()
    }
}

#[test]
fn the_newest_datapoint_is_exposed_in_any_order() {
    let streamed = Streamed::new(Model::new(), &jobs(""));
    let start = minute();
    let sum = |expected: f64, at: i64| {
        let line = format!(
            "my_app_jobs_sum{{job=\"my_app\",instance=\"\",host=\"h\"}} {expected} {at}000"
        );
        assert_eq!(samples(&streamed.page(), "my_app_jobs_sum{"), [line]);
    };
    streamed.deliver(Format::Json, &[job("h", start - 60, 2.0)]);
    sum(2.0, start - 60);
    streamed.deliver(Format::Json, &[job("h", start - 120, 1.0), job("h", start - 60, 2.0)]);
    sum(2.0, start - 60);
    streamed.deliver(Format::OpenTelemetry, &[job("h", start, 3.0)]);
    sum(3.0, start);
    streamed.deliver(Format::OpenTelemetry, &[job("h", start, 3.0), job("h", start - 60, 2.0)]);
    sum(3.0, start);
    streamed.deliver(Format::Json, &[Datapoint { count: 2.0, ..job("h", start, 4.0) }]);
    sum(4.0, start);
    streamed.deliver(Format::Json, &[job("old", start - 3600, 1.0), job("new", start + 3600, 1.0)]);
    let page = streamed.page();
    let dropped = |reason: &str| {
        value(&page, &format!("cloudwatch_stream_dropped_datapoints_total{{reason=\"{reason}\"}}"))
    };
    assert_eq!((dropped("superseded"), dropped("duplicate")), (2.0, 2.0));
    assert_eq!((dropped("too_old"), dropped("in_future")), (1.0, 1.0));
    assert_eq!(samples(&page, "my_app_jobs_sum{").len(), 1);
}

#[test]
fn minutes_are_combined_to_the_period_of_the_rule() {
    let streamed =
        Streamed::new(Model::new(), &jobs("period_seconds: 300\nset_timestamp: false\n"));
    // A period that ended long enough ago.
    let start = (minute() - 300) / 300 * 300 - 300;
    let points: Vec<_> = (0..5).map(|minute| job("h", start + minute * 60, 1.0)).collect();
    streamed.deliver(Format::Json, &points);
    streamed.deliver(Format::OpenTelemetry, &points);
    assert_eq!(value(&streamed.page(), "my_app_jobs_sum{"), 5.0);
}

#[test]
fn regions_and_accounts_are_distinguished() {
    let config = "from_stream: true\nset_timestamp: false\naccounts:\n\
        - {name: one, account_id: '111111111111', regions: [eu-west-1, us-east-1]}\n\
        - {name: org, linked: true, regions: [us-east-1]}\n";
    let rules = rule("My App", "Jobs", "  aws_dimensions: [Host]\n  aws_statistics: [Sum]\n");
    let streamed = Streamed::new(Model::new(), &format!("{config}metrics:\n{rules}"));
    let of = |account: &str, region: &str, sum: f64| {
        let (account, region) = (account.to_owned(), region.to_owned());
        Datapoint { account, region, ..job("h", minute(), sum) }
    };
    streamed.deliver(
        Format::OpenTelemetry,
        &[
            of("111111111111", "eu-west-1", 1.0),
            of("111111111111", "us-east-1", 2.0),
            of("222222222222", "us-east-1", 3.0),
            of("222222222222", "eu-west-1", 4.0),
            of("111111111111", "eu-north-1", 5.0),
        ],
    );
    let mut found = streamed.fixture.samples("my_app_jobs_sum{");
    found.sort_unstable();
    let line = |id: &str, name: &str, region: &str, sum: f64| {
        format!(
            "my_app_jobs_sum{{job=\"my_app\",instance=\"\",account_id=\"{id}\",account=\"{name}\",\
             region=\"{region}\",host=\"h\"}} {sum}"
        )
    };
    assert_eq!(
        found,
        [
            line("111111111111", "one", "eu-west-1", 1.0),
            line("111111111111", "one", "us-east-1", 2.0),
            line("111111111111", "org", "us-east-1", 2.0),
            line("222222222222", "org", "us-east-1", 3.0),
        ]
    );
}

#[test]
fn a_reload_keeps_received_datapoints() {
    let streamed = Streamed::new(Model::new(), &jobs(""));
    streamed.deliver(Format::Json, &[job("h", minute(), 1.0)]);
    let text = fs::read_to_string(streamed.fixture.file()).unwrap();
    fs::write(streamed.fixture.file(), text + &rule("My App", "Other", "")).unwrap();
    streamed.fixture.exporter.signal("HUP");
    until(
        || {
            streamed.page().contains("cloudwatch_stream_series 1")
                && streamed.fixture.exporter.log().contains("configuration reloaded")
        },
        || streamed.fixture.exporter.log(),
    );
    assert_eq!(streamed.fixture.samples("my_app_jobs_sum{").len(), 1);
    streamed.deliver(Format::Json, &[job("g", minute(), 1.0)]);
    assert_eq!(streamed.fixture.samples("my_app_jobs_sum{").len(), 2);
}

#[test]
fn access_keys_are_replaced_without_a_restart() {
    let streamed = Streamed::new(Model::new(), &jobs(""));
    let body = Format::Json.delivery("id", &[job("h", minute(), 1.0)]);
    let status = |key: &str| streamed.send(&[("x-amz-firehose-access-key", key)], &body).0;
    assert_eq!((status(KEY), status("the next access key")), (200, 401));
    fs::write(&streamed.key_file, format!("{KEY}\nthe next access key\n")).unwrap();
    until(|| status("the next access key") == 200, || streamed.fixture.exporter.log());
    assert_eq!(status(KEY), 200);
    fs::write(&streamed.key_file, "short").unwrap();
    until(
        || streamed.fixture.exporter.log().contains("access keys are bad"),
        || streamed.fixture.exporter.log(),
    );
    assert_eq!(status(KEY), 200, "the last good ones stay");
    let log = streamed.fixture.exporter.log();
    assert!(!log.contains(KEY) && !log.contains("next access key"), "{log}");
}

#[test]
fn a_demo_generates_the_datapoints_of_a_stream() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yml");
    let stream = "stream: {listen_address: ':1', access_key_file: none}\nset_timestamp: false\n";
    fs::write(&file, jobs(stream)).unwrap();
    let file = format!("--config.file={}", file.display());
    let exporter = Exporter::start(BINARY, &[&file, "--demo"], dir.path());
    until(
        || !samples(&exporter.get("/metrics").body, "my_app_jobs_sum{").is_empty(),
        || exporter.log(),
    );
}

#[test]
fn a_file_may_have_rules_of_both_kinds() {
    let of = |name: &str, more: &str| {
        rule("Grid", name, &format!("  aws_dimensions: [Id]\n  aws_statistics: [Sum]\n{more}"))
    };
    let rules = of("Metric0", "") + &of("Metric1", "  from_stream: true\n");
    let model = Model::new().grid("Grid", 2, 3, &Values::Constant(1.0));
    let streamed = Streamed::new(model.clone(), &format!("region: eu-west-1\nmetrics:\n{rules}"));
    assert_eq!(streamed.fixture.samples("grid_metric0_sum{").len(), 3);
    streamed.deliver(Format::Json, &datapoints(&model));
    let page = streamed.page();
    assert_eq!(samples(&page, "grid_metric0_sum{").len(), 3);
    assert_eq!(samples(&page, "grid_metric1_sum{").len(), 3);
    assert_eq!(streamed.fixture.fake.counters().billed(), 4, "a list and three metrics");
    let dropped = "cloudwatch_stream_dropped_datapoints_total{reason=\"no_rule\"}";
    assert_eq!(value(&page, dropped), 3.0, "a stream does not mix with what is fetched");
}
