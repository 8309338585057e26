use std::fs;
use std::time::Duration;

use super::*;
use crate::rule::{Api, STATISTICS, Statistic, Window};

fn parsed(text: &str) -> Config {
    Config::parse(text.as_bytes()).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn single_rule(text: &str) -> Rule {
    let mut rules = parsed(text).rules;
    assert_eq!(rules.len(), 1);
    rules.remove(0)
}

const ALL_KEYS: &str = "\
region: eu-west-1
role_arn: arn:aws:iam::123456789012:role/monitoring
period_seconds: 300
range_seconds: 1200
delay_seconds: 0
set_timestamp: false
use_get_metric_data: true
list_metrics_cache_ttl: 900
warn_on_empty_list_dimensions: true
metrics:
- aws_namespace: AWS/ELB
  aws_metric_name: Latency
  aws_dimensions: [AvailabilityZone, LoadBalancerName]
  aws_dimension_select:
    LoadBalancerName: [a, 12]
  aws_statistics: [Average, Sum, Average]
  aws_extended_statistics: [p95, p99.99]
  aws_tag_select:
    tag_selections: {Monitoring: [enabled], Team: []}
    resource_type_selection: \"elasticloadbalancing:loadbalancer\"
    resource_id_dimension: LoadBalancerName
    arn_resource_id_regexp: \"loadbalancer/(.*)$\"
  period_seconds: 60
  range_seconds: 600
  delay_seconds: 120
  set_timestamp: true
  use_get_metric_data: false
  list_metrics_cache_ttl: 0
  warn_on_empty_list_dimensions: false
  help: How long it took.
- aws_namespace: AWS/ELB
  aws_metric_name: RequestCount
";

#[test]
fn every_key_is_read_and_a_metric_overrides_the_file() {
    let config = parsed(ALL_KEYS);
    let [target] = config.targets.as_slice() else { panic!("{config:?}") };
    assert_eq!(target.region.as_deref(), Some("eu-west-1"));
    let role = target.account.as_ref().unwrap().role.as_ref().unwrap();
    assert_eq!(role.arn, "arn:aws:iam::123456789012:role/monitoring");
    assert!(!target.is_named());
    let [own, shared] = config.rules.as_slice() else { panic!("{config:?}") };
    assert_eq!((own.line, shared.line), (11, 31));
    assert_eq!(own.title(), "AWS/ELB Latency");
    assert_eq!(own.dimensions.as_ref().unwrap().join("/"), "AvailabilityZone/LoadBalancerName");
    assert!(
        own.select.matches("LoadBalancerName", "12")
            && !own.select.matches("LoadBalancerName", "b")
    );
    assert!(own.select.matches("AvailabilityZone", "any"));
    let names: Vec<_> = own.statistics.iter().map(|s| (s.name.as_str(), s.is_extended)).collect();
    assert_eq!(names, [("Average", false), ("Sum", false), ("p95", true), ("p99.99", true)]);
    let tags = own.tags.as_ref().unwrap();
    assert_eq!(tags.resource_type, "elasticloadbalancing:loadbalancer");
    assert_eq!(tags.selections.as_ref().unwrap().len(), 2);
    assert_eq!(tags.id("arn:aws:x:loadbalancer/app/a/1"), Some("app/a/1"));
    assert_eq!(own.window, Window { period: 60, range: 600, delay: 120 });
    assert!(own.set_timestamp && !own.warn_on_empty);
    assert_eq!((own.api, own.list_ttl), (Some(Api::Statistics), Duration::ZERO));
    assert_eq!(own.help.as_deref(), Some("How long it took."));

    assert_eq!(shared.window, Window { period: 300, range: 1200, delay: 0 });
    assert!(!shared.set_timestamp && shared.warn_on_empty);
    assert_eq!((shared.api, shared.list_ttl), (Some(Api::Data), Duration::from_mins(15)));
}

#[test]
fn defaults_are_those_of_the_java_exporter() {
    let rule = single_rule("metrics: [{aws_namespace: A, aws_metric_name: B}]");
    assert_eq!(rule.window, Window { period: 60, range: 600, delay: 600 });
    assert!(rule.set_timestamp && !rule.warn_on_empty && rule.window.is_recent());
    assert_eq!((rule.api, rule.list_ttl, rule.dimensions), (None, Duration::ZERO, None));
    assert!(rule.tags.is_none() && rule.help.is_none());
    let names: Vec<_> = rule.statistics.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, STATISTICS);
    let rule = single_rule(
        "metrics: [{aws_namespace: A, aws_metric_name: B, aws_extended_statistics: [p50]}]",
    );
    assert_eq!(rule.statistics, [Statistic { name: "p50".into(), is_extended: true }]);
}

#[test]
fn json_is_yaml_and_an_empty_value_is_none() {
    let rule = single_rule(
        "{\"metrics\": [{\"aws_namespace\": \"A\", \"aws_metric_name\": \"B\",\n\
         \"aws_dimensions\": [], \"period_seconds\": 120, \"set_timestamp\": false}]}",
    );
    assert_eq!(rule.dimensions.as_deref(), Some([].as_slice()));
    assert_eq!(rule.window.period, 120);
    let config = parsed("region:\nperiod_seconds: ~\nmetrics: []");
    assert!(config.targets == [Target::default()] && config.rules.is_empty());
}

#[test]
fn errors_name_the_line_and_the_key() {
    let nothing = "Must provide metrics";
    let names = "Must provide aws_namespace and aws_metric_name";
    let tags = "Must provide resource_type_selection and resource_id_dimension";
    let both = "Must not provide aws_dimension_select and aws_dimension_select_regex at the same \
                time";
    let many = (0..400).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let metric = "metrics:\n- aws_namespace: A\n  aws_metric_name: B\n  ";
    for (text, line, key, problem) in [
        ("", None, Some("metrics"), nothing),
        ("# nothing\n---\n", None, Some("metrics"), nothing),
        ("region: x", None, Some("metrics"), nothing),
        ("metrics:", None, Some("metrics"), nothing),
        ("metrics:\n- {}", Some(2), None, names),
        ("metrics:\n- aws_namespace: A", Some(2), None, names),
        ("metrics: []\nregion: ''", Some(2), Some("region"), "is empty"),
        (
            "reigon: x\nmetrics: []",
            Some(1),
            None,
            "unknown key \"reigon\"; did you mean \"region\"?",
        ),
        (&format!("{metric}aws_dimension: [C]"), Some(4), None, "unknown key \"aws_dimension\""),
        (
            &format!("{metric}aws_tag_select:\n    tags: {{}}"),
            Some(5),
            None,
            "unknown key \"tags\"; ",
        ),
        (
            &format!("{metric}aws_tag_select:\n    resource_type_selection: 'ec2:instance'"),
            Some(5),
            Some("aws_tag_select"),
            tags,
        ),
        (
            &format!(
                "{metric}aws_dimension_select: {{C: [a]}}\n  aws_dimension_select_regex: {{C: [a]}}"
            ),
            Some(5),
            None,
            both,
        ),
        (
            &format!("{metric}aws_dimension_select_regex: {{C: ['a)(b']}}"),
            Some(4),
            Some("aws_dimension_select_regex"),
            "is not a pattern",
        ),
        (
            &format!("{metric}period_seconds: 45"),
            Some(4),
            Some("period_seconds"),
            "multiples of 60",
        ),
        (&format!("{metric}period_seconds: 0"), Some(4), Some("period_seconds"), "multiples of 60"),
        (&format!("{metric}range_seconds: 0"), Some(4), Some("range_seconds"), "more than 0"),
        (&format!("{metric}delay_seconds: -1"), Some(4), Some("delay_seconds"), "0 or more"),
        (&format!("{metric}period_seconds: often"), Some(4), None, "expected"),
        (&format!("{metric}set_timestamp: [x]"), Some(4), None, "expected"),
        (
            &format!("{metric}aws_statistics: [p95]"),
            Some(4),
            Some("aws_statistics"),
            "not one of Sum,",
        ),
        (&format!("{metric}aws_statistics: []"), Some(4), Some("aws_statistics"), "no statistic"),
        (
            &format!("{metric}aws_extended_statistics: ['']"),
            Some(4),
            Some("aws_extended_statistics"),
            "such as p95",
        ),
        (
            &format!("{metric}aws_dimension_select: {{C: [{many}], D: [{many}]}}"),
            Some(4),
            Some("aws_dimension_select"),
            "more than 100000 combinations",
        ),
        (&format!("{metric}aws_dimensions: [C, D, C]"), Some(4), Some("aws_dimensions"), "twice"),
        (&format!("{metric}aws_metric_name: C"), Some(4), None, "given twice"),
        ("metrics: [", Some(1), None, "invalid YAML"),
        ("metrics: []\n---\nmetrics: []", Some(3), None, "second document"),
    ] {
        let fault = Config::parse(text.as_bytes()).unwrap_err();
        assert!(fault.problem.contains(problem), "{text}: {fault:?}");
        assert_eq!((fault.line, fault.key.as_deref()), (line, key), "{text}: {fault:?}");
        assert_eq!(fault.problem.lines().count(), 1, "{text}: {fault:?}");
    }
    let fault = Config::parse(b"metrics: []\n\xff").unwrap_err();
    assert_eq!((fault.line, fault.problem.contains("UTF-8")), (Some(2), true));
}

#[test]
fn an_error_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yml");
    let error = Config::read(&path, Strictness::Refuse).unwrap_err().to_string();
    assert!(error.contains("config.yml: cannot be read: "), "{error}");
    fs::write(&path, "metrics:\n- {period_seconds: 7}").unwrap();
    let error = Config::read(&path, Strictness::Refuse).unwrap_err().to_string();
    assert!(error.contains("config.yml: line 2: period_seconds: CloudWatch has"), "{error}");
}

#[test]
fn patterns_match_from_beginning_to_end() {
    let rule = single_rule(
        "metrics:\n- aws_namespace: A\n  aws_metric_name: B\n  aws_dimensions: [C]\n  \
         aws_dimension_select_regex: {C: ['myLB(.*)', 'a|b', '\\w+-\\d']}",
    );
    for (value, is_selected) in [
        ("myLB", true),
        ("myLB1", true),
        ("1myLB", false),
        ("a", true),
        ("ab", false),
        ("über-1", false),
        ("x-1", true),
        ("", false),
    ] {
        assert_eq!(rule.select.matches("C", value), is_selected, "{value}");
    }
}

#[test]
fn the_packaged_example_is_valid() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../packaging/examples/cloudwatch-exporter/config.yml"
    );
    assert_eq!(Config::read(Path::new(path), Strictness::Refuse).unwrap().rules.len(), 3);
}

fn lenient(text: &str) -> (Config, Vec<String>) {
    let config = Config::parse_as(text.as_bytes(), Strictness::Warn).unwrap();
    let warning = |warning: &Warning| format!("{}: {}", warning.line.unwrap_or(0), warning.problem);
    let warnings = config.warnings.iter().map(warning).collect();
    (config, warnings)
}

/// The Java exporter accepts these files.
#[test]
fn keys_that_the_java_exporter_ignores_are_warnings() {
    let metric = "metrics:\n- aws_namespace: A\n  aws_metric_name: B\n  ";
    for (text, expected) in [
        (
            format!("{metric}aws_dimension: [C]"),
            vec!["4: unknown key \"aws_dimension\"; did you mean \"aws_dimensions\"?"],
        ),
        (
            format!("region: a\nregion: b\n{metric}"),
            vec!["2: the key \"region\" is given twice; the last one is used"],
        ),
        (
            format!("{metric}aws_statistics: [Max, Sum]"),
            vec![
                "4: aws_statistics: \"Max\" is not one of Sum, SampleCount, Minimum, Maximum, Average; did you mean Maximum? It is ignored",
            ],
        ),
        (format!("{metric}period_seconds: 60.0\n  range_seconds: 6e2"), vec![]),
    ] {
        let (config, warnings) = lenient(&text);
        assert_eq!(warnings, expected, "{text}");
        assert_eq!(config.rules.len(), 1, "{text}");
    }
    let (config, _) = lenient(&format!("region: a\nregion: b\n{metric}"));
    assert_eq!(config.targets[0].region.as_deref(), Some("b"));
    let (config, warnings) = lenient(&format!("{metric}aws_statistics: [Max]"));
    assert_eq!((config.rules.len(), warnings.len()), (0, 1));
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = "x-elb: &elb\n  aws_namespace: AWS/ELB\n  aws_statistics: [Sum]\n  x-note: free\nmetrics:\n\
                - <<: *elb\n  aws_metric_name: B\n- <<: [*elb, {help: x}]\n  aws_metric_name: C\n  \
                aws_statistics: [Average]\n";
    let config = parsed(text);
    let [one, other] = config.rules.as_slice() else { panic!("{config:?}") };
    assert_eq!((one.title(), one.statistics[0].name.as_str()), ("AWS/ELB B".into(), "Sum"));
    assert_eq!((other.help.as_deref(), other.statistics[0].name.as_str()), (Some("x"), "Average"));
    assert_eq!(other.statistics.len(), 1, "its own statistics replace those of the anchor");
}

/// The schema in docs has all keys, and no others.
#[test]
fn the_schema_has_all_keys() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cloudwatch-exporter.schema.json");
    let schema: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    for (pointer, known) in [
        ("", file::File::KEYS),
        ("/properties/metrics/items", file::Metric::KEYS),
        ("/properties/metrics/items/properties/aws_tag_select", file::TagSelect::KEYS),
        ("/properties/accounts/items", file::GivenAccount::KEYS),
        ("/properties/discover/items", file::Discover::KEYS),
        ("/properties/stream", file::GivenStream::KEYS),
    ] {
        let keys = schema.pointer(&format!("{pointer}/properties")).unwrap().as_object().unwrap();
        let mut keys: Vec<_> = keys.keys().map(String::as_str).collect();
        let mut known = known.to_vec();
        keys.sort_unstable();
        known.sort_unstable();
        assert_eq!(keys, known, "{pointer}");
    }
}

#[test]
fn metric_streams_are_checked() {
    let stream =
        "stream: {listen_address: ':9107', access_key_file: key}\nregion: r\nfrom_stream: true\n";
    let rule = "aws_namespace: A, aws_metric_name: B";
    let config = parsed(&format!("{stream}metrics: [{{{rule}}}, {{{rule}, from_stream: false}}]"));
    let expected = Stream {
        line: 1,
        listen_address: ":9107".into(),
        access_key_file: "key".into(),
        web_config_file: None,
    };
    assert_eq!(config.stream, Some(expected));
    let fed: Vec<_> =
        config.rules.iter().map(|rule| (rule.from_stream, rule.is_fetched())).collect();
    assert_eq!(fed, [(true, false), (false, true)]);
    let accounts = "accounts: [{name: own, regions: [r]}]\n";
    for (text, problem) in [
        (format!("from_stream: true\nmetrics: [{{{rule}}}]"), "needs `stream`, with"),
        ("stream: {listen_address: x}\nmetrics: []".into(), "needs the key access_key_file"),
        ("stream: {access_key_file: x}\nmetrics: []".into(), "needs the key listen_address"),
        ("stream: {listen_adress: x}\nmetrics: []".into(), "did you mean \"listen_address\"?"),
        (format!("{}metrics: [{{{rule}}}]", stream.replace("region: r\n", "")), "needs a region"),
        (format!("{stream}metrics: [{{{rule}, period_seconds: 30}}]"), "from 60 to 3600 s"),
        (format!("{stream}metrics: [{{{rule}, period_seconds: 86400}}]"), "A B: a metric stream"),
        (
            format!("{stream}discover: [{{aws_namespace: sqs, metrics: {{A: [p99]}}}}]"),
            "p99 of minutes cannot be combined to that of 300 s; set period_seconds: 60",
        ),
        (
            format!("{accounts}{stream}metrics: [{{{rule}}}]"),
            "needs the account_id of the account \"own\"",
        ),
    ] {
        let fault = Config::parse(text.as_bytes()).unwrap_err();
        assert!(fault.problem.contains(problem), "{text}: {fault:?}");
    }
}
