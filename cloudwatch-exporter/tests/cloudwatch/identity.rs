//! Who asks: keys, profiles, roles, web identities and the machine's own role.

use std::fs;

use fake_cloudwatch::{Fake, Metric, Model, Operation, Request};

use super::scene::{Scene, rule};

fn model() -> Model {
    Model::new().metric(Metric::new("One", "Good"))
}

fn config(more: &str) -> String {
    format!("{more}metrics:\n{}", rule("One", "Good", ""))
}

/// The access key that CloudWatch was asked with.
fn key(scene: &Scene) -> String {
    assert_eq!(scene.samples("one_good_").len(), 5, "{}", scene.exporter.log());
    let calls = scene.fake.calls();
    let is_data = |operation| operation == Operation::GetMetricStatistics;
    let call = calls.iter().find(|call| is_data(call.request.operation())).unwrap();
    assert_eq!(call.region, "eu-west-1");
    call.access_key.clone()
}

#[test]
fn keys_of_the_environment() {
    assert_eq!(key(&Scene::new(model(), &config(""))), "AKIATEST");
}

#[test]
fn the_region_of_the_file_comes_before_that_of_the_environment() {
    let scene = Scene::new(model(), &config("region: ap-southeast-2\n"));
    assert_eq!(scene.samples("one_good_").len(), 5, "{}", scene.exporter.log());
    assert_eq!(scene.fake.calls()[0].region, "ap-southeast-2");
}

#[test]
fn without_a_region_it_says_so() {
    let scene = Scene::with(model(), &config(""), &[], &[("AWS_REGION", "")]);
    assert!(scene.samples("one_good_").is_empty());
    assert!(scene.exporter.log().contains("no region is configured; set"));
}

#[test]
fn the_role_of_the_file() {
    let role = "role_arn: arn:aws:iam::123456789012:role/monitoring\n";
    let scene = Scene::new(model(), &config(role));
    assert_eq!(key(&scene), "ASIAmonitoring");
    let requests = scene.requests(Operation::AssumeRole);
    let Request::AssumeRole(asked) = &*requests[0] else { panic!("{requests:?}") };
    assert_eq!(asked.session_name, "cloudwatch_exporter");
    assert_eq!(asked.role_arn, "arn:aws:iam::123456789012:role/monitoring");
}

#[test]
fn a_role_that_is_refused_is_named_in_the_log_without_secrets() {
    let role = "role_arn: arn:aws:iam::123456789012:role/forbidden\n";
    let scene = Scene::new(model(), &config(role));
    let denied = fake_cloudwatch::Fault::error(403, "AccessDenied", "Not this role.");
    scene.fake.inject(denied.on(Operation::AssumeRole));
    assert!(scene.samples("one_good_").is_empty());
    let log = scene.exporter.log();
    assert!(log.contains("Not this role."), "{log}");
    assert!(!log.contains("a secret of tests"), "{log}");
}

const NO_KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];

#[test]
fn without_credentials_it_says_so() {
    let scene = Scene::with(model(), &config(""), &[], &NO_KEYS);
    assert!(scene.samples("one_good_").is_empty());
    let log = scene.exporter.log();
    assert!(log.contains("there are no credentials: no keys in the environment"), "{log}");
}

#[test]
fn a_profile_with_a_role() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("aws");
    let profile = "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = x\n\
                   [profile work]\nrole_arn = arn:aws:iam::1:role/worker\nsource_profile = base\n";
    fs::write(&file, profile).unwrap();
    let file = file.to_str().unwrap();
    let variables = [&NO_KEYS[..], &[("AWS_CONFIG_FILE", file), ("AWS_PROFILE", "work")]].concat();
    let scene = Scene::with(model(), &config(""), &[], &variables);
    assert_eq!(key(&scene), "ASIAworker");
}

#[test]
fn a_web_identity() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    fs::write(&token, "header.payload.signature").unwrap();
    let of_pod = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"),
    ];
    let scene = Scene::with(model(), &config(""), &[], &[&NO_KEYS[..], &of_pod].concat());
    assert_eq!(key(&scene), "ASIApod");
}

#[test]
fn the_role_of_the_machine() {
    // Another fake is its metadata service; its answers are the same.
    let machine = Fake::start(Model::new()).unwrap();
    let url = machine.url();
    let of_machine = [
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str()),
    ];
    let scene = Scene::with(model(), &config(""), &[], &[&NO_KEYS[..], &of_machine].concat());
    assert_eq!(key(&scene), "ASIAinstance");
}
