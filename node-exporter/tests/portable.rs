//! Compares the portable collectors with those of Linux on the same machine.

#![allow(clippy::unwrap_used, reason = "tests fail by a panic")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::{Command, Output};

use exporter_core::testing::{Exporter, skip, until};

const BINARY: &str = env!("CARGO_BIN_EXE_node-exporter");

/// Values by series, as text.
type Page = BTreeMap<String, f64>;

fn scrape(exporter: &Exporter) -> Page {
    let answer = exporter.get("/metrics");
    assert_eq!(answer.status, 200, "{}", answer.head);
    let samples = answer.body.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            // An empty label is the same as none.
            (series.replace(",device_error=\"\"", ""), value.parse().unwrap())
        })
        .collect()
}

/// The series of a family.
fn family<'a>(page: &'a Page, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
    page.iter()
        .filter(move |(series, _)| series.split('{').next() == Some(name))
        .map(|(series, value)| (series.as_str(), *value))
}

/// The only series of a family.
fn only(page: &Page, name: &str) -> f64 {
    let found: Vec<_> = family(page, name).collect();
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found.first().unwrap().1
}

/// The portable values, measured between two readings of the native ones.
struct Reads {
    before: Page,
    portable: Page,
    after: Page,
}

impl Reads {
    /// The portable series of the family with their native values; series without one are not
    /// compared.
    fn common<'a>(&'a self, name: &'a str) -> Vec<(&'a str, [f64; 3])> {
        family(&self.portable, name)
            .filter_map(|(series, value)| {
                Some((series, [*self.before.get(series)?, value, *self.after.get(series)?]))
            })
            .collect()
    }

    /// The differences, if any. The caller repeats the comparison, because values may change
    /// between the readings.
    fn differences(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |what: &str, good: bool, values: &[f64]| {
            if !good {
                wrong.push(format!("{what}: {values:?}"));
            }
        };
        for (name, native) in [
            ("node_memory_total_bytes", "node_memory_MemTotal_bytes"),
            ("node_memory_swap_total_bytes", "node_memory_SwapTotal_bytes"),
            ("node_boot_time_seconds", "node_boot_time_seconds"),
            ("node_os_version", "node_os_version"),
        ] {
            let values = [only(&self.portable, name), only(&self.before, native)];
            check(name, values[0].to_bits() == values[1].to_bits(), &values);
        }
        let cpus = family(&self.before, "node_cpu_seconds_total")
            .filter(|(series, _)| series.contains("mode=\"idle\""))
            .count() as f64;
        let online = only(&self.portable, "node_cpus_online");
        check("CPUs", online.to_bits() == cpus.to_bits(), &[online, cpus]);

        let total = only(&self.portable, "node_memory_total_bytes");
        for (name, native) in [
            ("node_memory_free_bytes", "node_memory_MemFree_bytes"),
            ("node_memory_available_bytes", "node_memory_MemAvailable_bytes"),
        ] {
            let values = [only(&self.portable, name), only(&self.before, native)];
            check(name, (values[0] - values[1]).abs() < total * 0.05, &values);
        }
        for name in ["node_load1", "node_load5", "node_load15"] {
            let values =
                [only(&self.before, name), only(&self.portable, name), only(&self.after, name)];
            let is_between =
                values[1] >= values[0].min(values[2]) && values[1] <= values[0].max(values[2]);
            check(name, is_between, &values);
        }

        let sizes = self.common("node_filesystem_size_bytes");
        check("a size of /", sizes.iter().any(|(series, _)| series.contains(ROOT)), &[]);
        for (series, values) in sizes {
            check(series, values[0].to_bits() == values[1].to_bits(), &values);
            let available = series.replace("_size_", "_avail_");
            for (_, found) in self
                .common("node_filesystem_avail_bytes")
                .iter()
                .filter(|(series, _)| *series == available)
            {
                check(&available, (found[0] - found[1]).abs() < values[1] * 0.05, found);
            }
        }
        for name in COUNTERS {
            let found = self.common(name);
            let is_lo_there = found.iter().any(|(series, _)| series.contains("device=\"lo\""));
            check(name, is_lo_there || name.starts_with("node_disk"), &[]);
            for (series, values) in found {
                check(series, values.is_sorted(), &values);
            }
        }
        wrong
    }
}

const ROOT: &str = "mountpoint=\"/\"";

const COUNTERS: [&str; 8] = [
    "node_network_receive_bytes_total",
    "node_network_receive_packets_total",
    "node_network_receive_errs_total",
    "node_network_transmit_bytes_total",
    "node_network_transmit_packets_total",
    "node_network_transmit_errs_total",
    "node_disk_read_bytes_total",
    "node_disk_written_bytes_total",
];

#[test]
fn portable_values_equal_native_ones() {
    let dir = tempfile::tempdir().unwrap();
    // Containers have an overlay at /.
    let everything = [
        "--collector.filesystem.fs-types-exclude=^$",
        "--collector.filesystem.mount-points-exclude=^$",
        "--collector.diskstats.device-exclude=^$",
    ];
    let native = Exporter::start(BINARY, &everything, dir.path());
    let portable = ["--collectors=portable"].into_iter().chain(everything).collect::<Vec<_>>();
    let portable = Exporter::start(BINARY, &portable, dir.path());
    let wrong = RefCell::new(Vec::new());
    until(
        || {
            let reads = Reads {
                before: scrape(&native),
                portable: scrape(&portable),
                after: scrape(&native),
            };
            *wrong.borrow_mut() = reads.differences();
            wrong.borrow().is_empty()
        },
        || wrong.borrow().join("\n"),
    );
    let (native, portable) = (scrape(&native), scrape(&portable));
    if !portable.keys().any(|series| series.starts_with("node_disk_")) {
        skip("the counters of disks: no block device is mounted here");
    }
    for label in ["sysname", "release", "version", "machine"] {
        assert_eq!(
            label_of(&portable, "node_uname_info", label),
            label_of(&native, "node_uname_info", label)
        );
    }
    for label in ["id", "name", "version_id"] {
        assert_eq!(
            label_of(&portable, "node_os_info", label),
            label_of(&native, "node_os_info", label)
        );
    }
}

fn label_of<'a>(page: &'a Page, name: &'a str, label: &str) -> &'a str {
    let (series, _) = family(page, name).next().unwrap();
    let start = [format!("{{{label}=\""), format!(",{label}=\"")]
        .iter()
        .find_map(|start| Some(series.find(start)? + start.len()))
        .unwrap();
    series.get(start..).unwrap().split('"').next().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test runs the program that it tests")]
fn run(flags: &[&str]) -> Output {
    Command::new(BINARY).args(flags).output().unwrap()
}

#[test]
fn the_list_is_chosen_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("flags");
    std::fs::write(&file, "--collectors=portable\n").unwrap();
    let file = format!("@{}", file.display());
    for (flags, problem) in [
        (&["--collectors=other"][..], "--collectors: expected native or portable"),
        (&["--collectors", "portable", "--path.procfs=/proc"], "--path.procfs"),
        (&[&file], "--collectors: must be on the command line, not in a file"),
    ] {
        let output = run(flags);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {errors}");
        assert!(errors.contains(problem), "{flags:?}: {errors}");
    }
}
