//! How each CPU spends its time, and what it is: `/proc/stat`, `/proc/cpuinfo` and
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
use self::times::{Cpu, GUEST_MODES, MODES, Times};
use super::Definition;
use crate::host::{Host, if_there};
use crate::proc::cpus::{CpuSet, DIRECTORY};

pub(super) static DEFINITION: Definition = Definition {
    name: "cpu",
    about: "CPU time by mode, throttling, and what the CPUs are",
    on_by_default: true,
    reads: &[
        "/proc/stat",
        "/proc/cpuinfo",
        "/sys/devices/system/cpu/isolated",
        "/sys/devices/system/cpu/online",
        "/sys/devices/system/cpu/cpu*/online",
        "/sys/devices/system/cpu/cpu*/thermal_throttle/*",
        "/sys/devices/system/cpu/cpu*/topology/*",
    ],
    flags: &[&GUEST, &info::INFO, &info::FLAGS_INCLUDE, &info::BUGS_INCLUDE],
    metrics: &[
        &SECONDS,
        &GUEST_SECONDS,
        &info::CPU,
        &info::FREQUENCY,
        &info::FLAG,
        &info::BUG,
        &devices::CORE_THROTTLES,
        &devices::PACKAGE_THROTTLES,
        &devices::ONLINE,
        &ISOLATED,
    ],
    build: |host, flags| {
        Ok(Source::blocking(Cpus {
            host: host.clone(),
            guest: flags.is_on(&GUEST),
            info: Info::wanted(flags)?,
            times: Times::default(),
            devices: None,
            isolated: None,
        }))
    },
};

static GUEST: Flag =
    Flag::switch("collector.cpu.guest", true, "Expose the time of guests (VMs) as well.");

static SECONDS: Desc<2> =
    Desc::counter("node_cpu_seconds_total", "Time the CPU spent in each mode.", ["cpu", "mode"]);
static GUEST_SECONDS: Desc<2> = Desc::counter(
    "node_cpu_guest_seconds_total",
    "Time the CPU spent in guests (VMs); part of user and nice.",
    ["cpu", "mode"],
);
static ISOLATED: Desc<1> =
    Desc::gauge("node_cpu_isolated", "CPUs kept from the scheduler since boot: always 1.", ["cpu"]);

struct Cpus {
    host: Host,
    guest: bool,
    info: Option<Info>,
    times: Times,
    /// Found anew when CPUs come and go.
    devices: Option<Devices>,
    /// Fixed by the kernel's command line, so read once.
    isolated: Option<CpuSet>,
}

impl Collector for Cpus {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let same_cpus = self.times.update(&self.host.proc("stat")?)?;
        let mut family = out.family(&SECONDS);
        for Cpu { name, seconds, .. } in self.times.cpus() {
            for (mode, seconds) in MODES.iter().zip(seconds) {
                family.sample([name, mode], *seconds);
            }
        }
        if self.guest {
            let mut family = out.family(&GUEST_SECONDS);
            for Cpu { name, guest_seconds, .. } in self.times.cpus() {
                for (mode, seconds) in GUEST_MODES.iter().zip(guest_seconds) {
                    family.sample([name, mode], *seconds);
                }
            }
        }
        if let Some(info) = &mut self.info {
            info.collect(&self.host, out)?;
        }
        let devices = match self.devices.take() {
            Some(devices) if same_cpus => devices,
            _ => Devices::find(&self.host)?,
        };
        self.devices.insert(devices).collect(&self.host, out)?;
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

fn isolated(host: &Host) -> Result<CpuSet, Error> {
    let file = if_there(host.sys(format!("{DIRECTORY}/isolated")))?;
    file.as_ref().map_or_else(|| Ok(CpuSet::default()), CpuSet::parse)
}
