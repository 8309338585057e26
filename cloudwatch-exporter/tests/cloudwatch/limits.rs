//! Answers without end: each is cut off, with little spent and little memory used.

use fake_cloudwatch::{Fault, Limits, Metric, Model, Operation, Values};

use super::scene::{Scene, rule, samples, value};

fn model() -> Model {
    let resource = "arn:aws:ec2:eu-west-1:123456789012:instance/id-0";
    Model::new().grid("Grid", 1, 20, &Values::Constant(1.0)).resource(resource, &[("Env", "x")])
}

fn config(more: &str) -> String {
    format!("metrics:\n{}", rule("Grid", "Metric0", &format!("  aws_dimensions: [Id]\n{more}")))
}

#[test]
fn a_list_that_brings_nothing_new_ends() {
    let scene = Scene::new(model(), &config(""));
    scene.fake.inject(Fault::endless_tokens().on(Operation::ListMetrics));
    let page = scene.page();
    assert_eq!(samples(&page, "grid_metric0").len(), 100);
    assert!(scene.received(Operation::ListMetrics) <= 5);
    let log = scene.exporter.log();
    assert!(log.contains("listMetrics of Grid: page after page brings nothing new"), "{log}");
}

#[test]
fn a_list_has_a_limited_number_of_pages() {
    let model = Model::new().grid("Grid", 1, 1100, &Values::Constant(1.0));
    let model = model.limits(Limits { list_page: 1, ..Limits::default() });
    let scene = Scene::new(model, &config(""));
    let page = scene.page();
    assert_eq!(scene.received(Operation::ListMetrics), 1000);
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    let log = scene.exporter.log();
    assert!(log.contains("listMetrics of Grid: more than 1000 pages"), "{log}");
}

#[test]
fn data_is_not_asked_for_beyond_the_newest_datapoints() {
    let scene = Scene::new(model(), &config("  use_get_metric_data: true\n"));
    scene.fake.inject(Fault::endless_tokens().on(Operation::GetMetricData));
    let page = scene.page();
    assert_eq!(samples(&page, "grid_metric0").len(), 100);
    let counters = scene.fake.counters();
    assert_eq!((counters.get_metric_data.received, counters.get_metric_data.billed), (1, 20));
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 0.0);
}

/// Pages that answer no query are not followed for ever, nor billed for ever.
#[test]
fn data_pages_without_progress_end() {
    let scene = Scene::new(model(), &config("  use_get_metric_data: true\n"));
    scene.fake.inject(Fault::endless_tokens().on(Operation::GetMetricData));
    scene.fake.inject(Fault::internal_status().on(Operation::GetMetricData));
    let page = scene.page();
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    let counters = scene.fake.counters().get_metric_data;
    assert!(counters.received <= 9, "{counters:?}");
}

#[test]
fn resources_that_bring_nothing_new_end() {
    let tags = "  aws_tag_select: {resource_type_selection: 'ec2:instance', \
                resource_id_dimension: Id}\n";
    let scene = Scene::new(model(), &config(tags));
    scene.fake.inject(Fault::endless_tokens().on(Operation::GetResources));
    let page = scene.page();
    assert_eq!(samples(&page, "grid_metric0").len(), 100);
    assert_eq!(samples(&page, "aws_resource_info{").len(), 1);
    assert!(scene.received(Operation::GetResources) <= 5);
}

#[test]
fn a_body_without_end_is_not_kept() {
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
        let scene = Scene::with(model(), &config, &["--collector.timeout=20s"], &[]);
        scene.fake.inject(Fault::endless_body().on(operation));
        let page = scene.page();
        assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0, "{operation:?}");
        let (log, memory) = (scene.exporter.log(), scene.memory());
        assert!(log.contains("longer than 8 MiB"), "{operation:?}: {log}");
        assert!(memory < 150.0, "{operation:?}: {memory} MiB");
        assert!(scene.received(operation) <= 2, "{operation:?}: {}", scene.received(operation));
    }
}

/// What a rule can be answered with is bounded by its own calls, not by another's.
#[test]
fn another_rule_is_not_affected() {
    let model = model().metric(Metric::new("Other", "Alone"));
    let scene = Scene::new(model, &format!("{}{}", config(""), rule("Other", "Alone", "")));
    scene.fake.inject(Fault::endless_body().on(Operation::ListMetrics).naming("Grid"));
    let page = scene.page();
    assert_eq!(samples(&page, "other_alone").len(), 5);
    assert_eq!(samples(&page, "grid_metric0").len(), 0);
}

/// Each page answers one query, and has a new token.
#[test]
fn a_fetch_costs_at_most_three_times_what_is_planned() {
    let more = "  use_get_metric_data: true\n  period_seconds: 3600\n  range_seconds: 3600\n";
    let scene = Scene::new(model(), &config(more));
    scene.fake.inject(Fault::partial(1).on(Operation::GetMetricData));
    let page = scene.page();
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    let billed = scene.fake.counters().get_metric_data.billed;
    assert!((20..=3 * 20 + 100).contains(&billed), "{billed}");
    let limited = "cloudwatch_exporter_limited_fetches_total{limit=\"billed_units\"} ";
    assert_eq!(value(&page, limited), 1.0);
    let log = scene.exporter.log();
    assert!(log.contains("getMetricData of Grid: this fetch has reached its limit"), "{log}");
    // What a fetch of a few seconds later would repeat.
    std::thread::sleep(std::time::Duration::from_secs(12));
    scene.page();
    assert_eq!(scene.fake.counters().get_metric_data.billed, billed);
}

#[test]
fn calls_under_way_are_limited_from_the_start() {
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
    let scene = Scene::with(Model::new(), &format!("metrics:\n{rules}"), &flags, &variables);
    assert_eq!(samples(&scene.page(), "grid_metric").len(), 800);
    assert_eq!(fake.counters().most_at_once, 3);
}
