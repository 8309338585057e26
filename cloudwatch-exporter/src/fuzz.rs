//! Random input for the parsers of what comes from outside: answers of AWS, and the configuration
//! file. `PROPTEST_CASES=100000 cargo test --release -p cloudwatch-exporter fuzz` tries more of it.
//!
//! The corpus in `tests/corpus` is tried first, then mutations of it and of recorded answers. What
//! is tested is that nothing panics, and that the answer is an error or a result.

use std::fs;
use std::sync::Arc;

use fake_cloudwatch::{Fake, Limits, Model, Values};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

use crate::cloud::tests::{Recorder, answering};
use crate::cloud::{Cloud, Listing, Selection};
use crate::config::Config;
use crate::fetch::Job;
use crate::plan::tests::calls_for;
use crate::rule::{Api, Rule};

#[expect(clippy::disallowed_methods, reason = "the corpus is read, not a kernel's folder")]
fn corpus(kind: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/tests/corpus/{kind}", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// A change to some bytes.
#[derive(Clone, Debug)]
enum Mutation {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Truncate(Index),
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let mutation = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (any::<Index>(), vec(any::<u8>(), 1..12))
            .prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (any::<Index>(), 1..64_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (any::<Index>(), 1..64_usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
        any::<Index>().prop_map(Mutation::Truncate),
    ];
    vec(mutation, 0..6)
}

fn mutated(mut bytes: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let length = bytes.len();
        let place = |at: &Index| at.index(length + 1);
        let range = |at: &Index, size: usize| place(at)..(place(at) + size).min(length);
        match mutation {
            Mutation::Set(at, byte) => {
                let at = place(at);
                bytes.splice(at..(at + 1).min(length), [*byte]);
            }
            Mutation::Insert(at, new) => {
                bytes.splice(place(at)..place(at), new.iter().copied());
            }
            Mutation::Remove(at, size) => {
                bytes.drain(range(at, *size));
            }
            Mutation::Repeat(at, size) => {
                let part = bytes[range(at, *size)].to_vec();
                bytes.splice(place(at)..place(at), part);
            }
            Mutation::Truncate(at) => bytes.truncate(place(at)),
        }
    }
    bytes
}

/// Larger entries of the corpus are tried as they are.
const MUTATED: usize = 4096;

/// Each entry of the corpus, then as many mutations as `PROPTEST_CASES` says.
fn fuzz(mut corpus: Vec<Vec<u8>>, check: impl Fn(Vec<u8>)) {
    for bytes in &corpus {
        check(bytes.clone());
    }
    corpus.retain(|bytes| bytes.len() <= MUTATED);
    let input = (proptest::sample::select(corpus), mutations());
    let mut runner = TestRunner::default();
    let run = runner.run(&input, |(bytes, mutations)| {
        check(mutated(bytes, &mutations));
        Ok(())
    });
    run.unwrap();
}

#[test]
fn fuzz_the_configuration_file() {
    fuzz(corpus("config"), |bytes| {
        if let Ok(config) = Config::parse(&bytes) {
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
    let _ = cloud.list(&Listing::of(rule).unwrap()).await;
    let _ = cloud.resources(&Selection::of(rule.tags.as_ref().unwrap())).await;
    for api in [Api::Data, Api::Statistics] {
        let (drafts, calls) = calls_for(rule, api, 3);
        let job = Job { call: &calls[0], rules: &rules, drafts: &drafts };
        match api {
            Api::Data => drop(cloud.data(job).await),
            Api::Statistics => drop(cloud.statistics(job).await),
        }
    }
}

#[test]
fn fuzz_answers_of_aws() {
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
    let mut answers = recorder.answers();
    assert!(answers.len() >= 5, "{}", answers.len());
    answers.extend(corpus("cbor"));
    fuzz(answers, |bytes| {
        let bytes: Arc<[u8]> = bytes.into();
        runtime.block_on(async {
            for status in [200, 400, 500] {
                call_all(&answering(status, Arc::clone(&bytes)).await).await;
            }
        });
    });
}
