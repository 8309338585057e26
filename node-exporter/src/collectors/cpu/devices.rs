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

const CORE_COUNT: &str = "thermal_throttle/core_throttle_count";
const PACKAGE_COUNT: &str = "thermal_throttle/package_throttle_count";

/// The files to read in each scrape. Finding them costs a dozen system calls per CPU, and the
/// result is the same until CPUs are added or removed.
#[derive(Debug, Default)]
pub(super) struct Devices {
    cores: Vec<Counted<2>>,
    packages: Vec<Counted<1>>,
    /// The CPUs that can be offline.
    switchable: Vec<String>,
}

/// A core or package, and its first CPU with a counter. All its CPUs have the same count.
#[derive(Debug)]
struct Counted<const N: usize> {
    labels: [String; N],
    cpu: String,
}

impl Devices {
    pub(super) fn find(host: &Host) -> Result<Self, Error> {
        let mut devices = Self::default();
        let numbers = cpus::numbers(host)?;
        let (mut cores, mut packages) = (BTreeSet::new(), BTreeSet::new());
        for cpu in &numbers {
            let package = id(host, cpu, "topology/physical_package_id")?;
            let core = id(host, cpu, "topology/core_id")?;
            let Some((package, core)) = package.zip(core) else { continue };
            let place = (package, core);
            if !cores.contains(&place) && cpus::has(host, cpu, CORE_COUNT)? {
                cores.insert(place);
                let labels = [package.to_string(), core.to_string()];
                devices.cores.push(Counted { labels, cpu: cpu.clone() });
            }
            if !packages.contains(&package) && cpus::has(host, cpu, PACKAGE_COUNT)? {
                packages.insert(package);
                let labels = [package.to_string()];
                devices.packages.push(Counted { labels, cpu: cpu.clone() });
            }
        }
        // If the first CPU cannot be offline, it has no series, and neither do the others.
        if let Some(first) = numbers.first()
            && cpus::has(host, first, "online")?
        {
            devices.switchable = numbers;
        }
        Ok(devices)
    }

    /// With `packages_only`, values per core or CPU are left out.
    pub(super) fn collect(
        &self,
        host: &Host,
        packages_only: bool,
        out: &mut Families,
    ) -> Result<(), Error> {
        if packages_only {
            return throttles(&PACKAGE_THROTTLES, &self.packages, PACKAGE_COUNT, host, out);
        }
        throttles(&CORE_THROTTLES, &self.cores, CORE_COUNT, host, out)?;
        throttles(&PACKAGE_THROTTLES, &self.packages, PACKAGE_COUNT, host, out)?;
        if self.switchable.is_empty() {
            return Ok(());
        }
        // One file for all CPUs has the same content as `online` of each.
        let online = CpuSet::parse(&host.sys_cached(format!("{DIRECTORY}/online"))?)?;
        let mut family = out.family(&ONLINE);
        for cpu in &self.switchable {
            let is_online = cpu.parse().is_ok_and(|cpu| online.contains(cpu));
            family.sample([cpu], f64::from(is_online));
        }
        Ok(())
    }
}

/// A number of the topology, or `None` if the firmware does not provide it: -1.
fn id(host: &Host, cpu: &str, file: &str) -> Result<Option<u32>, Error> {
    let Some(file) = cpus::file(host, cpu, file)? else { return Ok(None) };
    let id: i64 = file.number("a number of the topology")?;
    Ok(u32::try_from(id).ok())
}

fn throttles<const N: usize>(
    desc: &Desc<N>,
    counted: &[Counted<N>],
    file: &str,
    host: &Host,
    out: &mut Families,
) -> Result<(), Error> {
    let mut family = out.family(desc);
    for Counted { labels, cpu } in counted {
        if let Some(file) = cpus::file_cached(host, cpu, file)? {
            let count: u64 = file.number("a count")?;
            family.sample(labels.each_ref().map(String::as_str), count as f64);
        }
    }
    Ok(())
}
