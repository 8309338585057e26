//! Current frequency and frequency limits of each CPU: `/sys/devices/system/cpu/cpu*/cpufreq`.
//!
//! See `Documentation/admin-guide/pm/cpufreq.rst`. The kernel writes kHz.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Host, if_exists};
use crate::proc::cpus::{self, CpuSet, DIRECTORY};

pub(super) static DEFINITION: Definition =
    Definition::new("cpufreq", "CPU frequencies and governors", |host, _| {
        Ok(Source::blocking(Cpufreq {
            host: host.clone(),
            signature: None,
            files: CpuFiles::default(),
        }))
    })
    .cost("about 7 small files per CPU")
    .reads(&["/sys/devices/system/cpu/cpu*/cpufreq/*", "/sys/devices/system/cpu/offline"])
    .metrics(&[
        &FREQUENCY,
        &FREQUENCY_AVERAGE,
        &FREQUENCY_MIN,
        &FREQUENCY_MAX,
        &SCALING,
        &SCALING_MIN,
        &SCALING_MAX,
        &GOVERNOR,
    ]);

const CPU: [&str; 1] = ["cpu"];

static FREQUENCY: Desc<1> =
    Desc::gauge("node_cpu_frequency_hertz", "Frequency according to the hardware.", CPU);
static FREQUENCY_AVERAGE: Desc<1> = Desc::gauge(
    "node_cpu_frequency_avg_hertz",
    "Recent average frequency according to the hardware.",
    CPU,
);
static FREQUENCY_MIN: Desc<1> =
    Desc::gauge("node_cpu_frequency_min_hertz", "Lowest frequency of the hardware.", CPU);
static FREQUENCY_MAX: Desc<1> =
    Desc::gauge("node_cpu_frequency_max_hertz", "Highest frequency of the hardware.", CPU);
static SCALING: Desc<1> = Desc::gauge(
    "node_cpu_scaling_frequency_hertz",
    "Frequency that the governor last requested.",
    CPU,
);
static SCALING_MIN: Desc<1> = Desc::gauge(
    "node_cpu_scaling_frequency_min_hertz",
    "Lowest frequency that the governor may request.",
    CPU,
);
static SCALING_MAX: Desc<1> = Desc::gauge(
    "node_cpu_scaling_frequency_max_hertz",
    "Highest frequency that the governor may request.",
    CPU,
);
static GOVERNOR: Desc<2> = Desc::gauge(
    "node_cpu_scaling_governor",
    "Available governors: 1 for the current one.",
    ["cpu", "governor"],
);

/// The families with one number from one file.
static FREQUENCIES: [(&Desc<1>, &str); 7] = [
    (&FREQUENCY, "cpufreq/cpuinfo_cur_freq"),
    (&FREQUENCY_AVERAGE, "cpufreq/cpuinfo_avg_freq"),
    (&FREQUENCY_MIN, "cpufreq/cpuinfo_min_freq"),
    (&FREQUENCY_MAX, "cpufreq/cpuinfo_max_freq"),
    (&SCALING, "cpufreq/scaling_cur_freq"),
    (&SCALING_MIN, "cpufreq/scaling_min_freq"),
    (&SCALING_MAX, "cpufreq/scaling_max_freq"),
];
const GOVERNOR_FILE: &str = "cpufreq/scaling_governor";
const GOVERNORS_FILE: &str = "cpufreq/scaling_available_governors";

struct Cpufreq {
    host: Host,
    signature: Option<Signature>,
    files: CpuFiles,
}

/// A cheap way to detect that CPUs or drivers were added or removed.
#[derive(Debug, PartialEq)]
struct Signature {
    /// The text from the kernel, or `None` if it does not provide it.
    offline: Option<String>,
    policies: Vec<String>,
}

/// The files of each CPU. Most drivers provide only some of them, and one is readable only by root.
#[derive(Debug, Default)]
struct CpuFiles {
    /// The CPUs that have the file, for each of [`FREQUENCIES`].
    frequencies: [Vec<String>; FREQUENCIES.len()],
    governors: Vec<String>,
}

impl Collector for Cpufreq {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let has_offline_list = self.update_files()?;
        let Self { host, files, .. } = self;
        for ((desc, file), cpus) in FREQUENCIES.iter().zip(&files.frequencies) {
            let mut family = out.family(desc);
            for cpu in cpus {
                if let Some(khz) = read_khz(host, cpu, file)? {
                    family.sample([cpu], khz as f64 * 1000.0);
                }
            }
        }
        let mut family = out.family(&GOVERNOR);
        for cpu in &files.governors {
            let governor = cpus::file_cached(host, cpu, GOVERNOR_FILE)?;
            let governors = cpus::file_cached(host, cpu, GOVERNORS_FILE)?;
            if let Some((governor, governors)) = governor.zip(governors) {
                for name in governors.trimmed().split_ascii_whitespace() {
                    family.sample([cpu, name], f64::from(name == governor.trimmed()));
                }
            }
        }
        if files.is_empty() && !has_offline_list {
            return Err(Error::Absent("CPU frequencies"));
        }
        Ok(())
    }
}

impl Cpufreq {
    /// Finds the files of the CPUs again if CPUs or drivers have changed. Returns whether the list
    /// of offline CPUs exists, as it does on every sysfs.
    fn update_files(&mut self) -> Result<bool, Error> {
        let host = &self.host;
        let offline = if_exists(host.sys_cached(format!("{DIRECTORY}/offline")))?;
        let policies = if_exists(host.list_sys(format!("{DIRECTORY}/cpufreq")))?;
        let offline_cpus = offline.as_ref().map(CpuSet::parse).transpose()?.unwrap_or_default();
        let has_offline_list = offline.is_some();
        let signature = Some(Signature {
            offline: offline.map(|file| file.trimmed().to_owned()),
            policies: policies.unwrap_or_default(),
        });
        if signature != self.signature {
            self.files = CpuFiles::find(host, &offline_cpus)?;
            self.signature = signature;
        }
        Ok(has_offline_list)
    }
}

impl CpuFiles {
    fn find(host: &Host, offline: &CpuSet) -> Result<Self, Error> {
        let mut files = Self::default();
        for cpu in cpus::numbers(host)? {
            // Its files may still exist, because they belong to its policy.
            if cpu.parse().is_ok_and(|cpu| offline.contains(cpu)) {
                continue;
            }
            for ((_, file), cpus) in FREQUENCIES.iter().zip(&mut files.frequencies) {
                if cpus::has_file(host, &cpu, file)? {
                    cpus.push(cpu.clone());
                }
            }
            if cpus::has_file(host, &cpu, GOVERNOR_FILE)? {
                files.governors.push(cpu);
            }
        }
        Ok(files)
    }

    fn is_empty(&self) -> bool {
        self.governors.is_empty() && self.frequencies.iter().all(Vec::is_empty)
    }
}

fn read_khz(host: &Host, cpu: &str, file: &str) -> Result<Option<u64>, Error> {
    match cpus::file_cached(host, cpu, file)? {
        // Written by drivers that do not have the value.
        Some(file) if file.trimmed() == "<unknown>" => Ok(None),
        Some(file) => file.number("a frequency in kHz").map(Some),
        None => Ok(None),
    }
}
