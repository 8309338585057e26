//! Tests of all collectors with the same recorded machine.

mod changed;
mod documented;
mod flags;
mod hostile;
mod machine;

use std::path::PathBuf;

use exporter_core::flags::Flags;
use exporter_core::testing;

use super::*;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// Collectors that show this machine or the time: their output differs in every run.
const LIVE: [&str; 5] = ["ethtool", "textfile", "time", "timex", "uname"];

/// Collectors that need a service or a permission that may be missing: they have separate tests.
const ELSEWHERE: [&str; 7] =
    ["logind", "network_route", "ntp", "perf", "supervisord", "systemd", "tcpstat"];

/// Collectors that read the recorded machine.
fn recorded_there() -> impl Iterator<Item = &'static &'static Definition> {
    ALL.iter().filter(|def| !ELSEWHERE.contains(&def.name))
}

#[test]
fn names_are_sorted_and_unique() {
    let names: Vec<_> = ALL.iter().map(|def| def.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[test]
fn each_has_its_cost_documented() {
    for def in ALL {
        assert!(!def.cost.is_empty(), "{}", def.name);
    }
}

/// Run with `UPDATE=1` to rewrite the golden files.
#[test]
fn each_matches_its_golden_file() {
    for def in recorded_there().filter(|def| !LIVE.contains(&def.name)) {
        let (page, result) = testing::expose(def, &recorded(), &flags(def));
        result.unwrap_or_else(|error| panic!("{}: {error}", def.name));
        // A label may contain the path of a file, which begins with the path of the checkout.
        let page = page.replace(TESTS, "/tests");
        testing::golden(format!("{TESTS}/golden/{}.prom", def.name), &page);
    }
}

#[test]
fn each_exposes_its_declared_metrics() {
    for def in recorded_there() {
        let (mut page, _) = testing::expose(def, &recorded(), &flags(def));
        for given in further_flags(def) {
            page.push_str(&testing::expose(def, &recorded(), &given_to(def, given)).0);
        }
        for name in not_everywhere(def) {
            page.extend(["# TYPE ", name, " untyped\n"]);
        }
        testing::declared_is_exposed(def, &page);
    }
}

#[test]
fn the_reference_of_flags_is_current() {
    testing::manual(&crate::NATIVE, concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging"));
}

#[test]
fn the_reference_is_current() {
    let page = testing::reference("Metrics of the node exporter", ALL);
    testing::golden(format!("{TESTS}/../../docs/metrics/node.md"), &page);
}

/// The recorded machine.
fn recorded() -> Host {
    Host::for_tests(&PathBuf::from(TESTS).join("fixtures"))
}

/// Flags by name, with their values.
type Given = &'static [(&'static str, &'static str)];

/// The flags with which a collector reads the recorded machine and exposes all declared metrics.
fn flags(def: &Definition) -> Flags {
    given_to(
        def,
        match def.name {
            "arp" => &[("collector.arp.netlink", "false")],
            "bcache" => &[("collector.bcache.priorityStats", "true")],
            "cpu" => &[
                ("collector.cpu.info", "true"),
                ("collector.cpu.info.flags-include", "^(aes|avx.?)$"),
                ("collector.cpu.info.bugs-include", "^spectre"),
            ],
            "netdev" => {
                &[("collector.netdev.netlink", "false"), ("collector.netdev.label-ifalias", "true")]
            }
            "pcidevice" => &[
                ("collector.pcidevice.names", "true"),
                (
                    "collector.pcidevice.idsfile",
                    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/usr/share/misc/pci.ids"),
                ),
            ],
            "qdisc" => &[(
                "collector.qdisc.fixtures",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/qdisc"),
            )],
            "runit" => &[(
                "collector.runit.servicedir",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/etc/service"),
            )],
            "stat" => &[("collector.stat.softirq", "true")],
            "sysctl" => &[
                ("collector.sysctl.include", "fs.file-nr"),
                ("collector.sysctl.include", "fs.file-nr:total,current,max"),
                ("collector.sysctl.include", "kernel.threads-max"),
                ("collector.sysctl.include-info", "kernel.seccomp.actions_avail"),
            ],
            "textfile" => &[(
                "collector.textfile.directory",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/textfile"),
            )],
            "wifi" => &[(
                "collector.wifi.fixtures",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/wifi"),
            )],
            _ => &[],
        },
    )
}

/// Flags with which a collector exposes metrics that it does not expose with [`flags`].
fn further_flags(def: &Definition) -> &'static [Given] {
    match def.name {
        "cpu" => &[&[("collector.cpu.aggregate", "true")]],
        "interrupts" => &[&[("collector.interrupts.aggregate", "true")]],
        "netclass" => &[&[
            ("collector.netclass.netlink", "true"),
            ("collector.netclass_rtnl.with-stats", "true"),
        ]],
        "rapl" => &[&[("collector.rapl.enable-zone-label", "true")]],
        "netdev" => &[
            &[("collector.netdev.address-info", "true")],
            &[("collector.netdev.enable-detailed-metrics", "true")],
        ],
        _ => &[],
    }
}

/// Families that may be missing on this machine.
fn not_everywhere(def: &Definition) -> &'static [&'static str] {
    match def.name {
        "ethtool" => &[
            "node_ethtool_info",
            "node_ethtool_statistic",
            "node_network_supported_port_info",
            "node_network_supported_speed_bytes",
            "node_network_autonegotiate_supported",
            "node_network_pause_supported",
            "node_network_asymmetricpause_supported",
            "node_network_advertised_speed_bytes",
            "node_network_autonegotiate_advertised",
            "node_network_pause_advertised",
            "node_network_asymmetricpause_advertised",
            "node_network_autonegotiate",
        ],
        "btrfs" => &["node_btrfs_device_unused_bytes", "node_btrfs_device_errors_total"],
        "netclass" => &["node_network_altnames_info"],
        "netdev" => &["node_network_address_info"],
        _ => &[],
    }
}

fn given_to(def: &Definition, given: Given) -> Flags {
    Flags::new(given.iter().map(|(name, value)| {
        let flag = def.flags.iter().find(|flag| flag.name == *name);
        (*flag.unwrap_or_else(|| panic!("{} has no flag {name}", def.name)), *value)
    }))
}
