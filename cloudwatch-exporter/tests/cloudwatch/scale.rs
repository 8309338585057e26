//! Three accounts, four regions, six services and two hundred resources of each, selected by tags.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use fake_cloudwatch::{Fault, Metric, Model, Operation};

use super::fixture::{Fixture, run, samples, value};
use super::refresh::wait_for;

const ACCOUNTS: [(&str, &str); 3] =
    [("one", "111111111111"), ("two", "222222222222"), ("three", "333333333333")];
const REGIONS: [&str; 4] = ["eu-west-1", "eu-central-1", "us-east-1", "ap-south-1"];
const RESOURCES: usize = 200;

/// Namespace, metric, statistic, dimension, and the service and the prefix of the ID in the ARN.
const SERVICES: [(&str, &str, &str, &str, &str, &str); 6] = [
    ("AWS/EC2", "CPUUtilization", "Average", "InstanceId", "ec2", "instance/"),
    ("AWS/EBS", "VolumeReadOps", "Sum", "VolumeId", "ec2", "volume/"),
    ("AWS/RDS", "CPUUtilization", "Average", "DBInstanceIdentifier", "rds", "db:"),
    ("AWS/Lambda", "Errors", "Sum", "FunctionName", "lambda", "function:"),
    ("AWS/DynamoDB", "SystemErrors", "Sum", "TableName", "dynamodb", "table/"),
    ("AWS/SQS", "NumberOfMessagesSent", "Sum", "QueueName", "sqs", ""),
];
const SERIES: usize = 3 * 4 * 6 * RESOURCES;

fn model() -> Model {
    let mut model = Model::new();
    for (account, id) in ACCOUNTS {
        for region in REGIONS {
            for (namespace, name, _, dimension, service, prefix) in SERVICES {
                for number in 0..RESOURCES {
                    let resource = format!("{account}-{region}-{number}");
                    let arn = format!("arn:aws:{service}:{region}:{id}:{prefix}{resource}");
                    let metric = Metric::new(namespace, name).dimension(dimension, resource);
                    model = model
                        .metric(metric.account(id).region(region))
                        .resource(arn, &[("Env", "prod"), ("Team", account)]);
                }
                let other = Metric::new(namespace, name).dimension(dimension, "untagged");
                model = model.metric(other.account(id).region(region));
            }
        }
    }
    model
}

fn config() -> String {
    let regions = REGIONS.join(", ");
    let account = |(name, id): &(&str, &str)| {
        format!(
            "- {{name: {name}, role_arn: 'arn:aws:iam::{id}:role/monitoring', regions: [{regions}]}}\n"
        )
    };
    let service = |(namespace, name, statistic, ..): &(&str, &str, &str, &str, &str, &str)| {
        format!(
            "- {{aws_namespace: {namespace}, tags: {{Env: [prod]}}, copy_tags: [Team], metrics: \
             {{{name}: [{statistic}]}}}}\n"
        )
    };
    let accounts: String = ACCOUNTS.iter().map(account).collect();
    let services: String = SERVICES.iter().map(service).collect();
    format!(
        "use_get_metric_data: true\nlist_metrics_cache_ttl: 300\naccounts:\n{accounts}discover:\n{services}"
    )
}

fn series(page: &str) -> Vec<String> {
    let lines = samples(page, "aws_").into_iter();
    lines.filter(|line| !line.contains("_info{")).collect()
}

/// The number of the period of five minutes that has the present time.
fn period() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 300
}

#[test]
fn all_series_are_exposed_and_billed_as_planned() {
    // Another period has another fetch, with its own costs.
    loop {
        let before = period();
        let (planned, billed, counted) = expose_all_series();
        if period() == before {
            assert_eq!((billed, counted), (planned, planned));
            return;
        }
    }
}

/// Checks that a page has all series. Returns the billed units for data according to the plan, to the fake and to the
/// exporter.
fn expose_all_series() -> (u64, u64, u64) {
    let fixture = Fixture::new(model(), &config());
    let file = fixture.file();
    let plan = run(&["--plan", file.to_str().unwrap(), "--plan.format=json"], &fixture.fake.url());
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
    fixture.fake.reset();
    wait_for("all series", || series(&fixture.page()).len() == SERIES);
    let page = fixture.page();
    let mut by_target: BTreeMap<String, usize> = BTreeMap::new();
    for line in series(&page) {
        let label = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let (account, region) = (label(",account"), label("region"));
        assert_eq!(label("tag_Team"), account, "{line}");
        assert!(line.contains(&format!("=\"{account}-{region}-")), "{line}");
        let id = ACCOUNTS.iter().find(|(name, _)| *name == account).unwrap().1;
        assert_eq!(label("account_id"), id);
        *by_target.entry(format!("{account} {region}")).or_default() += 1;
    }
    assert_eq!(by_target.len(), 12);
    assert!(by_target.values().all(|count| *count == 6 * RESOURCES), "{by_target:?}");
    let info = |line: &String| line.contains("_info{");
    assert_eq!(samples(&page, "aws_").iter().filter(|line| info(line)).count(), SERIES);

    let targets = plan["targets"].as_array().unwrap();
    let rules = targets.iter().flat_map(|target| target["rules"].as_array().unwrap());
    let planned: u64 = rules.map(|rule| rule["billed"].as_u64().unwrap()).sum();
    assert_eq!(planned, 14_400);
    let counted: u64 = samples(&page, "cloudwatch_billed_units_total{action=\"getMetricData\"")
        .iter()
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    (planned, fixture.fake.counters().get_metric_data.billed, counted)
}

#[test]
fn a_throttled_account_is_complete() {
    let fixture = Fixture::with(model(), &config(), &["--collector.timeout=1s"], &[]);
    let throttled = |operation| Fault::throttle().by(ACCOUNTS[0].1).on(operation).chance(0.6, 1);
    fixture.fake.inject(throttled(Operation::ListMetrics));
    fixture.fake.inject(throttled(Operation::GetMetricData));
    wait_for("all of them", || {
        let page = fixture.page();
        series(&page).len() == SERIES && value(&page, "cloudwatch_exporter_scrape_error ") == 0.0
    });
}

#[test]
fn a_throttled_account_does_not_delay_others() {
    let (account, _) = ACCOUNTS[0];
    let fixture = Fixture::with(model(), &config(), &["--collector.timeout=1s"], &[]);
    let throttled = |operation| Fault::throttle().by(ACCOUNTS[0].1).on(operation);
    fixture.fake.inject(throttled(Operation::ListMetrics).chance(0.6, 1));
    fixture.fake.inject(throttled(Operation::GetMetricData).chance(0.6, 2));
    // So that it is still retrying when the others are complete, however slow the machine is.
    fixture.fake.inject(throttled(Operation::GetMetricData).naming("CPUUtilization"));
    let is_other = |line: &&String| !line.contains(&format!(",account=\"{account}\""));
    let mut page = String::new();
    wait_for("the others", || {
        page = fixture.page();
        let targets = samples(&page, "cloudwatch_exporter_target_up{");
        let up = targets.iter().filter(is_other).filter(|line| line.ends_with(" 1")).count();
        series(&page).iter().filter(is_other).count() == SERIES / 3 * 2 && up == 8
    });
    assert!(series(&page).len() < SERIES);
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    fixture.fake.clear_faults();
    wait_for("all of them", || series(&fixture.page()).len() == SERIES);
}

#[test]
fn a_hanging_account_does_not_delay_others() {
    let fixture = Fixture::with(model(), &config(), &["--collector.timeout=1s"], &[]);
    fixture.fake.inject(Fault::hang().by(ACCOUNTS[0].1));
    wait_for("the others", || {
        let page = fixture.page();
        assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
        series(&page).len() == SERIES / 3 * 2
    });
}
