//! Pages as parsed by `promtool` and Python's `prometheus-client`.

use std::env;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::time::SystemTime;

use exporter_core::families::Families;
use exporter_core::format::{Escaping, Format};
use exporter_core::testing::skip;

use crate::page::{moment, page};

/// A program by the environment variable that says where it is, or from `PATH`.
#[expect(clippy::disallowed_methods, reason = "a test runs the programs it compares with")]
pub(crate) fn program(variable: &str, name: &str) -> Command {
    Command::new(env::var_os(variable).unwrap_or_else(|| name.into()))
}

/// The output of a program for `input`; `None` if it is not installed.
fn run(command: &mut Command, input: &[u8]) -> Option<Output> {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child: Child = pipes.spawn().ok()?;
    child.stdin.take().unwrap().write_all(input).unwrap();
    Some(child.wait_with_output().unwrap())
}

#[test]
fn promtool_accepts_the_text_formats() {
    for escaping in [Escaping::Underscores, Escaping::Dots, Escaping::Values] {
        let page = page(Families::new(Format::Text004, escaping), SystemTime::now());
        let mut promtool = program("PROMTOOL", "promtool");
        let Some(end) = run(promtool.args(["check", "metrics"]), &page) else {
            return skip("no promtool in $PROMTOOL or PATH");
        };
        let said = String::from_utf8_lossy(&end.stderr);
        // 3 is for style: names without suffixes, families without help.
        assert!(matches!(end.status.code(), Some(0 | 3)), "{said}");
        assert!(!said.contains("not unique"), "{said}");
    }
}

#[test]
fn python_parses_openmetrics() {
    const READ: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read
families = list(read(sys.stdin.buffer.read().decode('utf-8')))
print(len(families), sum(len(family.samples) for family in families))
";
    let found = run(program("PYTHON", "python3").args(["-c", "import prometheus_client"]), b"");
    if !found.is_some_and(|end| end.status.success()) {
        return skip("no python3 with prometheus_client in $PYTHON or PATH");
    }
    for (escaping, created, samples) in [
        (Escaping::AllowUtf8, false, 38),
        (Escaping::Underscores, false, 38),
        (Escaping::Values, true, 47),
    ] {
        let out = Families::new(Format::OpenMetrics, escaping);
        let page = page(if created { out.with_created_lines() } else { out }, moment());
        let end = run(program("PYTHON", "python3").args(["-c", READ]), &page).unwrap();
        assert!(end.status.success(), "{}", String::from_utf8_lossy(&end.stderr));
        assert_eq!(String::from_utf8_lossy(&end.stdout).trim(), format!("15 {samples}"));
    }
}
