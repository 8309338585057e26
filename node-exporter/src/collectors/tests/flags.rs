//! The flags of collectors that `node_exporter` 1.12 takes on Linux, hidden and deprecated ones as
//! well, and their defaults. What it calls a number or a duration is a text here.

use exporter_core::flags::Value::{self, List, Switch, Text};

use super::*;

#[rustfmt::skip] // a line each
static FLAGS: [(&str, Value); 80] = [
    ("collector.arp.device-exclude", Text("")),
    ("collector.arp.device-include", Text("")),
    ("collector.arp.netlink", Switch(true)),
    ("collector.cpu.guest", Switch(true)),
    ("collector.cpu.info", Switch(false)),
    ("collector.cpu.info.bugs-include", Text("")),
    ("collector.cpu.info.flags-include", Text("")),
    ("collector.diskstats.device-exclude", Text(r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$")),
    ("collector.diskstats.device-include", Text("")),
    ("collector.diskstats.ignored-devices", Text("")),
    ("collector.ethtool.device-exclude", Text("")),
    ("collector.ethtool.device-include", Text("")),
    ("collector.ethtool.metrics-include", Text(".*")),
    ("collector.filesystem.fs-types-include", Text("")),
    ("collector.filesystem.ignored-fs-types", Text("")),
    ("collector.filesystem.ignored-mount-points", Text("")),
    ("collector.filesystem.mount-points-include", Text("")),
    ("collector.filesystem.mount-timeout", Text("5s")),
    ("collector.filesystem.stat-workers", Text("4")),
    ("collector.hwmon.chip-exclude", Text("")),
    ("collector.hwmon.chip-include", Text("")),
    ("collector.hwmon.sensor-exclude", Text("")),
    ("collector.hwmon.sensor-include", Text("")),
    ("collector.interrupts.include-zeros", Switch(true)),
    ("collector.interrupts.name-exclude", Text("")),
    ("collector.interrupts.name-include", Text("")),
    ("collector.netclass.ignore-invalid-speed", Switch(false)),
    ("collector.netclass.ignored-devices", Text("^$")),
    ("collector.netclass.netlink", Switch(false)),
    ("collector.netclass_rtnl.with-stats", Switch(false)),
    ("collector.netdev.address-info", Switch(false)),
    ("collector.netdev.device-blacklist", Text("")),
    ("collector.netdev.device-exclude", Text("")),
    ("collector.netdev.device-include", Text("")),
    ("collector.netdev.device-whitelist", Text("")),
    ("collector.netdev.enable-detailed-metrics", Switch(false)),
    ("collector.netdev.label-ifalias", Switch(false)),
    ("collector.netdev.netlink", Switch(true)),
    ("collector.ntp.ip-ttl", Text("1")),
    ("collector.ntp.local-offset-tolerance", Text("1ms")),
    ("collector.ntp.max-distance", Text("3.46608s")),
    ("collector.ntp.protocol-version", Text("4")),
    ("collector.ntp.server", Text("127.0.0.1")),
    ("collector.ntp.server-is-local", Switch(false)),
    ("collector.ntp.server-port", Text("123")),
    ("collector.pcidevice.idsfile", Text("")),
    ("collector.pcidevice.names", Switch(false)),
    ("collector.perf.cache-profilers", List(&[])),
    ("collector.perf.cpus", Text("")),
    ("collector.perf.disable-cache-profilers", Switch(false)),
    ("collector.perf.disable-hardware-profilers", Switch(false)),
    ("collector.perf.disable-software-profilers", Switch(false)),
    ("collector.perf.hardware-profilers", List(&[])),
    ("collector.perf.software-profilers", List(&[])),
    ("collector.perf.tracepoint", List(&[])),
    ("collector.qdisc.device-exclude", Text("")),
    ("collector.qdisc.device-include", Text("")),
    ("collector.qdisc.fixtures", Text("")),
    ("collector.qdisk.device-exclude", Text("")),
    ("collector.qdisk.device-include", Text("")),
    ("collector.rapl.enable-zone-label", Switch(false)),
    ("collector.runit.servicedir", Text("/etc/service")),
    ("collector.slabinfo.slabs-exclude", Text("")),
    ("collector.slabinfo.slabs-include", Text(".*")),
    ("collector.stat.softirq", Switch(false)),
    ("collector.supervisord.url", Text("http://localhost:9001/RPC2")),
    ("collector.sysctl.include", List(&[])),
    ("collector.sysctl.include-info", List(&[])),
    ("collector.systemd.enable-restarts-metrics", Switch(false)),
    ("collector.systemd.enable-start-time-metrics", Switch(false)),
    ("collector.systemd.enable-task-metrics", Switch(false)),
    ("collector.systemd.private", Switch(false)),
    ("collector.systemd.unit-blacklist", Text("")),
    ("collector.systemd.unit-exclude", Text(r".+\.(automount|device|mount|scope|slice)")),
    ("collector.systemd.unit-include", Text(".+")),
    ("collector.systemd.unit-whitelist", Text("")),
    ("collector.tapestats.ignored-devices", Text("^$")),
    ("collector.textfile.directory", List(&[])),
    ("collector.vmstat.fields", Text("^(oom_kill|pgpg|pswp|pg.*fault).*")),
    ("collector.wifi.fixtures", Text("")),
];

#[test]
fn flags_and_defaults_are_those_of_node_exporter() {
    for (name, default) in &FLAGS {
        let flag = ALL.iter().flat_map(|def| def.flags).find(|flag| flag.name == *name);
        let flag = flag.unwrap_or_else(|| panic!("no flag --{name}"));
        assert_eq!(format!("{:?}", flag.value), format!("{default:?}"), "--{name}");
    }
}
