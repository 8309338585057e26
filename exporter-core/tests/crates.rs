//! The numbers of crates in docs/library.md and README.md, compared with those that cargo resolves.

#![expect(clippy::disallowed_methods, reason = "runs cargo, and reads the documentation")]
#![expect(clippy::unwrap_used, reason = "tests fail by a panic")]

use std::collections::BTreeSet;
use std::process::Command;
use std::{env, fs};

/// The crates of a package, including itself and procedural macros. `edges` are the kinds of
/// dependencies that are followed.
fn crates(edges: &str, arguments: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap());
    cargo.args(["tree", "--offline", "-e", edges, "--prefix", "none", "--no-dedupe"]);
    let output = cargo.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The crates of exporter-core with these features, and of further packages.
fn count(features: &[&str], packages: &[&str]) -> usize {
    let mut found = crates("normal", &[&["-p", "exporter-core"], features].concat());
    for package in packages {
        // Examples get them from the development dependencies.
        found.extend(crates("normal,dev", &["-p", package]));
    }
    found.len()
}

/// The number in the row of a table that begins with `head`, in the column `Crates`.
fn documented(page: &str, head: &str) -> Option<usize> {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let mut column = None;
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let cells = cells(line);
        if let Some(found) = cells.iter().position(|cell| cell == "Crates") {
            column = Some(found);
        } else if line.contains(head) {
            return cells.get(column?)?.parse().ok();
        }
    }
    None
}

#[test]
fn the_numbers_of_crates_are_documented() {
    let read =
        |path: &str| fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (guide, readme) = (read("../docs/library.md"), read("README.md"));
    let small = |feature: &'static str| vec!["--no-default-features", "--features", feature];
    let default = count(&[], &[]);
    for (in_guide, in_readme, count) in [
        ("instruments, and metrics pages", "| none |", count(&["--no-default-features"], &[])),
        ("[\"process\"]", "| `process` |", count(&small("process"), &[])),
        ("[\"metrics\"]", "| `metrics` |", count(&small("metrics"), &[])),
        ("[\"tower\"]", "| `tower` |", count(&small("tower"), &[])),
        ("[\"push\"]", "| `push` |", count(&small("push"), &[])),
        ("a registry, a server", "| `serve` (default) |", default),
        ("| `testing`", "| `testing` |", count(&["--features", "testing"], &[])),
    ] {
        assert_eq!(documented(&guide, in_guide), Some(count), "docs/library.md: {in_guide}");
        assert_eq!(documented(&readme, in_readme), Some(count), "README.md: {in_readme}");
    }
    for (example, count) in [
        ("basic", default),
        ("web_app", count(&[], &["http-body-util"])),
        ("axum_app", count(&["--features", "tower"], &["axum"])),
        ("workers", default),
        ("operator", default),
        ("batch", count(&small("push"), &[])),
        ("exporter", default),
        ("consul", count(&[], &["serde_json", "ureq"])),
    ] {
        let head = format!("[`{example}.rs`]");
        assert_eq!(documented(&guide, &head), Some(count), "docs/library.md: {example}");
    }
}
