//! `--demo`: a page and a plan without an AWS account, by the commands of the guides.

use std::path::Path;
use std::process::Command;

use exporter_core::testing::Exporter;

use super::fixture::{BINARY, samples, value};

/// The arguments of the commands with `--demo` in a page of the repository.
fn commands(page: &str) -> Vec<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read(root.join(page)).unwrap();
    let text = String::from_utf8(text).unwrap();
    let lines =
        text.lines().filter(|line| line.contains("cloudwatch-exporter") && line.contains("--demo"));
    let arguments = |line: &str| {
        let (_, rest) = line.split_once("cloudwatch-exporter ")?;
        let rest = rest.strip_prefix("-- ").unwrap_or(rest);
        let (command, _) = rest.split_once('#').unwrap_or((rest, ""));
        let words: Vec<_> = command.split_whitespace().map(str::to_owned).collect();
        words.first().is_some_and(|first| first == "--demo").then_some(words)
    };
    lines.filter_map(arguments).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Nothing that could lead to AWS, or to an account.
const NOTHING: [(&str, &str); 6] = [
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ("HTTP_PROXY", "http://127.0.0.1:1"),
    ("AWS_REGION", ""),
    ("AWS_ACCESS_KEY_ID", ""),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
];

#[test]
fn the_commands_of_the_guides_show_a_page_and_a_plan() {
    for guide in ["README.md", "docs/cloudwatch-exporter.md"] {
        let commands = commands(guide);
        assert_eq!(commands.len(), 2, "{guide}: {commands:?}");
        for command in commands {
            if command.iter().any(|word| word.starts_with("--plan")) {
                let output = Command::new(BINARY)
                    .args(&command)
                    .current_dir(root())
                    .envs(NOTHING)
                    .output()
                    .unwrap();
                let plan = String::from_utf8(output.stdout).unwrap();
                assert!(
                    output.status.success() && plan.contains("AWS/EC2 CPUUtilization"),
                    "{plan}"
                );
                continue;
            }
            let flags: Vec<_> = command.iter().map(String::as_str).collect();
            let dir = tempfile::tempdir().unwrap();
            let exporter = Exporter::start_with(BINARY, &flags, &NOTHING, dir.path());
            let page = exporter.get("/metrics").body;
            assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 0.0, "{page}");
            for family in [
                "aws_ec2_cpuutilization_average{",
                "aws_rds_cpuutilization_average{",
                "aws_ec2_info{",
                "aws_elb_healthy_host_count_average{",
            ] {
                assert!(!samples(&page, family).is_empty(), "{family} {page}");
            }
            assert!(exporter.log().contains("AWS is not called"), "{}", exporter.log());
        }
    }
}

/// A configuration of one's own has resources invented for it.
#[test]
fn a_configuration_can_be_tried() {
    let file = root().join("packaging/examples/cloudwatch-exporter/config.yml");
    let file = format!("--config.file={}", file.display());
    let dir = tempfile::tempdir().unwrap();
    let exporter = Exporter::start_with(BINARY, &["--demo", &file], &NOTHING, dir.path());
    let page = exporter.get("/metrics").body;
    for family in [
        "aws_ec2_cpuutilization_maximum{",
        "aws_applicationelb_target_response_time_p99{",
        "aws_s3_bucket_size_bytes_average{",
        "aws_resource_info{",
    ] {
        assert!(!samples(&page, family).is_empty(), "{family} {page}");
    }
}
