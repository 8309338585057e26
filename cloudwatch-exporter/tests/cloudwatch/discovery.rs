//! Discovery: resources by their tags, with their metrics.

use fake_cloudwatch::{Metric, Model, Operation, Values};

use super::fixture::{Fixture, samples};

const ACCOUNT: &str = "123456789012";

fn database(id: &str) -> String {
    format!("arn:aws:rds:eu-west-1:{ACCOUNT}:db:{id}")
}

fn metric(name: &str, id: &str) -> Metric {
    Metric::new("AWS/RDS", name)
        .dimension("DBInstanceIdentifier", id)
        .unit("Percent")
        .values(Values::Constant(7.0))
}

fn model() -> Model {
    let names = ["CPUUtilization", "FreeStorageSpace"];
    let ids = ["orders", "users", "scratch", "untagged"];
    let mut model = Model::new();
    for name in names {
        for id in ids {
            model = model.metric(metric(name, id));
        }
        model = model.metric(Metric::new("AWS/RDS", name).dimension("EngineName", "mysql"));
    }
    model
        .resource(database("orders"), &[("Env", "prod"), ("Name", "Orders"), ("Team", "shop")])
        .resource(database("users"), &[("Env", "prod")])
        .resource(database("idle"), &[("Env", "prod"), ("Team", "none")])
        .resource(database("scratch"), &[("Env", "test")])
}

fn config(more: &str) -> String {
    format!(
        "discover:\n- aws_namespace: AWS/RDS\n  tags: {{Env: [prod]}}\n  period_seconds: 60\n  \
         range_seconds: 600\n{more}"
    )
}

/// The databases on a page.
fn ids(page: &str) -> Vec<String> {
    let lines = samples(page, "aws_rds_cpuutilization_average{");
    let id = |line: &String| {
        let label = line.split_once("dbinstance_identifier=\"");
        label.map_or("", |(_, rest)| rest.split('"').next().unwrap()).to_owned()
    };
    lines.iter().map(id).collect()
}

#[test]
fn a_namespace_alone_has_the_default_metrics() {
    let fixture = Fixture::new(model(), &config(""));
    let page = fixture.page();
    assert_eq!(ids(&page), ["orders", "users"], "{page}");
    assert_eq!(samples(&page, "aws_rds_free_storage_space_minimum{").len(), 2);
    let help = "# HELP aws_rds_cpuutilization_average CloudWatch metric AWS/RDS CPUUtilization \
                Statistic: Average Unit: Percent\n";
    assert!(page.contains(help), "{page}");
    assert_eq!(fixture.received(Operation::GetResources), 1, "one for all metrics");
    let info = samples(&page, "aws_rds_info{");
    assert_eq!(info.len(), 3, "what has tags but no metrics as well: {info:?}");
    let idle = format!(
        "aws_rds_info{{job=\"aws_rds\",instance=\"\",arn=\"{}\",dbinstance_identifier=\"idle\",\
         tag_Env=\"prod\",tag_Team=\"none\",tag_Name=\"\"}} 1",
        database("idle")
    );
    assert_eq!(samples(&page, &idle).len(), 1, "{info:?}");
}

#[test]
fn tags_are_copied_to_series() {
    let more = "  copy_tags: [Name, Team]\n  metrics: {CPUUtilization: [Average, p99]}\n";
    let page = Fixture::new(model(), &config(more)).page();
    for (id, name, team) in [("orders", "Orders", "shop"), ("users", "", "")] {
        for family in ["aws_rds_cpuutilization_average", "aws_rds_cpuutilization_p99"] {
            let series = format!(
                "{family}{{job=\"aws_rds\",instance=\"\",dbinstance_identifier=\"{id}\",\
                 tag_Name=\"{name}\",tag_Team=\"{team}\"}} 7 "
            );
            assert_eq!(samples(&page, &series).len(), 1, "{series} in {page}");
        }
    }
    assert!(samples(&page, "aws_rds_free").is_empty());
}

#[test]
fn untagged_resources_are_included_on_request() {
    let more = "  untagged: true\n  metrics: {CPUUtilization: [Average]}\n";
    let page = Fixture::new(model(), &config(more)).page();
    assert_eq!(ids(&page), ["orders", "scratch", "untagged", "users", ""], "{page}");
}

#[test]
fn a_namespace_without_resources_exposes_all_listed_metrics() {
    let model = Model::new()
        .metric(Metric::new("AWS/Usage", "CallCount").dimension("Service", "a"))
        .metric(
            Metric::new("AWS/Usage", "CallCount").dimension("Type", "b").dimension("Service", "a"),
        );
    let config = "discover: [{aws_namespace: AWS/Usage, untagged: true, period_seconds: 60, \
                  metrics: {CallCount: [Sum]}}]\n";
    let page = Fixture::new(model, config).page();
    let found = samples(&page, "aws_usage_call_count_sum{");
    let expected = ["service=\"a\",type=\"\"}", "service=\"a\",type=\"b\"}"];
    assert_eq!(found.len(), 2, "{page}");
    for labels in expected {
        assert!(found.iter().any(|line| line.contains(labels)), "{labels} in {found:?}");
    }
    let fixture = Fixture::new(Model::new(), config);
    assert!(fixture.page().contains("cloudwatch_exporter_scrape_error 0"));
    assert_eq!(fixture.received(Operation::GetResources), 0);
}
