//! Identities: access keys, profiles, roles, web identities and the instance role.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use fake_cloudwatch::{Fake, Metric, Model, Operation, Request};

use super::fixture::{BINARY, Fixture, environment, rule};

fn model() -> Model {
    Model::new().metric(Metric::new("One", "Good"))
}

fn config(more: &str) -> String {
    format!("{more}metrics:\n{}", rule("One", "Good", ""))
}

/// `--check` of a file in this directory.
fn check(dir: &Path, more: &str) -> Command {
    let file = dir.join("config.yml");
    fs::write(&file, config(more)).unwrap();
    let mut command = Command::new(BINARY);
    command.args(["--check", &format!("--config.file={}", file.display())]);
    command
}

/// The access key of the requests to CloudWatch.
fn key(fixture: &Fixture) -> String {
    assert_eq!(fixture.samples("one_good_").len(), 5, "{}", fixture.exporter.log());
    let calls = fixture.fake.calls();
    let is_data = |operation| operation == Operation::GetMetricStatistics;
    let call = calls.iter().find(|call| is_data(call.request.operation())).unwrap();
    assert_eq!(call.region, "eu-west-1");
    call.access_key.clone()
}

#[test]
fn access_keys_from_the_environment() {
    assert_eq!(key(&Fixture::new(model(), &config(""))), "AKIATEST");
}

#[test]
fn the_region_of_the_file_precedes_the_environment() {
    let fixture = Fixture::new(model(), &config("region: ap-southeast-2\n"));
    assert_eq!(fixture.samples("one_good_").len(), 5, "{}", fixture.exporter.log());
    assert_eq!(fixture.fake.calls()[0].region, "ap-southeast-2");
}

#[test]
fn a_configured_region_is_not_requested_from_the_metadata_service() {
    let fake = Fake::start(model()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let output = check(dir.path(), "region: ap-southeast-2\n")
        .envs(environment(&fake.url()))
        .env_remove("AWS_REGION")
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !log.contains("IMDS"), "{log}");
}

#[test]
fn a_missing_region_is_reported() {
    let fixture = Fixture::with(model(), &config(""), &[], &[("AWS_REGION", "")]);
    assert!(fixture.samples("one_good_").is_empty());
    assert!(fixture.exporter.log().contains("no region is configured; set"));
}

#[test]
fn a_role_from_the_file() {
    let role = "role_arn: arn:aws:iam::123456789012:role/monitoring\n";
    let fixture = Fixture::new(model(), &config(role));
    assert_eq!(key(&fixture), "ASIAmonitoring");
    let requests = fixture.requests(Operation::AssumeRole);
    let Request::AssumeRole(request) = &*requests[0] else { panic!("{requests:?}") };
    assert_eq!(request.session_name, "cloudwatch_exporter");
    assert_eq!(request.role_arn, "arn:aws:iam::123456789012:role/monitoring");
}

#[test]
fn a_denied_role_is_logged_without_secrets() {
    let role = "role_arn: arn:aws:iam::123456789012:role/forbidden\n";
    let fixture = Fixture::new(model(), &config(role));
    let denied = fake_cloudwatch::Fault::error(403, "AccessDenied", "Not this role.");
    fixture.fake.inject(denied.on(Operation::AssumeRole));
    assert!(fixture.samples("one_good_").is_empty());
    let log = fixture.exporter.log();
    assert!(log.contains("Not this role."), "{log}");
    assert!(!log.contains("a secret of tests"), "{log}");
}

const NO_KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];

#[test]
fn missing_credentials_are_reported() {
    let fixture = Fixture::with(model(), &config(""), &[], &NO_KEYS);
    assert!(fixture.samples("one_good_").is_empty());
    let log = fixture.exporter.log();
    assert!(log.contains("no credentials found; set AWS_ACCESS_KEY_ID"), "{log}");
}

/// Nothing was requested, so nothing can be said about the rules.
#[test]
fn check_reports_missing_credentials() {
    let fake = Fake::start(model()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let output =
        check(dir.path(), "").envs(environment(&fake.url())).envs(NO_KEYS).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success(), "{lines}");
    let credentials = lines.lines().find(|line| line.starts_with("FAILED  credentials")).unwrap();
    assert!(credentials.contains("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"), "{lines}");
    assert!(!lines.contains("none with data") && !lines.contains("One Good"), "{lines}");
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
    let fixture = Fixture::with(model(), &config(""), &[], &variables);
    assert_eq!(key(&fixture), "ASIAworker");
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
    let fixture = Fixture::with(model(), &config(""), &[], &[&NO_KEYS[..], &of_pod].concat());
    assert_eq!(key(&fixture), "ASIApod");
}

#[test]
fn the_instance_role() {
    // Another fake is the metadata service.
    let machine = Fake::start(Model::new()).unwrap();
    let url = machine.url();
    let of_machine = [
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str()),
    ];
    let fixture = Fixture::with(model(), &config(""), &[], &[&NO_KEYS[..], &of_machine].concat());
    assert_eq!(key(&fixture), "ASIAinstance");
}

/// The endpoints of partitions, FIPS and dual stack, as a proxy receives them.
#[test]
fn endpoints_follow_region_and_configuration() {
    for (more, endpoint) in [
        ("region: eu-west-1\n", "monitoring.eu-west-1.amazonaws.com"),
        ("region: cn-north-1\n", "monitoring.cn-north-1.amazonaws.com.cn"),
        ("region: us-gov-west-1\n", "monitoring.us-gov-west-1.amazonaws.com"),
        ("region: us-east-1\nfips_endpoints: true\n", "monitoring-fips.us-east-1.amazonaws.com"),
        ("region: eu-west-1\ndual_stack_endpoints: true\n", "monitoring.eu-west-1.api.aws"),
    ] {
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        proxy.set_nonblocking(true).unwrap();
        let url = format!("http://{}", proxy.local_addr().unwrap());
        let dir = tempfile::tempdir().unwrap();
        let mut child = check(dir.path(), more)
            .envs(environment(""))
            .env_remove("AWS_ENDPOINT_URL")
            .envs([("HTTPS_PROXY", url.as_str()), ("NO_PROXY", "")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut request_line = String::new();
        super::refresh::wait_for("the proxy is asked", || {
            let Ok((stream, _)) = proxy.accept() else { return false };
            stream.set_nonblocking(false).unwrap();
            BufReader::new(stream).read_line(&mut request_line).is_ok()
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            request_line.starts_with(&format!("CONNECT {endpoint}:443 ")),
            "{more}: {request_line}"
        );
    }
}

/// The SDK would read all of it into memory.
#[test]
fn a_profile_file_that_is_too_large_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("credentials");
    fs::File::create(&file).unwrap().set_len(64 << 30).unwrap();
    let file = file.to_str().unwrap();
    let variables = [NO_KEYS[0], NO_KEYS[1], ("AWS_SHARED_CREDENTIALS_FILE", file)];
    let fixture = Fixture::with(model(), &config(""), &[], &variables);
    assert!(fixture.samples("one_good_").is_empty());
    let log = fixture.exporter.log();
    assert!(log.contains(&format!("{file}: it is larger than 1 MiB")), "{log}");
    assert!(fixture.memory() < 150.0);
}

/// The SDK would read all of it into memory, on the thread that serves requests.
#[test]
fn a_token_file_that_is_too_large_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (token, profile) = (dir.path().join("token"), dir.path().join("config"));
    fs::File::create(&token).unwrap().set_len(1 << 30).unwrap();
    let token = token.to_str().unwrap();
    fs::write(
        &profile,
        format!(
            "[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = pod\n\
             [profile pod]\nrole_arn = arn:aws:iam::1:role/pod\nweb_identity_token_file = {token}\n"
        ),
    )
    .unwrap();
    let role = ("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod");
    let agent = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1");
    for variables in [
        [("AWS_WEB_IDENTITY_TOKEN_FILE", token), role],
        [("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token), agent],
        [("AWS_CONFIG_FILE", profile.to_str().unwrap()), role],
    ] {
        let fixture =
            Fixture::with(model(), &config(""), &[], &[&NO_KEYS[..], &variables].concat());
        assert!(fixture.samples("one_good_").is_empty());
        let log = fixture.exporter.log();
        let problem =
            format!("the token file cannot be read from {token}: it is larger than 1 MiB");
        assert!(log.contains(&problem), "{log}");
        assert!(fixture.memory() < 150.0, "{variables:?}: {} MiB", fixture.memory());
    }
}

#[test]
fn root_certificates_that_are_too_large_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let roots = dir.path().join("roots.pem");
    fs::File::create(&roots).unwrap().set_len(1 << 30).unwrap();
    let roots = roots.to_str().unwrap();
    let variables = [("SSL_CERT_FILE", roots), ("AWS_ENDPOINT_URL", "https://127.0.0.1:1")];
    let fixture = Fixture::with(model(), &config(""), &[], &variables);
    assert!(fixture.samples("one_good_").is_empty());
    let log = fixture.exporter.log();
    assert!(
        log.contains(&format!("{roots}: it is larger than 32 MiB; check SSL_CERT_FILE")),
        "{log}"
    );
    assert!(fixture.memory() < 150.0);
}

#[test]
fn a_profile_with_sso_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config");
    fs::write(&file, "[profile dev]\nsso_session = main\nsso_account_id = 1\n").unwrap();
    let file = file.to_str().unwrap();
    let variables = [NO_KEYS[0], NO_KEYS[1], ("AWS_CONFIG_FILE", file), ("AWS_PROFILE", "dev")];
    let fixture = Fixture::with(model(), &config(""), &[], &variables);
    assert!(fixture.samples("one_good_").is_empty());
    let log = fixture.exporter.log();
    assert!(
        log.contains("the AWS profile dev uses SSO") && log.contains("credential_process"),
        "{log}"
    );
}
