//! The configuration file: errors, defaults, reloads.

use std::fs;

use exporter_core::testing::{special_files, until};
use fake_cloudwatch::{Fake, Metric, Model, Operation, Request};

use super::fixture::{BINARY, Fixture, elb, environment, rule, run, samples, value};

/// The error for an invalid file; the program must exit with status 2.
fn config_error(config: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.yml");
    fs::write(&file, config).unwrap();
    let output = run(&[&format!("--config.file={}", file.display())], "http://127.0.0.1:1");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("bad.yml"), "{error}");
    error
}

#[test]
fn missing_keys_are_named() {
    let nothing = "Must provide metrics";
    let names = "Must provide aws_namespace and aws_metric_name";
    let tags = "Must provide resource_type_selection and resource_id_dimension";
    let entry = "metrics: [{aws_namespace: A, aws_metric_name: B, aws_tag_select: ";
    for (config, problem) in [
        ("", nothing),
        ("region: eu-west-1\n", nothing),
        ("metrics: [{aws_metric_name: B}]", names),
        ("metrics: [{aws_namespace: A}]", names),
        ("metrics: [{}]", names),
        (&format!("{entry}{{resource_type_selection: 'ec2:instance'}}}}]"), tags),
        (&format!("{entry}{{resource_id_dimension: C}}}}]"), tags),
        (&format!("{entry}{{tag_selections: {{D: [e]}}}}}}]"), tags),
        (
            "metrics: [{aws_namespace: A, aws_metric_name: B, aws_dimensions: [C], \
             aws_dimension_select: {C: [d]}, aws_dimension_select_regex: {C: [d]}}]",
            "Must not provide aws_dimension_select and aws_dimension_select_regex at the same time",
        ),
    ] {
        let error = config_error(config);
        assert!(error.contains(problem), "{config}: {error}");
    }
}

#[test]
fn unknown_keys_are_named_with_their_line() {
    let error = config_error("region: eu-west-1\nmetrics:\n- aws_namespace: A\n  aws_metric: B\n");
    assert!(error.contains("line 4: unknown key \"aws_metric\""), "{error}");
}

#[test]
fn defaults_of_the_file_are_inherited() {
    let model = Model::new().metric(elb("Latency", "a", "myLB"));
    let config =
        "period_seconds: 120\nrange_seconds: 1200\ndelay_seconds: 300\nset_timestamp: false\n\
                  use_get_metric_data: true\nmetrics:\n"
            .to_owned()
            + &rule(
                "AWS/ELB",
                "Latency",
                "  aws_dimensions: [AvailabilityZone, LoadBalancerName]\n",
            );
    let fixture = Fixture::new(model, &config);
    let found = fixture.samples("aws_elb_latency_sum{");
    assert!(found[0].ends_with("} 2"), "two samples of one, no timestamp: {found:?}");
    let requests = fixture.requests(Operation::GetMetricData);
    let Request::GetMetricData(request) = &*requests[0] else { panic!("{requests:?}") };
    let (start, end) = (request.start.unwrap(), request.end.unwrap());
    assert_eq!((end - start, end % 120), (1200, 0), "whole periods");
    assert_eq!(request.queries[0].metric.as_ref().unwrap().period, 120);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let delay = i64::try_from(now).unwrap() - end;
    assert!((180..=302).contains(&delay), "{delay}");
}

#[test]
fn help_texts_can_be_configured() {
    let model = Model::new().metric(elb("Latency", "a", "myLB"));
    let more =
        "  aws_dimensions: [AvailabilityZone, LoadBalancerName]\n  help: How long it took.\n";
    let page =
        Fixture::new(model, &format!("metrics:\n{}", rule("AWS/ELB", "Latency", more))).page();
    assert!(page.contains("# HELP aws_elb_latency_average How long it took.\n"), "{page}");
}

#[test]
fn the_default_help_lists_dimensions() {
    let model = Model::new().metric(Metric::new("AWS/ELB", "Latency").unit("Seconds"));
    let page = Fixture::new(model, &format!("metrics:\n{}", rule("AWS/ELB", "Latency", ""))).page();
    let help =
        "CloudWatch metric AWS/ELB Latency Dimensions: null Statistic: Average Unit: Seconds\n";
    assert!(page.contains(help), "{page}");
}

#[test]
fn check_fails_over_the_budget() {
    let fake = Fake::start(model()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yml");
    for (budget, status) in [("0.001", 2), ("100", 0)] {
        fs::write(&file, format!("budget_dollars: {budget}\n{}", config("Latency"))).unwrap();
        let output = run(&["--check", &format!("--config.file={}", file.display())], &fake.url());
        let report = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(status), "{report}");
        assert!(report.contains("budget"), "{report}");
    }
}

/// With the arguments of the Java exporter, files are accepted as by the Java exporter.
#[test]
fn unknown_keys_are_warnings_with_the_arguments_of_the_java_exporter() {
    let fake = Fake::start(model()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yml");
    fs::write(&file, format!("{}  aws_dimension: [x]\n", config("Latency"))).unwrap();
    let file = file.to_str().unwrap();
    let output = run(&["0", file, "--check"], &fake.url());
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(log.contains("line=8"), "{log}");
    assert!(log.contains("did you mean") && log.contains("aws_dimensions"), "{log}");
}

fn config(metric: &str) -> String {
    let more = "  aws_dimensions: [AvailabilityZone, LoadBalancerName]\n  aws_statistics: [Sum]\n  \
                period_seconds: 3600\n  range_seconds: 7200\n";
    format!("metrics:\n{}", rule("AWS/ELB", metric, more))
}

fn model() -> Model {
    Model::new().metric(elb("Latency", "a", "myLB")).metric(elb("RequestCount", "a", "myLB"))
}

#[test]
fn a_file_is_reloaded_over_http() {
    let fixture = Fixture::with(model(), &config("Latency"), &["--web.enable-lifecycle"], &[]);
    assert_eq!(fixture.samples("aws_elb_").len(), 1);
    fs::write(fixture.file(), config("RequestCount")).unwrap();
    assert_eq!(fixture.samples("aws_elb_latency_sum{").len(), 1, "not yet");
    assert_eq!(fixture.exporter.get("/-/reload").status, 405);
    assert_eq!(fixture.exporter.send("POST", "/-/reload").status, 200);
    let page = fixture.page();
    assert_eq!(samples(&page, "aws_elb_request_count_sum{").len(), 1);
    assert_eq!(samples(&page, "aws_elb_latency_sum{").len(), 0);

    // An unchanged file causes no requests.
    let before = fixture.fake.counters().received();
    assert_eq!(fixture.exporter.send("POST", "/-/reload").status, 200);
    assert_eq!(fixture.samples("aws_elb_request_count_sum{").len(), 1);
    assert_eq!(fixture.fake.counters().received(), before);

    fs::write(fixture.file(), "metrics: {").unwrap();
    let response = fixture.exporter.send("POST", "/-/reload");
    assert_eq!(response.status, 500);
    assert!(response.body.contains("config.yml: line 1: "), "{}", response.body);
    let page = fixture.page();
    assert_eq!(samples(&page, "aws_elb_request_count_sum{").len(), 1, "the last good one stays");
    assert_eq!(value(&page, "cloudwatch_exporter_config_last_reload_successful"), 0.0);
    assert!(fixture.exporter.log().contains("last good one stays"), "{}", fixture.exporter.log());
}

#[test]
fn a_file_is_reloaded_by_signal() {
    let fixture = Fixture::new(model(), &config("Latency"));
    assert_eq!(fixture.samples("aws_elb_latency_sum{").len(), 1);
    fs::write(fixture.file(), config("RequestCount")).unwrap();
    fixture.exporter.signal("HUP");
    let reloaded = || fixture.samples("aws_elb_request_count_sum{").len() == 1;
    until(reloaded, || format!("not reloaded: {}", fixture.exporter.log()));
}

#[test]
fn special_files_are_rejected() {
    let fake = Fake::start(model()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yml");
    let flag = format!("--config.file={}", file.display());
    let (url, good) = (fake.url(), config("Latency"));
    let reloaded = "configuration reloaded";
    special_files(BINARY, &[&flag], &environment(&url), &file, &good, reloaded);
}

#[test]
fn check_reports_the_result_of_each_rule() {
    let fake = Fake::start(model()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yml");
    let check = |config: &str| {
        fs::write(&file, config).unwrap();
        let output = run(&["--check", &format!("--config.file={}", file.display())], &fake.url());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let absent = rule("AWS/ELB", "Absent", "  aws_dimensions: [LoadBalancerName]\n");
    let (status, report) = check(&format!("{}{absent}", config("Latency")));
    assert_eq!(status, Some(0), "{report}");
    for line in [
        "line 2: AWS/ELB Latency      1 dimension sets, 1 series",
        "line 8: AWS/ELB Absent       matches nothing: ",
        "eu-west-1",
        "access key AKIATEST",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    fake.inject(fake_cloudwatch::Fault::error(403, "AccessDenied", "Not allowed to list."));
    let (status, report) = check(&config("Latency"));
    assert_eq!(status, Some(2), "{report}");
    assert!(
        report.contains("listMetrics of AWS/ELB: AccessDenied: Not allowed to list."),
        "{report}"
    );
    assert!(!report.contains("secret"), "{report}");
}
