//! Selection of resources by their tags.

use fake_cloudwatch::{Limits, Metric, Model, Operation, Request};

use super::fixture::{Fixture, rule, samples};

const ALB: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/myLB/123";
const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/abc/123";
const ACL: &str = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/myACL/0a1b";

fn instance(id: &str) -> String {
    format!("arn:aws:ec2:eu-west-1:123456789012:instance/{id}")
}

fn cpu(id: &str) -> Metric {
    Metric::new("AWS/EC2", "CPUUtilization").dimension("InstanceId", id)
}

fn machines() -> Model {
    Model::new()
        .metric(cpu("i-1"))
        .metric(cpu("i-2"))
        .metric(cpu("i-no-tag"))
        .resource(instance("i-1"), &[("Monitoring", "enabled"), ("Name", "one")])
        .resource(instance("i-2"), &[("Monitoring", "enabled")])
        .resource(instance("i-3"), &[("Monitoring", "disabled")])
}

fn config(dimensions: &str, tags: &str) -> String {
    let more = format!(
        "  aws_dimensions: [{dimensions}]\n  aws_statistics: [Average]\n  aws_tag_select:\n{tags}"
    );
    format!("metrics:\n{}", rule("AWS/EC2", "CPUUtilization", &more))
}

const MACHINES: &str = "    resource_type_selection: \"ec2:instance\"\n    \
                        resource_id_dimension: InstanceId\n";
const ENABLED: &str = "    tag_selections: {Monitoring: [enabled]}\n";

/// The ids on a page.
fn ids(page: &str) -> Vec<String> {
    let id = |line: String| {
        let label = line.split_once("instance_id=\"").unwrap().1.to_owned();
        label.split('"').next().unwrap().to_owned()
    };
    samples(page, "aws_ec2_cpuutilization_average{").into_iter().map(id).collect()
}

#[test]
fn instances_are_selected_by_tags() {
    let fixture = Fixture::new(machines(), &config("InstanceId", &format!("{MACHINES}{ENABLED}")));
    let page = fixture.page();
    assert_eq!(ids(&page), ["i-1", "i-2"]);
    let info = samples(&page, "aws_resource_info{");
    let labels = |id: &str, tags: &str| {
        format!(
            "aws_resource_info{{job=\"aws_ec2\",instance=\"\",arn=\"{}\",instance_id=\"{id}\",{tags}}} 1",
            instance(id)
        )
    };
    assert_eq!(
        info,
        [
            labels("i-1", "tag_Monitoring=\"enabled\",tag_Name=\"one\""),
            labels("i-2", "tag_Monitoring=\"enabled\",tag_Name=\"\""),
        ]
    );
    let requests = fixture.requests(Operation::GetResources);
    let Request::GetResources(request) = &*requests[0] else { panic!("{requests:?}") };
    assert_eq!(request.resource_type_filters, ["ec2:instance"]);
    assert_eq!(request.tag_filters[0].key, "Monitoring");
    assert_eq!(request.tag_filters[0].values, ["enabled"]);
    let count =
        "tagging_api_requests_total{action=\"getResources\",resource_type=\"ec2:instance\"} 1";
    assert_eq!(samples(&page, count).len(), 1, "{page}");
}

/// The position of the ID in an ARN differs between services.
#[test]
fn ids_are_found_in_arns() {
    for (namespace, arn, service, dimension, id, pattern) in [
        ("AWS/WAFV2", ACL, "wafv2", "WebACL", "myACL", "([^/]+)/[^/]+$"),
        (
            "AWS/ApplicationELB",
            GROUP,
            "elasticloadbalancing:targetgroup",
            "TargetGroup",
            "targetgroup/abc/123",
            "(targetgroup/.*)$",
        ),
        (
            "AWS/ApplicationELB",
            ALB,
            "elasticloadbalancing:loadbalancer/app",
            "LoadBalancer",
            "app/myLB/123",
            "",
        ),
    ] {
        let metric = |id: &str| Metric::new(namespace, "RequestCount").dimension(dimension, id);
        let model = Model::new()
            .metric(metric(id))
            .metric(metric("other"))
            .resource(arn, &[("Monitoring", "enabled")]);
        let pattern = match pattern {
            "" => String::new(),
            pattern => format!("    arn_resource_id_regexp: '{pattern}'\n"),
        };
        let more = format!(
            "  aws_dimensions: [{dimension}]\n  aws_statistics: [Sum]\n  aws_tag_select:\n{ENABLED}    \
             resource_type_selection: '{service}'\n    resource_id_dimension: {dimension}\n{pattern}"
        );
        let config = format!("metrics:\n{}", rule(namespace, "RequestCount", &more));
        let fixture = Fixture::new(model, &config);
        let page = fixture.page();
        let found: Vec<_> =
            samples(&page, "aws_").into_iter().filter(|line| line.contains("_sum{")).collect();
        assert_eq!(found.len(), 1, "{service}: {found:?}");
        assert!(found[0].contains(&format!("=\"{id}\"}}")), "{found:?}");
        let info = samples(&page, "aws_resource_info{");
        assert!(info.len() == 1 && info[0].contains(&format!("=\"{id}\",tag_")), "{info:?}");
    }
}

#[test]
fn resources_have_pages() {
    let model = machines().limits(Limits { resource_page: 1, ..Limits::default() });
    let fixture = Fixture::new(model, &config("InstanceId", &format!("{MACHINES}{ENABLED}")));
    assert_eq!(ids(&fixture.page()), ["i-1", "i-2"]);
    assert!(fixture.received(Operation::GetResources) >= 2);
}

/// Without a selection, tags are exposed and no metric is excluded.
#[test]
fn tags_without_a_selection_select_everything() {
    let fixture = Fixture::new(machines(), &config("InstanceId", MACHINES));
    let page = fixture.page();
    assert_eq!(ids(&page), ["i-1", "i-2", "i-no-tag"]);
    assert_eq!(samples(&page, "aws_resource_info{").len(), 3);
    let requests = fixture.requests(Operation::GetResources);
    let Request::GetResources(request) = &*requests[0] else { panic!("{requests:?}") };
    assert!(request.tag_filters.is_empty());
}

/// A key without values matches any value.
#[test]
fn a_key_without_values_matches_any_value() {
    let tags = format!("{MACHINES}    tag_selections: {{Name: []}}\n");
    assert_eq!(ids(&Fixture::new(machines(), &config("InstanceId", &tags)).page()), ["i-1"]);
}

#[test]
fn selections_match_keys_and_values() {
    let select = "  aws_dimension_select: {InstanceId: [i-1, i-no-tag]}\n";
    let config = config("InstanceId", &format!("{MACHINES}{ENABLED}")) + select;
    let fixture = Fixture::new(machines(), &config);
    let page = fixture.page();
    assert_eq!(ids(&page), ["i-1"]);
    assert_eq!(samples(&page, "aws_resource_info{").len(), 2);
    assert_eq!(fixture.received(Operation::ListMetrics), 1, "tags need a list");
}

#[test]
fn a_resource_of_several_rules_is_exposed_once() {
    let tags = format!("{MACHINES}{ENABLED}");
    let one = config("InstanceId", &tags);
    let more = format!("  aws_dimensions: [InstanceId]\n  aws_tag_select:\n{tags}");
    let config = one + &rule("AWS/EC2", "NetworkIn", &more);
    let fixture = Fixture::new(machines(), &config);
    let page = fixture.page();
    assert_eq!(samples(&page, "aws_resource_info{").len(), 2, "{page}");
    assert_eq!(fixture.received(Operation::GetResources), 1, "and requested once");
}
