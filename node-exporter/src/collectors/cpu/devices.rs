//! Thermal throttling of cores and packages, and online CPUs:
//! `/sys/devices/system/cpu/cpu*`.

use std::collections::BTreeSet;

use exporter_core::collector::Error;
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use crate::host::Host;
use crate::proc::cpus::{self, CpuSet, DIRECTORY};

pub(super) static CORE_THROTTLES: Desc<2> = Desc::counter(
    "node_cpu_core_throttles_total",
    "Times the core was slowed down because it was too hot.",
    ["package", "core"],
);
pub(super) static PACKAGE_THROTTLES: Desc<1> = Desc::counter(
    "node_cpu_package_throttles_total",
    "Times the package was slowed down because it was too hot.",
    ["package"],
);
pub(super) static ONLINE: Desc<1> = Desc::gauge(
    "node_cpu_online",
    "Whether the CPU is online; only for CPUs that can be offline.",
    ["cpu"],
);

const CORE_COUNT_FILE: &str = "thermal_throttle/core_throttle_count";
const PACKAGE_COUNT_FILE: &str = "thermal_throttle/package_throttle_count";

/// The files to read in each scrape. Finding them costs a dozen system calls per CPU, and the
/// result is the same until CPUs are added or removed.
#[derive(Debug, Default)]
pub(super) struct Devices {
    cores: Vec<ThrottleCounter<2>>,
    packages: Vec<ThrottleCounter<1>>,
    /// The CPUs whose online state is exposed.
    hotpluggable: Vec<String>,
}

/// A core or package, and its first CPU with a counter. All its CPUs have the same count.
#[derive(Debug)]
struct ThrottleCounter<const N: usize> {
    labels: [String; N],
    cpu: String,
}

impl Devices {
    pub(super) fn find(host: &Host) -> Result<Self, Error> {
        let mut devices = Self::default();
        let numbers = cpus::numbers(host)?;
        let (mut cores, mut packages) = (BTreeSet::new(), BTreeSet::new());
        for cpu in &numbers {
            let package = topology_id(host, cpu, "topology/physical_package_id")?;
            let core = topology_id(host, cpu, "topology/core_id")?;
            let Some((package, core)) = package.zip(core) else { continue };
            let core_key = (package, core);
            if !cores.contains(&core_key) && cpus::has_file(host, cpu, CORE_COUNT_FILE)? {
                cores.insert(core_key);
                let labels = [package.to_string(), core.to_string()];
                devices.cores.push(ThrottleCounter { labels, cpu: cpu.clone() });
            }
            if !packages.contains(&package) && cpus::has_file(host, cpu, PACKAGE_COUNT_FILE)? {
                packages.insert(package);
                let labels = [package.to_string()];
                devices.packages.push(ThrottleCounter { labels, cpu: cpu.clone() });
            }
        }
        // If the first CPU has no such file, none of the CPUs has a series.
        if let Some(first) = numbers.first()
            && cpus::has_file(host, first, "online")?
        {
            devices.hotpluggable = numbers;
        }
        Ok(devices)
    }

    /// Without values per core or CPU if `packages_only` is true.
    pub(super) fn collect(
        &self,
        host: &Host,
        packages_only: bool,
        out: &mut Families,
    ) -> Result<(), Error> {
        if packages_only {
            return expose_throttles(
                &PACKAGE_THROTTLES,
                &self.packages,
                PACKAGE_COUNT_FILE,
                host,
                out,
            );
        }
        expose_throttles(&CORE_THROTTLES, &self.cores, CORE_COUNT_FILE, host, out)?;
        expose_throttles(&PACKAGE_THROTTLES, &self.packages, PACKAGE_COUNT_FILE, host, out)?;
        if self.hotpluggable.is_empty() {
            return Ok(());
        }
        // One file for all CPUs has the same content as `online` of each.
        let online = CpuSet::parse(&host.sys_cached(format!("{DIRECTORY}/online"))?)?;
        let mut family = out.family(&ONLINE);
        for cpu in &self.hotpluggable {
            let is_online = cpu.parse().is_ok_and(|cpu| online.contains(cpu));
            family.sample([cpu], f64::from(is_online));
        }
        Ok(())
    }
}

/// An ID of the topology. `None` if the firmware does not provide it, which the kernel shows as -1.
fn topology_id(host: &Host, cpu: &str, file: &str) -> Result<Option<u32>, Error> {
    let Some(file) = cpus::file(host, cpu, file)? else { return Ok(None) };
    let id: i64 = file.number("a number of the topology")?;
    Ok(u32::try_from(id).ok())
}

fn expose_throttles<const N: usize>(
    desc: &Desc<N>,
    counters: &[ThrottleCounter<N>],
    file: &str,
    host: &Host,
    out: &mut Families,
) -> Result<(), Error> {
    let mut family = out.family(desc);
    for ThrottleCounter { labels, cpu } in counters {
        if let Some(file) = cpus::file_cached(host, cpu, file)? {
            let count: u64 = file.number("a count")?;
            family.sample(labels.each_ref().map(String::as_str), count as f64);
        }
    }
    Ok(())
}
