//! Conversions of files in the documented format of YACE.

use super::*;
use crate::rule::Api;

/// The configuration of the converted file, and what was not converted.
fn converted_rules(text: &str) -> (Config, Vec<String>) {
    let yaml = converted(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let comments = yaml.lines().filter_map(|line| line.strip_prefix("# Not converted: "));
    let comments = comments.map(str::to_owned).collect();
    (Config::parse(yaml.as_bytes()).unwrap(), comments)
}

fn discovery(job: &str) -> String {
    format!(
        "apiVersion: v1alpha1\ndiscovery:\n  jobs:\n  - type: AWS/RDS\n    regions: [eu-west-1]\n{job}"
    )
}

const METRIC: &str = "    metrics: [{name: CPUUtilization, statistics: [Average]}]\n";

#[test]
fn windows_and_statistics_are_converted() {
    // The keys of the job and of the metric; period, range and delay; set_timestamp, nil_to_zero.
    for (job_keys, metric_keys, window, has_time, has_zero) in [
        ("", "", (300, 300, 0), false, false),
        ("    period: 60\n    length: 600\n", "", (60, 600, 0), false, false),
        ("    period: 60\n", ", period: 300, length: 900", (300, 900, 0), false, false),
        ("    delay: 600\n", "", (300, 300, 900), false, false),
        ("    nilToZero: true\n", "", (300, 300, 0), false, true),
        ("    nilToZero: true\n", ", nilToZero: false", (300, 300, 0), false, false),
        ("    addCloudwatchTimestamp: true\n", "", (300, 300, 0), true, false),
        ("", ", addCloudwatchTimestamp: true", (300, 300, 0), true, false),
    ] {
        let metrics = format!(
            "    metrics: [{{name: CPUUtilization, statistics: [Average, p99.9]{metric_keys}}}]\n"
        );
        let (config, not_converted) = converted_rules(&discovery(&format!("{job_keys}{metrics}")));
        let [rule] = config.rules.as_slice() else { panic!("{config:?}") };
        let found = (rule.window.period, rule.window.range, rule.window.delay);
        assert_eq!(found, window, "{job_keys}{metric_keys}");
        assert_eq!((rule.set_timestamp, rule.nil_to_zero), (has_time, has_zero));
        let statistics: Vec<_> = rule.statistics.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(statistics, ["Average", "p99.9"]);
        assert_eq!(rule.api, None::<Api>);
        assert!(not_converted.is_empty(), "{not_converted:?}");
    }
    let inherited =
        discovery("    statistics: [Maximum, Minimum]\n    metrics: [{name: CPUUtilization}]\n");
    assert_eq!(converted_rules(&inherited).0.rules[0].statistics.len(), 2);
}

#[test]
fn roles_and_regions_become_accounts() {
    let text = "apiVersion: v1alpha1\nsts-region: eu-west-1\ndiscovery:\n  jobs:\n\
        - type: rds\n  regions: [eu-west-1, us-east-1]\n  roles:\n\
        \x20   - {roleArn: 'arn:aws:iam::111111111111:role/m', externalId: x}\n\
        \x20   - {roleArn: 'arn:aws:iam::222222222222:role/m'}\n  metrics: [{name: A, statistics: [Sum]}]\n\
        - type: AWS/SQS\n  regions: [ap-south-1]\n  metrics: [{name: B, statistics: [Sum]}]\n\
        - type: AWS/S3\n  regions: [us-east-1]\n  roles: [{roleArn: 'arn:aws:iam::111111111111:role/m', externalId: x}]\n\
        \x20 metrics: [{name: C, statistics: [Average]}]\n";
    let text = text.replace("\n- type", "\n  - type").replace("\n  regions", "\n    regions");
    let text = text.replace("\n  roles", "\n    roles").replace("\n  metrics", "\n    metrics");
    let (config, not_converted) = converted_rules(&text);
    let titles: Vec<_> = config.targets.iter().map(crate::target::Target::title).collect();
    assert_eq!(
        titles,
        [
            "111111111111 eu-west-1",
            "111111111111 us-east-1",
            "222222222222 eu-west-1",
            "222222222222 us-east-1",
            "own ap-south-1",
            "111111111111-2 us-east-1",
        ]
    );
    let role = config.targets[0].account.as_ref().unwrap().role.as_ref().unwrap();
    assert_eq!(role.external_id.as_deref(), Some("x"));
    let applied: Vec<_> =
        config.rules.iter().map(|rule| rule.accounts.clone().unwrap().join(" ")).collect();
    assert_eq!(applied, ["111111111111 222222222222", "own", "111111111111-2"]);
    assert_eq!(not_converted, ["sts-region: roles are assumed in the region of the account"]);
}

#[test]
fn search_tags_and_exported_tags_are_converted() {
    for (pattern, exact, selected, rejected) in [
        ("^prod$", Some(1), "prod", "preprod"),
        ("^(prod|live)$", Some(2), "live", "x"),
        ("prod", None, "preprod-1", "test"),
        ("^web-.*", None, "web-1", "1-web-1"),
        (".*", Some(0), "anything", ""),
    ] {
        let tags = format!("    searchTags: [{{key: Env, value: '{pattern}'}}]\n{METRIC}");
        let (config, not_converted) = converted_rules(&discovery(&tags));
        assert!(not_converted.is_empty(), "{not_converted:?}");
        let discovery = config.rules[0].discovery.as_ref().unwrap();
        let values = discovery.tags.get("Env").unwrap();
        assert_eq!(exact, (discovery.tag_patterns.is_empty()).then_some(values.len()), "{pattern}");
        let is_selected = |value: &str| {
            let tags = vec![("Env".to_owned(), value.to_owned())];
            (values.is_empty() || values.iter().any(|known| known == value))
                && discovery.has_tags(&tags)
        };
        assert!(is_selected(selected), "{pattern} {selected}");
        assert!(rejected.is_empty() || !is_selected(rejected), "{pattern} {rejected}");
    }
    let text = discovery(METRIC).replace(
        "discovery:\n",
        "discovery:\n  exportedTagsOnMetrics: {rds: [Name, Team], AWS/EC2: [Other]}\n",
    );
    let (config, not_converted) = converted_rules(&text);
    assert_eq!(
        (config.rules[0].copied_tags.join(" "), not_converted),
        ("Name Team".to_owned(), vec![])
    );
}

#[test]
fn dimension_name_requirements_are_converted() {
    let text =
        discovery(&format!("    dimensionNameRequirements: [DBInstanceIdentifier]\n{METRIC}"));
    let (config, _) = converted_rules(&text);
    assert_eq!(config.rules[0].dimensions.as_deref().unwrap(), ["DBInstanceIdentifier"]);
}

#[test]
fn metrics_with_different_windows_become_separate_entries() {
    let text = discovery(
        "    metrics:\n    - {name: A, statistics: [Sum], period: 60, length: 60}\n\
         \x20   - {name: B, statistics: [Sum]}\n    - {name: C, statistics: [Sum], period: 60, length: 60}\n",
    );
    let (config, _) = converted_rules(&text);
    let found: Vec<_> =
        config.rules.iter().map(|rule| format!("{} {}", rule.metric, rule.window.period)).collect();
    assert_eq!(found, ["A 60", "C 60", "B 300"]);
}

#[test]
fn custom_namespaces_and_static_jobs_are_converted() {
    let text = "apiVersion: v1alpha1\n\
        customNamespace:\n  - name: app\n    namespace: My/App\n    regions: [eu-west-1]\n\
        \x20   recentlyActiveOnly: true\n    dimensionNameRequirements: [Host]\n\
        \x20   metrics: [{name: Load, statistics: [Maximum, p95], nilToZero: true}]\n\
        static:\n  - name: one-table\n    namespace: AWS/DynamoDB\n    regions: [eu-west-1]\n\
        \x20   dimensions: [{name: TableName, value: orders}, {name: Operation, value: Query}]\n\
        \x20   metrics: [{name: SuccessfulRequestLatency, statistics: [Average, p99], period: 60, length: 600}]\n";
    let (config, not_converted) = converted_rules(text);
    assert!(not_converted.is_empty(), "{not_converted:?}");
    let [fixed, custom] = config.rules.as_slice() else { panic!("{config:?}") };
    assert_eq!(fixed.product().unwrap(), [["Query", "orders"]]);
    assert_eq!((fixed.name.as_deref(), fixed.window.range), (Some("one-table"), 600));
    assert_eq!(fixed.statistics.len(), 2);
    assert_eq!((custom.namespace.as_str(), custom.name.as_deref()), ("My/App", Some("app")));
    assert!(custom.nil_to_zero && custom.is_listed() && !custom.has_resources());
}

#[test]
fn custom_tags_become_labels_if_all_jobs_have_them() {
    let tags = "    customTags: [{key: team, value: a}, {key: env, value: live}]\n";
    let (config, not_converted) = converted_rules(&discovery(&format!("{tags}{METRIC}")));
    assert_eq!(
        config.labels,
        [
            ("custom_tag_env".to_owned(), "live".to_owned()),
            ("custom_tag_team".to_owned(), "a".to_owned()),
        ]
    );
    assert!(not_converted.is_empty(), "{not_converted:?}");
    let other =
        "  - type: sqs\n    regions: [eu-west-1]\n    customTags: [{key: team, value: b}]\n";
    let (config, not_converted) =
        converted_rules(&discovery(&format!("{tags}{METRIC}{other}{METRIC}")));
    assert!(config.labels.is_empty());
    assert_eq!(not_converted.len(), 3, "{not_converted:?}");
    assert!(not_converted[0].contains("discovery.jobs[0].customTags: "), "{not_converted:?}");
}

#[test]
fn keys_that_cannot_be_converted_are_reported() {
    for (job, expected) in [
        (
            "    exportAllDataPoints: true\n",
            "discovery.jobs[0].exportAllDataPoints: only the newest datapoint is exposed",
        ),
        (
            "    roundingPeriod: 60\n",
            "discovery.jobs[0].roundingPeriod, which has no effect in YACE",
        ),
        (
            "    enhancedMetrics: [{name: Timeout}]\n",
            "discovery.jobs[0].enhancedMetrics[0]: such metrics are not in CloudWatch",
        ),
        (
            "    includeContextOnInfoMetrics: true\n",
            "discovery.jobs[0].includeContextOnInfoMetrics",
        ),
        ("    unheard: 1\n", "discovery.jobs[0].unheard"),
    ] {
        let (_, not_converted) = converted_rules(&discovery(&format!("{job}{METRIC}")));
        assert_eq!(not_converted, [expected]);
    }
    let metric = "    metrics: [{name: A, statistics: [Sum], delay: 60, other: 1}]\n";
    let (_, not_converted) = converted_rules(&discovery(metric));
    assert_eq!(
        not_converted,
        [
            "discovery.jobs[0].metrics[0].delay, which YACE ignores; only that of a job counts",
            "discovery.jobs[0].metrics[0].other",
        ]
    );
}

#[test]
fn other_files_are_errors() {
    for (text, expected) in [
        ("metrics: []", "expected `apiVersion: v1alpha1`, found \"\""),
        ("apiVersion: v2", "expected `apiVersion: v1alpha1`, found \"v2\""),
        ("apiVersion: v1alpha1", "no job can be converted"),
        ("[1", "not valid YAML"),
        (
            "apiVersion: v1alpha1\ndiscovery: {jobs: [{type: AWS/RDS, metrics: [{name: A, statistics: [Wrong]}]}]}",
            "cannot be converted: A: \"Wrong\" is not a statistic",
        ),
    ] {
        let error = converted(text.as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
