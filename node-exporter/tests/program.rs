//! The real binary: command line, responses and shutdown.

#![allow(clippy::unwrap_used, reason = "tests fail by a panic")]

use std::process::{Command, Output};

use exporter_core::testing::{Exporter, MAX_WAIT};

const BINARY: &str = env!("CARGO_BIN_EXE_node-exporter");

fn started(flags: &[&str]) -> (Exporter, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Exporter::start(BINARY, flags, dir.path()), dir)
}

#[expect(clippy::disallowed_methods, reason = "a test runs the program that it tests")]
fn run(flags: &[&str]) -> Output {
    Command::new(BINARY).args(flags).output().unwrap()
}

#[test]
fn a_scrape_shows_the_machine_and_the_exporter() {
    let (exporter, _dir) = started(&[]);
    let answer = exporter.get("/metrics");
    assert_eq!(answer.status, 200, "{}", answer.head);
    for family in [
        "node_load1 ",
        "node_memory_MemTotal_bytes ",
        "node_scrape_collector_success{collector=\"loadavg\"} 1",
        "node_exporter_build_info{",
        "process_resident_memory_bytes ",
    ] {
        assert!(answer.body.contains(family), "{family} is missing from\n{}", answer.body);
    }
}

#[test]
fn a_scrape_may_select_collectors() {
    let (exporter, _dir) = started(&["--no-collector.meminfo"]);
    let only = exporter.get("/metrics?collect[]=loadavg").body;
    assert!(only.contains("node_load1 ") && !only.contains("collector=\"conntrack\""), "{only}");
    let except = exporter.get("/metrics?exclude%5B%5D=loadavg").body;
    assert!(!except.contains("node_load1 ") && except.contains("collector=\"diskstats\""));
    for (query, problem) in [
        ("collect[]=nope", "no collector named \"nope\""),
        ("collect[]=meminfo", "\"meminfo\" is switched off"),
        ("collect[]=loadavg&exclude[]=loadavg", "exclude"),
    ] {
        let answer = exporter.get(&format!("/metrics?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.contains(problem), "{query}: {}", answer.body);
    }
}

#[test]
fn textfiles_do_not_replace_series_of_the_exporter() {
    let dir = tempfile::tempdir().unwrap();
    let text = "node_time_seconds 1\n\
                node_memory_MemTotal_bytes 1\n\
                node_textfile_scrape_error 7\n\
                node_exporter_build_info{version=\"9\"} 1\n\
                node_scrape_collector_success{collector=\"time\"} 7\n\
                node_scrape_collector_success{collector=\"another\"} 1\n\
                exporter_config_last_reload_successful 7\n\
                exporter_dropped_series_total{reason=\"duplicate\"} -1\n\
                process_open_fds 0\n\
                up_to_now 1\n";
    std::fs::write(dir.path().join("a.prom"), text).unwrap();
    let flag = format!("--collector.textfile.directory={}", dir.path().display());
    let exporter = Exporter::start(BINARY, &[&flag], dir.path());
    let page = exporter.get("/metrics").body;
    for line in text.lines().filter(|line| !line.starts_with("up_to_now")) {
        let series = line.split(' ').next().unwrap();
        assert!(!page.lines().any(|found| found == line), "{line}");
        let is_there = page.lines().any(|found| found.split(' ').next() == Some(series));
        let is_forged = series.contains("another") || series.contains("version=\"9\"");
        assert_eq!(is_there, !is_forged, "{series}");
    }
    assert!(page.contains("\nup_to_now 1\n"), "{page}");
    assert!(page.contains("\nexporter_dropped_series_total{reason=\"conflicting_family\"} "));
}

#[test]
fn metrics_are_selected_by_name_and_limited_in_number() {
    let (exporter, _dir) = started(&[
        "--collector.metrics-include=^node_(load|memory_Mem)",
        "--collector.metrics-exclude=load15$",
        "--collector.max-series=2",
    ]);
    let page = exporter.get("/metrics").body;
    let mut names: Vec<_> = page.lines().filter_map(|line| line.split([' ', '{']).next()).collect();
    names.retain(|name| name.starts_with("node_") && !name.starts_with("node_scrape_"));
    names.retain(|name| *name != "node_exporter_build_info");
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(names[..2], ["node_load1", "node_load5"]);
    assert!(names[2..].iter().all(|name| name.starts_with("node_memory_Mem")), "{names:?}");
    let dropped = "exporter_dropped_series_total{reason=\"max_series\",collector=\"meminfo\"} 1";
    assert!(page.contains(dropped), "{page}");
}

#[test]
fn interfaces_and_mount_points_are_selected_for_all_collectors() {
    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    // A family of each collector, a label value to exclude, and one to keep.
    const SERIES: [(&str, &str, &str); 8] = [
        ("node_arp_entries", "eth0", "ib0"),
        ("node_bonding_slaves", "bond0", "bond1"),
        ("node_filesystem_readonly", "/mnt/data", "/mnt/gone"),
        ("node_mountstats_nfs_mountpoint_info", "/srv/copy", "/srv/data"),
        ("node_network_receive_bytes_total", "eth0", "lo"),
        ("node_network_up", "eth0", "lo"),
        ("node_qdisc_bytes_total", "eth0", "lo"),
        ("node_wifi_interface_frequency_hertz", "wlp2s0", "ap0"),
    ];
    let page = |flags: &[&str]| {
        let recorded = [
            format!("--path.procfs={FIXTURES}/proc"),
            format!("--path.sysfs={FIXTURES}/sys"),
            format!("--collector.qdisc.fixtures={FIXTURES}/qdisc"),
            format!("--collector.wifi.fixtures={FIXTURES}/wifi"),
        ];
        let collectors = ["mountstats", "qdisc", "wifi"].map(|name| format!("--collector.{name}"));
        let without = ["arp", "netdev"].map(|name| format!("--no-collector.{name}.netlink"));
        let all = recorded.iter().chain(&collectors).chain(&without).map(String::as_str);
        let (exporter, _dir) = started(&all.chain(flags.iter().copied()).collect::<Vec<_>>());
        exporter.get("/metrics").body
    };
    let has = |page: &str, family: &str, value: &str| {
        let (start, label) = (format!("{family}{{"), format!("=\"{value}\""));
        page.lines().any(|line| line.starts_with(&start) && line.contains(&label))
    };
    let all = page(&[]);
    let excluded = page(&[
        "--collector.interfaces-exclude=^(eth0|bond0|wlp2s0)$",
        "--collector.mount-points-exclude=^/(mnt/data|srv/copy)$",
    ]);
    let included = page(&[
        "--collector.interfaces-include=^(ib0|bond1|lo|ap0)$",
        "--collector.mount-points-include=^/(mnt/gone|srv/data)$",
        // The flags of a collector are applied as well.
        "--collector.netdev.device-exclude=^lo$",
        "--collector.filesystem.mount-points-exclude=^/nothing$",
    ]);
    for (family, out, stays) in SERIES {
        assert!(has(&all, family, out) && has(&all, family, stays), "{family}: {all}");
        assert!(!has(&excluded, family, out), "{family}: {excluded}");
        assert!(has(&excluded, family, stays), "{family}: {excluded}");
        assert!(!has(&included, family, out), "{family}: {included}");
        let is_of_netdev = family == "node_network_receive_bytes_total";
        assert_eq!(has(&included, family, stays), !is_of_netdev, "{family}: {included}");
    }
}

/// The command lines of the Ansible role of prometheus-community, Debian's package and
/// kube-prometheus, without the listen address.
#[test]
fn command_lines_of_deployments_start() {
    let dir = tempfile::tempdir().unwrap();
    let web = dir.path().join("web.yml");
    std::fs::write(&web, "").unwrap();
    let web = format!("--web.config.file={}", web.display());
    let textfile = format!("--collector.textfile.directory={}", dir.path().display());
    let lines: [&[&str]; 5] = [
        &[
            "--collector.systemd",
            "--collector.textfile",
            &textfile,
            &web,
            "--web.telemetry-path=/metrics",
        ],
        &[
            "--collector.systemd",
            "--collector.filesystem.ignored-mount-points=^/(sys|proc|dev)($|/)",
            "--collector.netdev.device-exclude=^lo$",
            "--no-collector.wifi",
            "--no-collector.zfs",
        ],
        &[
            "--collector.diskstats.ignored-devices=^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$",
            "--collector.filesystem.ignored-mount-points=^/(sys|proc|dev|run)($|/)",
            "--collector.netdev.device-exclude=^lo$",
            &textfile,
        ],
        &[
            "--collector.filesystem.mount-points-exclude=^/(dev|proc|run|sys|mnt|media|var/lib/docker/.+|\
             var/lib/containers/storage/.+)($|/)",
            r"--collector.systemd.unit-exclude=.+\.(automount|device|mount|scope|slice|target)",
            "--collector.systemd",
            &textfile,
        ],
        &[
            "--path.sysfs=/sys",
            "--path.rootfs=/",
            "--path.procfs=/proc",
            "--path.udev.data=/run/udev/data",
            "--no-collector.wifi",
            "--no-collector.btrfs",
            "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run/k3s/containerd/.+|\
             var/lib/docker/.+|var/lib/kubelet/pods/.+)($|/)",
            "--collector.netclass.ignored-devices=^(veth.*|[a-f0-9]{15})$",
            "--collector.netdev.device-exclude=^(veth.*|[a-f0-9]{15})$",
        ],
    ];
    for line in lines {
        let exporter = Exporter::start(BINARY, line, dir.path());
        let page = exporter.get("/metrics").body;
        assert!(page.contains("\nnode_load1 "), "{line:?}: {}", exporter.log());
    }
}

#[test]
fn invalid_arguments_end_with_status_2_and_one_line() {
    for (flags, problem) in [
        (&["--no-such-flag"][..], "--no-such-flag"),
        (&["--path.procfs=/does/not/exist"], "--path.procfs: /does/not/exist"),
        (&["--collector.max-series=few"], "--collector.max-series: expected a number"),
        (&["--collector.metrics-exclude=("], "--collector.metrics-exclude:"),
        (&["--log.level=loud"], "--log.level: expected debug"),
        (&["--web.config.file=/does/not/exist"], "/does/not/exist"),
        (&["--web.max-requests=many"], "--web.max-requests"),
        (&["--web.listen-address=256.0.0.1:x"], "256.0.0.1:x"),
        (&["--web.systemd-socket"], "no socket activation file descriptors found"),
    ] {
        let output = run(flags);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {error}");
        assert!(error.contains(problem), "{flags:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{flags:?}: {error}");
    }
}

#[test]
fn version_and_help_are_printed() {
    let version = String::from_utf8(run(&["--version"]).stdout).unwrap();
    assert!(version.starts_with("node-exporter "), "{version}");
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    assert!(help.contains("--collector.loadavg"), "{help}");
}

#[test]
fn a_check_runs_the_collectors_and_exits() {
    let output = run(&["--check", "--collector.disable-defaults", "--collector.loadavg"]);
    let report = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report.contains("collector loadavg"), "{report}");
}

#[test]
fn sigterm_ends_with_status_0() {
    let (mut exporter, _dir) = started(&[]);
    // Signals are handled once it responds.
    exporter.get("/-/healthy");
    exporter.signal("TERM");
    assert_eq!(exporter.wait(MAX_WAIT).code(), Some(0), "{}", exporter.log());
}
