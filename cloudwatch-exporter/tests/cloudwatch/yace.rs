//! A file of yet-another-cloudwatch-exporter, converted, and the page that it gives.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use fake_cloudwatch::{Metric, Model, Values};

use super::fixture::{Fixture, run};

const FILE: &str = "apiVersion: v1alpha1
discovery:
  exportedTagsOnMetrics: {AWS/RDS: [Team]}
  jobs:
  - type: AWS/RDS
    regions: [eu-west-1]
    roles: [{roleArn: 'arn:aws:iam::123456789012:role/m'}]
    searchTags: [{key: Env, value: 'pro.*'}]
    customTags: [{key: site, value: one}]
    metrics:
    - {name: CPUUtilization, statistics: [Average, p95], period: 60, length: 300}
    - {name: EBSIOBalance%, statistics: [Minimum], nilToZero: true}
customNamespace:
- name: my-app
  namespace: My/App
  regions: [eu-west-1]
  roles: [{roleArn: 'arn:aws:iam::123456789012:role/m'}]
  customTags: [{key: site, value: one}]
  metrics: [{name: QueueLength, statistics: [Maximum]}]
";

/// Recent enough to be listed, and before each window.
fn long_ago() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap() - 7200
}

fn model() -> Model {
    let rds =
        |name: &str, id: &str| Metric::new("AWS/RDS", name).dimension("DBInstanceIdentifier", id);
    let arn = |id: &str| format!("arn:aws:rds:eu-west-1:123456789012:db:{id}");
    Model::new()
        .metric(rds("CPUUtilization", "a").values(Values::Constant(12.5)))
        .metric(rds("CPUUtilization", "test").values(Values::Constant(1.0)))
        .metric(rds("EBSIOBalance%", "a").values(Values::Points(vec![(long_ago(), 1.0)])))
        .resource(arn("a"), &[("Env", "prod"), ("Team", "db"), ("Cost Center", "7")])
        .resource(arn("test"), &[("Env", "test")])
        .metric(Metric::new("My/App", "QueueLength").dimension("Host Name", "h"))
}

#[test]
fn metrics_have_the_names_and_labels_of_yace() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("yace.yml");
    fs::write(&file, FILE).unwrap();
    let output = run(&["--convert", file.to_str().unwrap()], "http://127.0.0.1:1");
    let converted = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{converted}");
    assert!(!converted.contains("Not converted"), "{converted}");
    let fixture = Fixture::new(model(), &converted);
    let mut lines = fixture.samples("aws_");
    lines.sort_unstable();
    let arn = "name=\"arn:aws:rds:eu-west-1:123456789012:db:a\"";
    let common = "account_id=\"123456789012\",region=\"eu-west-1\",custom_tag_site=\"one\"";
    let rds = format!("{arn},{common},dimension_DBInstanceIdentifier=\"a\",tag_Team=\"db\"");
    let expected = [
        format!(
            "aws_my_app_queue_length_maximum{{name=\"my-app\",{common},dimension_Host_Name=\"h\"}} 1"
        ),
        format!("aws_rds_cpuutilization_average{{{rds}}} 12.5"),
        format!("aws_rds_cpuutilization_p95{{{rds}}} 12.5"),
        format!("aws_rds_info{{{arn},tag_Env=\"prod\",tag_Team=\"db\",tag_Cost_Center=\"7\"}} 0"),
    ];
    let expected: Vec<_> = expected.into_iter().collect();
    let (zeros, others): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line.starts_with("aws_rds_ebsiobalance_percent"));
    assert_eq!(others, expected, "{}", fixture.exporter.log());
    assert_eq!(zeros, [format!("aws_rds_ebsiobalance_percent_minimum{{{rds}}} 0")]);
}

#[test]
fn settings_that_cannot_be_converted_become_comments() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("yace.yml");
    fs::write(&file, FILE.replace("nilToZero", "exportAllDataPoints")).unwrap();
    let output = run(&["--convert", file.to_str().unwrap()], "http://127.0.0.1:1");
    let converted = String::from_utf8(output.stdout).unwrap();
    assert!(
        converted.starts_with(
            "# Not converted: discovery.jobs[0].metrics[1].exportAllDataPoints: only the newest"
        ),
        "{converted}"
    );
    fs::write(&file, "apiVersion: v0").unwrap();
    let output = run(&["--convert", file.to_str().unwrap()], "http://127.0.0.1:1");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains("yace.yml: expected `apiVersion: v1alpha1`"), "{error}");
}
