//! Random input for the parsers of external data: responses of AWS, deliveries of metric streams, and
//! the configuration file.
//! `PROPTEST_CASES=100000 cargo test --release -p cloudwatch-exporter fuzz` tries more.
//!
//! The corpus in `tests/corpus` is tried first, then mutations of it and of recorded responses. No
//! input may panic; the result is an error or a value.

use std::sync::Arc;

use exporter_core::testing::{corpus, fuzz};
use fake_cloudwatch::stream::{self, Datapoint, Format};
use fake_cloudwatch::{Fake, Limits, Metric, Model, Values};

use crate::allowance::Allowance;
use crate::calls::context::{CallContext, Context};
use crate::calls::tests::calls_for;
use crate::cloud::tests::{Recorder, with_response};
use crate::cloud::{Cloud, ListParameters, ResourceFilters};
use crate::config::Config;
use crate::results::Point;
use crate::rule::{Api, Rule};
use crate::snapshot::{Snapshot, TargetSnapshot};
use crate::stream::{Store, delivery};

#[test]
fn fuzz_the_configuration_file() {
    fuzz(corpus(env!("CARGO_MANIFEST_DIR"), "config"), |bytes| {
        if let Ok(config) = Config::parse(bytes) {
            for rule in &config.rules {
                rule.product();
                rule.window.span(1_800_000_000);
            }
        }
    });
}

fn rules() -> Vec<Rule> {
    let text = "metrics: [{aws_namespace: Grid, aws_metric_name: Metric0, aws_dimensions: [Id], \
                aws_tag_select: {resource_type_selection: ec2, resource_id_dimension: Id}}]";
    Config::parse(text.as_bytes()).unwrap().rules
}

/// Calls each operation once.
async fn call_all(cloud: &Cloud) {
    let rules = rules();
    let rule = &rules[0];
    let allowance = Allowance::default();
    let _ = cloud.list(&ListParameters::of(rule).unwrap(), &allowance).await;
    let _ = cloud.resources(&ResourceFilters::of(rule).unwrap(), &allowance).await;
    for api in [Api::Data, Api::Statistics] {
        let (results, calls) = calls_for(rule, api, 3);
        allowance.plan(calls.iter().map(|call| call.billed));
        let context = Context::new(&rules, &results, &allowance);
        let call = CallContext { call: &calls[0], context: &context };
        match api {
            Api::Data => drop(cloud.data(call).await),
            Api::Statistics => drop(cloud.statistics(call).await),
        }
    }
}

#[test]
fn fuzz_responses_of_aws() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let fake = Fake::start(
        Model::new()
            .grid("Grid", 1, 3, &Values::Samples(vec![1.0, 2.5]))
            .resource("arn:aws:ec2:eu-west-1:123456789012:instance/id-0", &[("Env", "x")])
            .limits(Limits { list_page: 2, ..Limits::default() }),
    )
    .unwrap();
    let recorder = Recorder::default();
    runtime.block_on(async { call_all(&recorder.client(&fake.url()).await).await });
    let mut responses = recorder.responses();
    assert!(responses.len() >= 5, "{}", responses.len());
    responses.extend(corpus(env!("CARGO_MANIFEST_DIR"), "cbor"));
    fuzz(responses, |bytes| {
        let bytes: Arc<[u8]> = bytes.into();
        runtime.block_on(async {
            for status in [200, 400, 500] {
                call_all(&with_response(status, Arc::clone(&bytes)).await).await;
            }
        });
    });
}

/// Reads a body, and keeps its datapoints for rules that match them.
fn deliver(body: &[u8]) {
    let text = "stream: {listen_address: ':1', access_key_file: x}\nregion: eu-west-1\nfrom_stream: true\n\
        discover: [{aws_namespace: ec2, untagged: true, metrics: {CPUUtilization: [Average]}}]\n\
        metrics: [{aws_namespace: AWS/EC2, aws_metric_name: CPUUtilization, aws_dimensions: [InstanceId], \
        aws_extended_statistics: [p99.9]}]";
    let config = Config::parse(text.as_bytes()).unwrap();
    let store = Store::new(&config, None);
    let results = vec![Arc::default(); config.rules.len()];
    let target = TargetSnapshot { results, failures: Vec::new(), is_reachable: true };
    let mut snapshot = Snapshot { config: Arc::new(config.clone()), targets: vec![target] };
    for is_gzip in [false, true] {
        let _ = delivery::read(body, is_gzip, |point| {
            store.insert(&config, point, NOW);
        });
        store.add_to(&mut snapshot, NOW);
        store.measure(&config, NOW);
    }
    for results in &snapshot.targets[0].results {
        for point in &results.points {
            if let Point::Value { millis, .. } = point {
                assert!((0..=(NOW + 60) * 1000).contains(&u64::try_from(*millis).unwrap()));
            }
        }
    }
}

/// In seconds since 1970, within a minute of the datapoints of the corpus.
const NOW: u64 = 1_800_000_060;

fn datapoint() -> Datapoint {
    let metric = Metric::new("AWS/EC2", "CPUUtilization").dimension("InstanceId", "i-1");
    Datapoint::of(&metric, 1_800_000_000, &["p99.9"]).unwrap()
}

#[test]
fn fuzz_deliveries() {
    let mut bodies = corpus(env!("CARGO_MANIFEST_DIR"), "stream");
    for format in [Format::Json, Format::OpenTelemetry] {
        bodies.push(format.delivery("id", &[datapoint(), datapoint()]));
    }
    fuzz(bodies, deliver);
}

#[test]
fn fuzz_records_of_both_formats() {
    // Most mutations of a body make its base64 invalid, so the records are mutated before they are
    // encoded.
    let records = [Format::Json, Format::OpenTelemetry]
        .map(|format| format.record(&[datapoint(), datapoint()]));
    fuzz(records.to_vec(), |record| deliver(&stream::delivery("id", &[record.to_vec()])));
}
