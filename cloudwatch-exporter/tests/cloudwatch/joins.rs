//! Joins with the info series, evaluated by Prometheus.

use exporter_core::testing::Prometheus;
use fake_cloudwatch::{Metric, Model, Values};

use super::fixture::Fixture;

#[test]
fn info_series_join_in_prometheus() {
    let arn = |id: &str| format!("arn:aws:rds:eu-west-1:123456789012:db:{id}");
    let cpu = |id: &str, load: f64| {
        Metric::new("AWS/RDS", "CPUUtilization")
            .dimension("DBInstanceIdentifier", id)
            .values(Values::Constant(load))
    };
    let model = Model::new()
        .metric(cpu("a", 10.0))
        .metric(cpu("b", 20.0))
        .metric(cpu("c", 40.0))
        .resource("arn:aws:rds:eu-west-1:123456789012:cluster:x", &[("Team", "red")])
        .resource("arn:aws:rds:eu-west-1:123456789012:cluster:y", &[("Team", "red")])
        .resource(arn("a"), &[("Team", "red")])
        .resource(arn("b"), &[("Team", "blue")])
        .resource(arn("c"), &[("Team", "blue")]);
    let config = "set_timestamp: false\n\
        accounts: [{name: prod, account_id: '123456789012', regions: [eu-west-1]}]\n\
        discover: [{aws_namespace: rds, metrics: {CPUUtilization: [Average]}}]\n";
    let fixture = Fixture::new(model, config);
    let dir = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", fixture.exporter.port);
    let prometheus = Prometheus::start(
        dir.path(),
        &format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n\
             - {{job_name: cloudwatch, static_configs: [{{targets: ['{address}']}}]}}\n"
        ),
        &[],
    );
    let Some(prometheus) = prometheus else { return };
    // The join of the guide; the sum has the label that the helper finds values by.
    let join = "aws_rds_cpuutilization_average * on (account_id, region, dbinstance_identifier) \
                group_left (tag_Team) aws_rds_info{dbinstance_identifier!=\"\"}";
    for (team, sum) in [("red", 10.0), ("blue", 60.0)] {
        let by_team = format!(
            "label_replace(sum by (tag_Team) ({join}), \"job\", \"$1\", \"tag_Team\", \"(.*)\")"
        );
        assert_eq!(prometheus.wait_for(&by_team, &[team]), [sum], "{team}");
    }
}
