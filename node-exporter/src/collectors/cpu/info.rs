//! Properties of the CPUs: `/proc/cpuinfo`.

use exporter_core::collector::Error;
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};
use regex::bytes::Regex;

use super::super::cpufreq;
use crate::filter;
use crate::host::{File, Host};

pub(super) static INFO: Flag = Flag::switch(
    "collector.cpu.info",
    false,
    "Expose the properties of each CPU in /proc/cpuinfo.",
);
pub(super) static FLAGS_INCLUDE: Flag = Flag::text(
    "collector.cpu.info.flags-include",
    "",
    "Pattern of the CPU's flags to expose. Turns --collector.cpu.info on.",
);
pub(super) static BUGS_INCLUDE: Flag = Flag::text(
    "collector.cpu.info.bugs-include",
    "",
    "Pattern of the CPU's bugs to expose. Turns --collector.cpu.info on.",
);

pub(super) static CPU: Desc<10> = Desc::gauge(
    "node_cpu_info",
    "Properties of the CPU; always 1.",
    [
        "package",
        "core",
        "cpu",
        "vendor",
        "family",
        "model",
        "model_name",
        "microcode",
        "stepping",
        "cachesize",
    ],
);
/// Exposed only if the cpufreq collector is enabled. The family of that collector has other labels,
/// and comes from files that only root may read.
pub(super) static FREQUENCY: Desc<3> = Desc::gauge(
    "node_cpu_frequency_hertz",
    "Frequency according to /proc/cpuinfo.",
    ["package", "core", "cpu"],
);
pub(super) static FLAG: Desc<1> =
    Desc::gauge("node_cpu_flag_info", "Features of the first CPU; always 1.", ["flag"]);
pub(super) static BUG: Desc<1> =
    Desc::gauge("node_cpu_bug_info", "Hardware bugs of the first CPU; always 1.", ["bug"]);

#[derive(Debug)]
pub(super) struct Info {
    with_frequency: bool,
    flags: Option<MatchingWords>,
    bugs: Option<MatchingWords>,
}

impl Info {
    /// `None` unless enabled by a flag.
    pub(super) fn from_flags(flags: &Flags) -> Result<Option<Self>, Error> {
        let info = Self {
            with_frequency: flags.has_collector(cpufreq::DEFINITION.name),
            flags: filter::pattern(flags, &FLAGS_INCLUDE)?.map(MatchingWords::new),
            bugs: filter::pattern(flags, &BUGS_INCLUDE)?.map(MatchingWords::new),
        };
        let is_enabled = flags.is_on(&INFO) || info.flags.is_some() || info.bugs.is_some();
        Ok(is_enabled.then_some(info))
    }

    pub(super) fn collect(&mut self, host: &Host, out: &mut Families) -> Result<(), Error> {
        let file = host.proc_long_lines("cpuinfo")?;
        let cpus = parse(&file)?;
        let mut family = out.family(&CPU);
        for cpu in &cpus {
            let labels = [
                cpu.package,
                cpu.core,
                cpu.number,
                cpu.vendor,
                cpu.family,
                cpu.model,
                cpu.model_name,
                cpu.microcode,
                cpu.stepping,
                cpu.cache_size,
            ];
            family.sample(labels, 1.0);
        }
        if self.with_frequency {
            let mut family = out.family(&FREQUENCY);
            for cpu in &cpus {
                if let Some(frequency_mhz) = cpu.frequency_mhz {
                    family.sample([cpu.package, cpu.core, cpu.number], frequency_mhz * 1e6);
                }
            }
        }
        let first = cpus.first();
        for (desc, words, line) in [
            (&FLAG, &mut self.flags, first.map(|cpu| cpu.flags)),
            (&BUG, &mut self.bugs, first.map(|cpu| cpu.bugs)),
        ] {
            let Some((words, line)) = words.as_mut().zip(line) else { continue };
            let mut family = out.family(desc);
            for word in words.matching(line) {
                family.sample([word], 1.0);
            }
        }
        Ok(())
    }
}

/// The matching words of a line; updated only if the line has changed.
#[derive(Debug)]
struct MatchingWords {
    pattern: Regex,
    line: String,
    matching: Vec<String>,
}

impl MatchingWords {
    fn new(pattern: Regex) -> Self {
        Self { pattern, line: String::new(), matching: Vec::new() }
    }

    fn matching(&mut self, line: &str) -> &[String] {
        if self.line != line {
            let words = line.split_ascii_whitespace();
            let matching = words.filter(|word| self.pattern.is_match(word.as_bytes()));
            self.matching = matching.map(ToOwned::to_owned).collect();
            line.clone_into(&mut self.line);
        }
        &self.matching
    }
}

/// The entry of one CPU. Architectures other than x86 have fewer fields.
#[derive(Debug, Default, PartialEq)]
struct Cpu<'a> {
    number: &'a str,
    package: &'a str,
    core: &'a str,
    vendor: &'a str,
    family: &'a str,
    model: &'a str,
    model_name: &'a str,
    microcode: &'a str,
    stepping: &'a str,
    cache_size: &'a str,
    frequency_mhz: Option<f64>,
    flags: &'a str,
    bugs: &'a str,
}

fn parse(file: &File) -> Result<Vec<Cpu<'_>>, Error> {
    let mut cpus: Vec<Cpu<'_>> = Vec::new();
    for fields in file.lines() {
        let Some((key, value)) = fields.line().split_once(':') else { continue };
        let (key, value) = (key.trim_ascii_end(), value.trim_ascii());
        if key == "processor" {
            if value.parse::<u32>().is_err() {
                return Err(fields.parse_error("the number of a CPU"));
            }
            cpus.push(Cpu { number: value, ..Cpu::default() });
        }
        let Some(cpu) = cpus.last_mut() else { continue };
        match key {
            "physical id" => cpu.package = value,
            "core id" => cpu.core = value,
            "vendor_id" => cpu.vendor = value,
            "cpu family" => cpu.family = value,
            "model" => cpu.model = value,
            "model name" => cpu.model_name = value,
            "microcode" => cpu.microcode = value,
            "stepping" => cpu.stepping = value,
            "cache size" => cpu.cache_size = value,
            "cpu MHz" => {
                let frequency_mhz =
                    value.parse().map_err(|_| fields.parse_error("a number of MHz"))?;
                cpu.frequency_mhz = Some(frequency_mhz);
            }
            "flags" | "Features" => cpu.flags = value,
            "bugs" => cpu.bugs = value,
            _ => {}
        }
    }
    if cpus.is_empty() { Err(file.parse_error("lines such as `processor : 0`")) } else { Ok(cpus) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_enables_the_info_metric() {
        for (flags, collectors, frequency) in [
            (Flags::default(), ["cpu", "cpufreq"], None),
            (Flags::new([(&INFO, "false")]), ["cpu", "cpufreq"], None),
            (Flags::new([(&INFO, "true")]), ["cpu", "cpufreq"], Some(true)),
            (Flags::new([(&INFO, "true")]), ["cpu", "stat"], Some(false)),
            (Flags::new([(&FLAGS_INCLUDE, "^aes$")]), ["cpu", "cpufreq"], Some(true)),
            (Flags::new([(&BUGS_INCLUDE, "mds")]), ["cpu", "stat"], Some(false)),
        ] {
            let info = Info::from_flags(&flags.with_collectors(collectors)).unwrap();
            assert_eq!(info.map(|info| info.with_frequency), frequency);
        }
    }

    #[test]
    fn invalid_patterns_are_errors() {
        let error = Info::from_flags(&Flags::new([(&BUGS_INCLUDE, "(")])).unwrap_err().to_string();
        assert!(error.starts_with("--collector.cpu.info.bugs-include: "), "{error}");
    }

    #[test]
    fn matching_words_are_updated_with_the_line() {
        let mut words = MatchingWords::new(Regex::new("^avx").unwrap());
        assert_eq!(words.matching("aes avx avx2"), ["avx", "avx2"]);
        assert_eq!(words.matching("aes avx avx2"), ["avx", "avx2"]);
        assert!(words.matching("aes").is_empty());
    }
}
