//! Endless responses: each is cut off at little cost.

use fake_cloudwatch::{Fault, Limits, Metric, Model, Operation, Values};

use super::fixture::{Fixture, rule, samples, value};

fn model() -> Model {
    let resource = "arn:aws:ec2:eu-west-1:123456789012:instance/id-0";
    Model::new().grid("Grid", 1, 20, &Values::Constant(1.0)).resource(resource, &[("Env", "x")])
}

fn config(more: &str) -> String {
    format!("metrics:\n{}", rule("Grid", "Metric0", &format!("  aws_dimensions: [Id]\n{more}")))
}

#[test]
fn a_list_without_new_items_ends() {
    let fixture = Fixture::new(model(), &config(""));
    fixture.fake.inject(Fault::endless_tokens().on(Operation::ListMetrics));
    let page = fixture.page();
    assert_eq!(samples(&page, "grid_metric0").len(), 100);
    assert!(fixture.received(Operation::ListMetrics) <= 5);
    let log = fixture.exporter.log();
    assert!(log.contains("listMetrics of Grid: page after page brings nothing new"), "{log}");
}

#[test]
fn a_list_has_a_limited_number_of_pages() {
    let model = Model::new().grid("Grid", 1, 1100, &Values::Constant(1.0));
    let model = model.limits(Limits { list_page: 1, ..Limits::default() });
    let fixture = Fixture::new(model, &config(""));
    let page = fixture.page();
    assert_eq!(fixture.received(Operation::ListMetrics), 1000);
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    let log = fixture.exporter.log();
    assert!(log.contains("listMetrics of Grid: more than 1000 pages"), "{log}");
}

#[test]
fn only_the_newest_datapoints_are_fetched() {
    let fixture = Fixture::new(model(), &config("  use_get_metric_data: true\n"));
    fixture.fake.inject(Fault::endless_tokens().on(Operation::GetMetricData));
    let page = fixture.page();
    assert_eq!(samples(&page, "grid_metric0").len(), 100);
    let counters = fixture.fake.counters();
    assert_eq!((counters.get_metric_data.received, counters.get_metric_data.billed), (1, 20));
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 0.0);
}

/// Pages without results are not followed and billed forever.
#[test]
fn data_pages_without_progress_end() {
    let fixture = Fixture::new(model(), &config("  use_get_metric_data: true\n"));
    fixture.fake.inject(Fault::endless_tokens().on(Operation::GetMetricData));
    fixture.fake.inject(Fault::internal_status().on(Operation::GetMetricData));
    let page = fixture.page();
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    let counters = fixture.fake.counters().get_metric_data;
    assert!(counters.received <= 9, "{counters:?}");
}

#[test]
fn resource_pages_without_new_items_end() {
    let tags = "  aws_tag_select: {resource_type_selection: 'ec2:instance', \
                resource_id_dimension: Id}\n";
    let fixture = Fixture::new(model(), &config(tags));
    fixture.fake.inject(Fault::endless_tokens().on(Operation::GetResources));
    let page = fixture.page();
    assert_eq!(samples(&page, "grid_metric0").len(), 100);
    assert_eq!(samples(&page, "aws_resource_info{").len(), 1);
    assert!(fixture.received(Operation::GetResources) <= 5);
}

#[test]
fn an_endless_body_is_cut_off() {
    for operation in [
        Operation::ListMetrics,
        Operation::GetMetricData,
        Operation::GetResources,
        Operation::AssumeRole,
    ] {
        let tags = "  use_get_metric_data: true\n  aws_tag_select: {resource_type_selection: \
                    'ec2:instance', resource_id_dimension: Id}\n";
        let role = "role_arn: arn:aws:iam::123456789012:role/monitoring\n";
        let config = if operation == Operation::AssumeRole {
            format!("{role}{}", config(tags))
        } else {
            config(tags)
        };
        let fixture = Fixture::with(model(), &config, &["--collector.timeout=20s"], &[]);
        fixture.fake.inject(Fault::endless_body().on(operation));
        let page = fixture.page();
        assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0, "{operation:?}");
        let (log, memory) = (fixture.exporter.log(), fixture.memory());
        assert!(log.contains("larger than 8 MiB"), "{operation:?}: {log}");
        assert!(memory < 150.0, "{operation:?}: {memory} MiB");
        assert!(fixture.received(operation) <= 2, "{operation:?}: {}", fixture.received(operation));
    }
}

/// The limit of a rule depends on its own calls only.
#[test]
fn an_endless_body_does_not_affect_other_rules() {
    let model = model().metric(Metric::new("Other", "Alone"));
    let fixture = Fixture::new(model, &format!("{}{}", config(""), rule("Other", "Alone", "")));
    fixture.fake.inject(Fault::endless_body().on(Operation::ListMetrics).naming("Grid"));
    let page = fixture.page();
    assert_eq!(samples(&page, "other_alone").len(), 5);
    assert_eq!(samples(&page, "grid_metric0").len(), 0);
}

/// Each page has the results of one query, and a new token.
#[test]
fn a_fetch_costs_at_most_three_times_what_is_planned() {
    let more = "  use_get_metric_data: true\n  period_seconds: 3600\n  range_seconds: 3600\n";
    let fixture = Fixture::new(model(), &config(more));
    fixture.fake.inject(Fault::partial(1).on(Operation::GetMetricData));
    let page = fixture.page();
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    let billed = fixture.fake.counters().get_metric_data.billed;
    assert!((20..=3 * 20 + 100).contains(&billed), "{billed}");
    let limited = "cloudwatch_exporter_limited_fetches_total{limit=\"billed_units\"} ";
    assert_eq!(value(&page, limited), 1.0);
    let log = fixture.exporter.log();
    assert!(log.contains("getMetricData of Grid: this fetch has reached its limit"), "{log}");
    // A fetch a few seconds later would repeat the same calls.
    std::thread::sleep(std::time::Duration::from_secs(12));
    fixture.page();
    assert_eq!(fixture.fake.counters().get_metric_data.billed, billed);
}

#[test]
fn concurrent_calls_are_limited_from_the_start() {
    let rules: String = (0..8)
        .map(|n| {
            let tags = format!(
                "  aws_dimensions: [Id]\n  aws_tag_select: {{resource_type_selection: 'ec2:type{n}', \
                 resource_id_dimension: Id}}\n"
            );
            rule("Grid", &format!("Metric{n}"), &tags)
        })
        .collect();
    let model = Model::new().grid("Grid", 8, 20, &Values::Constant(1.0));
    let fake = fake_cloudwatch::Fake::start(model).unwrap();
    fake.inject(Fault::delay(std::time::Duration::from_millis(200)));
    let url = fake.url();
    let variables = [("AWS_ENDPOINT_URL", url.as_str())];
    let flags = ["--cloudwatch.concurrency=3"];
    let fixture = Fixture::with(Model::new(), &format!("metrics:\n{rules}"), &flags, &variables);
    assert_eq!(samples(&fixture.page(), "grid_metric").len(), 800);
    assert_eq!(fake.counters().most_at_once, 3);
}
