//! Time spent by each CPU in each mode, and CPU models: `/proc/stat`, `/proc/cpuinfo` and
//! `/sys/devices/system/cpu`.

mod devices;
mod info;
mod times;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use self::devices::Devices;
use self::info::Info;
use self::times::{Cpu, GUEST_MODES, MODES, Times, Total};
use super::Definition;
use crate::host::{Host, if_exists};
use crate::proc::cpus::{CpuSet, DIRECTORY};

pub(super) static DEFINITION: Definition =
    Definition::new("cpu", "CPU time by mode, throttling, and CPU models", |host, flags| {
        Ok(Source::blocking(Cpus {
            host: host.clone(),
            with_guest: flags.is_on(&GUEST),
            total: flags.is_on(&AGGREGATE).then(Total::default),
            info: Info::from_flags(flags)?,
            times: Times::default(),
            devices: None,
            isolated: None,
        }))
    })
    .cost("one file with a line per CPU, and up to three small files per core")
    .reads(&[
        "/proc/stat",
        "/proc/cpuinfo",
        "/sys/devices/system/cpu/isolated",
        "/sys/devices/system/cpu/online",
        "/sys/devices/system/cpu/cpu*/online",
        "/sys/devices/system/cpu/cpu*/thermal_throttle/*",
        "/sys/devices/system/cpu/cpu*/topology/*",
    ])
    .flags(&[&GUEST, &AGGREGATE, &info::INFO, &info::FLAGS_INCLUDE, &info::BUGS_INCLUDE])
    .metrics(&[
        &SECONDS,
        &GUEST_SECONDS,
        &SUM,
        &GUEST_SUM,
        &COUNT,
        &info::CPU,
        &info::FREQUENCY,
        &info::FLAG,
        &info::BUG,
        &devices::CORE_THROTTLES,
        &devices::PACKAGE_THROTTLES,
        &devices::ONLINE,
        &ISOLATED,
    ]);

static GUEST: Flag =
    Flag::switch("collector.cpu.guest", true, "Expose the time of guests (VMs) as well.");

static AGGREGATE: Flag = Flag::switch(
    "collector.cpu.aggregate",
    false,
    "Expose the sums over all CPUs, without the label cpu; no throttling of cores.",
);

static SECONDS: Desc<2> =
    Desc::counter("node_cpu_seconds_total", "Time the CPU spent in each mode.", ["cpu", "mode"]);
static GUEST_SECONDS: Desc<2> = Desc::counter(
    "node_cpu_guest_seconds_total",
    "Time the CPU spent in guests (VMs); part of user and nice.",
    ["cpu", "mode"],
);
static SUM: Desc<1> = Desc::counter(
    "node_cpu_seconds_total",
    "Time all CPUs together spent in each mode: with --collector.cpu.aggregate.",
    ["mode"],
);
static GUEST_SUM: Desc<1> = Desc::counter(
    "node_cpu_guest_seconds_total",
    "Time all CPUs together spent in guests (VMs): with --collector.cpu.aggregate.",
    ["mode"],
);
static COUNT: Desc =
    Desc::gauge("node_cpus_online", "CPUs that are online: with --collector.cpu.aggregate.", []);
static ISOLATED: Desc<1> = Desc::gauge(
    "node_cpu_isolated",
    "CPUs isolated from the scheduler since boot; always 1.",
    ["cpu"],
);

struct Cpus {
    host: Host,
    with_guest: bool,
    /// Used instead of the times of each CPU.
    total: Option<Total>,
    info: Option<Info>,
    times: Times,
    /// Updated when CPUs are added or removed.
    devices: Option<Devices>,
    /// Fixed by the kernel's command line, so read once.
    isolated: Option<CpuSet>,
}

impl Collector for Cpus {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.host.proc_shared("cpu", "stat")?;
        let has_same_cpus = self.times.update(&file)?;
        match &mut self.total {
            None => self.expose_by_cpu(out),
            Some(total) => {
                expose_total(total.update(&file)?, self.with_guest, out);
                out.family(&COUNT).sample([], self.times.cpus().count() as f64);
            }
        }
        if let Some(info) = &mut self.info {
            info.collect(&self.host, out)?;
        }
        let devices = match self.devices.take() {
            Some(devices) if has_same_cpus => devices,
            _ => Devices::find(&self.host)?,
        };
        self.devices.insert(devices).collect(&self.host, self.total.is_some(), out)?;
        let isolated = match self.isolated.take() {
            Some(isolated) => isolated,
            None => isolated(&self.host)?,
        };
        let mut family = out.family(&ISOLATED);
        for cpu in self.isolated.insert(isolated).iter() {
            family.sample([&cpu.to_string()], 1.0);
        }
        Ok(())
    }
}

impl Cpus {
    fn expose_by_cpu(&self, out: &mut Families) {
        let mut family = out.family(&SECONDS);
        for Cpu { name, seconds, .. } in self.times.cpus() {
            for (mode, seconds) in MODES.iter().zip(seconds) {
                family.sample([name, mode], *seconds);
            }
        }
        if !self.with_guest {
            return;
        }
        let mut family = out.family(&GUEST_SECONDS);
        for Cpu { name, guest_seconds, .. } in self.times.cpus() {
            for (mode, seconds) in GUEST_MODES.iter().zip(guest_seconds) {
                family.sample([name, mode], *seconds);
            }
        }
    }
}

fn expose_total(total: &Cpu, with_guest: bool, out: &mut Families) {
    let mut family = out.family(&SUM);
    for (mode, seconds) in MODES.iter().zip(total.seconds) {
        family.sample([mode], seconds);
    }
    if !with_guest {
        return;
    }
    let mut family = out.family(&GUEST_SUM);
    for (mode, seconds) in GUEST_MODES.iter().zip(total.guest_seconds) {
        family.sample([mode], seconds);
    }
}

fn isolated(host: &Host) -> Result<CpuSet, Error> {
    let file = if_exists(host.sys(format!("{DIRECTORY}/isolated")))?;
    file.as_ref().map_or_else(|| Ok(CpuSet::default()), CpuSet::parse)
}
