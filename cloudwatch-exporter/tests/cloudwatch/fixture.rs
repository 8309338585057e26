//! A fake CloudWatch with an exporter that uses it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use exporter_core::testing::Exporter;
use fake_cloudwatch::{Fake, Metric, Model, Operation, Request};
use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_cloudwatch-exporter");

pub(crate) struct Fixture {
    pub(crate) fake: Fake,
    pub(crate) exporter: Exporter,
    dir: TempDir,
}

impl Fixture {
    /// An exporter with this configuration file.
    pub(crate) fn new(model: Model, config: &str) -> Self {
        Self::with(model, config, &[], &[])
    }

    pub(crate) fn with(
        model: Model,
        config: &str,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let fake = Fake::start(model).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.yml");
        fs::write(&file, config).unwrap();
        let url = fake.url();
        let mut environment = environment(&url);
        environment.extend_from_slice(variables);
        let file = format!("--config.file={}", file.display());
        let flags: Vec<_> = [file.as_str()].into_iter().chain(flags.iter().copied()).collect();
        let exporter = Exporter::start_with(BINARY, &flags, &environment, dir.path());
        Self { fake, exporter, dir }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("config.yml")
    }

    pub(crate) fn page(&self) -> String {
        let response = self.exporter.get("/metrics");
        assert_eq!(response.status, 200, "{}", response.body);
        response.body
    }

    /// The samples of a new page with this prefix.
    pub(crate) fn samples(&self, prefix: &str) -> Vec<String> {
        samples(&self.page(), prefix)
    }

    /// The requests of one operation.
    pub(crate) fn requests(&self, operation: Operation) -> Vec<Arc<Request>> {
        let calls = self.fake.calls().into_iter().map(|call| call.request);
        calls.filter(|request| request.operation() == operation).collect()
    }

    /// The peak memory of the exporter, in MiB.
    pub(crate) fn memory(&self) -> f64 {
        cpu_and_peak_memory(self.exporter.pid()).1
    }

    pub(crate) fn received(&self, operation: Operation) -> u64 {
        self.fake.counters().of(operation).received
    }
}

/// Environment variables that direct all requests to the fake.
pub(crate) fn environment(url: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("AWS_ENDPOINT_URL", url),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIATEST"),
        ("AWS_SECRET_ACCESS_KEY", "a secret of tests"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("NO_PROXY", "127.0.0.1"),
    ]
}

/// CPU seconds and peak memory in MiB of a process.
pub(crate) fn cpu_and_peak_memory(pid: u32) -> (f64, f64) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after = stat.rsplit_once(") ").unwrap().1;
    let ticks: Vec<f64> =
        after.split(' ').skip(11).take(2).map(|field| field.parse().unwrap()).collect();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    ((ticks[0] + ticks[1]) / 100.0, kib / 1024.0)
}

/// Runs the binary until it exits.
pub(crate) fn run(arguments: &[&str], url: &str) -> Output {
    Command::new(BINARY).args(arguments).envs(environment(url)).output().unwrap()
}

/// The samples of a page with this prefix.
pub(crate) fn samples(page: &str, prefix: &str) -> Vec<String> {
    page.lines().filter(|line| line.starts_with(prefix)).map(str::to_owned).collect()
}

/// The value of the only sample with this prefix.
pub(crate) fn value(page: &str, prefix: &str) -> f64 {
    let samples = samples(page, prefix);
    let [sample] = samples.as_slice() else { panic!("{prefix}: {samples:?}") };
    sample.rsplit(' ').next().unwrap().parse().unwrap()
}

/// A metric of a classic load balancer in a zone.
pub(crate) fn elb(name: &str, zone: &str, balancer: &str) -> Metric {
    Metric::new("AWS/ELB", name)
        .dimension("AvailabilityZone", zone)
        .dimension("LoadBalancerName", balancer)
}

/// An entry of `metrics` with additional keys.
pub(crate) fn rule(namespace: &str, name: &str, more: &str) -> String {
    format!("- aws_namespace: {namespace}\n  aws_metric_name: {name}\n{more}")
}
