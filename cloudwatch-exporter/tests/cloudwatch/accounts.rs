//! Several accounts and regions in one process.

use fake_cloudwatch::{Fault, Metric, Model, Operation, Request};

use super::fixture::{Fixture, rule, samples, value};
use super::refresh::wait_for;

const ACCOUNTS: [(&str, &str); 5] = [
    ("one", "111111111111"),
    ("two", "222222222222"),
    ("three", "333333333333"),
    ("four", "444444444444"),
    ("five", "555555555555"),
];

fn role(id: &str) -> String {
    format!("arn:aws:iam::{id}:role/monitoring")
}

/// One metric in each of two regions of each account.
fn model() -> Model {
    let mut model = Model::new();
    for (name, id) in ACCOUNTS {
        model = model.role(role(id), Some(&format!("id of {name}")));
        for region in ["eu-west-1", "us-east-1"] {
            let metric = Metric::new("App", "Load").dimension("Host", format!("{name}-{region}"));
            model = model.metric(metric.account(id).region(region));
        }
    }
    model
}

fn config(more: &str) -> String {
    let account = |(name, id): (&str, &str)| {
        format!(
            "- {{name: {name}, role_arn: '{}', external_id: id of {name}, regions: [eu-west-1, us-east-1]}}\n",
            role(id)
        )
    };
    let accounts: String = ACCOUNTS.into_iter().map(account).collect();
    let rule = rule("App", "Load", "  aws_dimensions: [Host]\n  aws_statistics: [Average]\n");
    format!("accounts:\n{accounts}{more}metrics:\n{rule}")
}

const SERIES: &str = "app_load_average{";

#[test]
fn each_account_and_region_has_its_series() {
    let fixture = Fixture::new(model(), &config("labels: {env: live}\n"));
    let found = fixture.samples(SERIES);
    assert_eq!(found.len(), 10, "{found:?} {}", fixture.exporter.log());
    for (name, id) in ACCOUNTS {
        for region in ["eu-west-1", "us-east-1"] {
            let labels = format!(
                "{SERIES}job=\"app\",instance=\"\",account_id=\"{id}\",account=\"{name}\",\
                 region=\"{region}\",env=\"live\",host=\"{name}-{region}\"}} 1 "
            );
            assert_eq!(samples(&found.join("\n"), &labels).len(), 1, "{labels} in {found:?}");
        }
    }
    let ids: std::collections::BTreeSet<_> = fixture
        .requests(Operation::AssumeRole)
        .iter()
        .map(|request| match &**request {
            Request::AssumeRole(request) => request.external_id.clone().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids.len(), 5, "{ids:?}");
    assert!(fixture.received(Operation::AssumeRole) <= 10, "regions share a role");
}

#[test]
fn a_denied_account_does_not_affect_others() {
    let fixture = Fixture::new(model(), &config(""));
    let denied = Fault::error(403, "AccessDenied", "Not this role.");
    fixture.fake.inject(denied.on(Operation::AssumeRole).naming(&role(ACCOUNTS[2].1)));
    let page = fixture.page();
    assert_eq!(samples(&page, SERIES).len(), 8, "{}", fixture.exporter.log());
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    let up = |name: &str| -> f64 {
        let lines = samples(&page, "cloudwatch_exporter_target_up{");
        let of = lines.iter().filter(|line| line.contains(&format!("account=\"{name}\"")));
        of.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    };
    assert_eq!((up("three"), up("one")), (0.0, 2.0));
    let log = fixture.exporter.log();
    assert!(log.contains("three eu-west-1") && log.contains("Not this role."), "{log}");
    fixture.fake.clear_faults();
    wait_for("all of them again", || fixture.samples(SERIES).len() == 10);
}

/// A monitoring account sees the metrics of its linked accounts.
#[test]
fn linked_metrics_are_labelled_with_their_account() {
    let load = |host: &str| Metric::new("App", "Load").dimension("Host", host);
    let model = Model::new()
        .metric(load("own"))
        .metric(load("linked").account("111111111111"))
        .metric(load("linked").account("222222222222"));
    let rule = rule(
        "App",
        "Load",
        "  aws_dimensions: [Host]\n  aws_statistics: [Sum]\n  use_get_metric_data: true\n",
    );
    let config =
        format!("accounts: [{{name: org, linked: true, regions: [eu-west-1]}}]\nmetrics:\n{rule}");
    let fixture = Fixture::new(model, &config);
    let found = fixture.samples("app_load_sum{");
    assert_eq!(found.len(), 3, "{found:?}");
    for (owner, host) in
        [("123456789012", "own"), ("111111111111", "linked"), ("222222222222", "linked")]
    {
        let labels =
            [format!("account_id=\"{owner}\",account=\"org\""), format!("host=\"{host}\"")];
        assert!(
            found.iter().any(|line| labels.iter().all(|label| line.contains(label))),
            "{labels:?} in {found:?}"
        );
    }
}

#[test]
fn a_file_without_accounts_has_no_labels_for_them() {
    let rule = rule("App", "Load", "  aws_statistics: [Sum]\n");
    let fixture =
        Fixture::new(Model::new().metric(Metric::new("App", "Load")), &format!("metrics:\n{rule}"));
    let page = fixture.page();
    assert_eq!(samples(&page, "app_load_sum{job=\"app\",instance=\"\"} 1 ").len(), 1, "{page}");
    assert!(samples(&page, "cloudwatch_exporter_target_up").is_empty());
}
