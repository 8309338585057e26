//! Interrupts handled by each CPU: `/proc/interrupts`.

use std::borrow::Cow;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::Definition;
use crate::filter::Filter;
use crate::host::{Fields, Host};

pub(super) static DEFINITION: Definition =
    Definition::new("interrupts", "Interrupts by CPU", |host, flags| {
        Ok(Source::blocking(Interrupts {
            host: host.clone(),
            filter: Filter::new(flags, &INCLUDE, &EXCLUDE)?,
            with_zeros: flags.is_on(&ZEROS),
            is_aggregated: flags.is_on(&AGGREGATE),
        }))
    })
    .cost("one file with a line per interrupt, and a series per interrupt and CPU")
    .off_by_default()
    .reads(&["/proc/interrupts"])
    .flags(&[&INCLUDE, &EXCLUDE, &ZEROS, &AGGREGATE])
    .metrics(&[&TOTAL, &SUM]);

static INCLUDE: Flag = Flag::text(
    "collector.interrupts.name-include",
    "",
    "Pattern of the interrupts to expose, as `name;info;devices`.",
);
static EXCLUDE: Flag = Flag::text(
    "collector.interrupts.name-exclude",
    "",
    "Pattern of the interrupts to leave out, as `name;info;devices`.",
);
static ZEROS: Flag =
    Flag::switch("collector.interrupts.include-zeros", true, "Expose counts of 0 as well.");
static AGGREGATE: Flag = Flag::switch(
    "collector.interrupts.aggregate",
    false,
    "Expose the sum over all CPUs, without the label cpu.",
);

static TOTAL: Desc<4> = Desc::counter(
    "node_interrupts_total",
    "Interrupts that the CPU has handled.",
    ["cpu", "type", "info", "devices"],
);
static SUM: Desc<3> = Desc::counter(
    "node_interrupts_total",
    "Interrupts that all CPUs together have handled: with --collector.interrupts.aggregate.",
    ["type", "info", "devices"],
);

struct Interrupts {
    host: Host,
    filter: Filter,
    with_zeros: bool,
    is_aggregated: bool,
}

impl Collector for Interrupts {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.host.proc_long_lines("interrupts")?;
        let mut lines = file.lines();
        let width = lines.next().map_or(0, |line| line.words().count());
        if width == 0 {
            return Err(file.parse_error("a line such as `CPU0 CPU1`"));
        }
        let mut result = Ok(());
        let mut interrupts = Vec::new();
        for line in lines {
            match parse(&line, width) {
                Ok(found) => interrupts.extend(found.filter(|found| !self.ignores(found))),
                // An invalid line does not hide the others.
                Err(error) => result = result.and(Err(error)),
            }
        }
        if self.is_aggregated {
            self.expose_sums(&interrupts, out);
        } else {
            self.expose_by_cpu(&interrupts, width, out);
        }
        result
    }
}

impl Interrupts {
    fn ignores(&self, interrupt: &Interrupt<'_>) -> bool {
        let Interrupt { name, info, devices, .. } = interrupt;
        self.filter.ignores(format!("{name};{info};{devices}"))
    }

    fn expose_by_cpu(&self, interrupts: &[Interrupt<'_>], width: usize, out: &mut Families) {
        let cpus: Vec<_> = (0..width).map(|cpu| cpu.to_string()).collect();
        let mut family = out.family(&TOTAL);
        for interrupt in interrupts {
            let Interrupt { name, info, devices, counts } = interrupt;
            for (cpu, count) in cpus.iter().zip(counts) {
                if *count != 0 || self.with_zeros {
                    family.sample([cpu, name, info, devices], *count as f64);
                }
            }
        }
    }

    fn expose_sums(&self, interrupts: &[Interrupt<'_>], out: &mut Families) {
        let mut family = out.family(&SUM);
        for Interrupt { name, info, devices, counts } in interrupts {
            let sum = counts.iter().fold(0_u64, |sum, count| sum.wrapping_add(*count));
            if sum != 0 || self.with_zeros {
                family.sample([name, info, devices], sum as f64);
            }
        }
    }
}

/// A line of the file.
#[derive(Debug, PartialEq)]
struct Interrupt<'a> {
    name: &'a str,
    info: Cow<'a, str>,
    /// Only for numbered interrupts.
    devices: String,
    /// By column. The column is not the CPU number if some CPUs are offline.
    counts: Vec<u64>,
}

/// `None` for lines without counts by CPU: `ERR` and `MIS`.
fn parse<'a>(line: &Fields<'a>, width: usize) -> Result<Option<Interrupt<'a>>, Error> {
    // If counts are wide, there is no space after the colon.
    let Some((name, rest)) = line.line().split_once(':') else { return Ok(None) };
    let name = name.trim_ascii();
    let mut words = rest.split_ascii_whitespace();
    if words.clone().count() <= width {
        return Ok(None);
    }
    let counts = words.by_ref().take(width).map(str::parse).collect::<Result<_, _>>();
    let counts = counts.map_err(|_| line.parse_error("a count for each CPU"))?;
    let (info, devices) = if name.bytes().all(|byte| byte.is_ascii_digit()) {
        (Cow::from(words.next().unwrap_or_default()), joined(words))
    } else {
        (joined(words).into(), String::new())
    };
    Ok(Some(Interrupt { name, info, devices, counts }))
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        let interrupt = |name, info: &'static str, devices: &str| {
            let counts = vec![18, 0];
            Some(Interrupt { name, info: info.into(), devices: devices.to_owned(), counts })
        };
        for (line, expected) in [
            ("  0:  18  0  IR-IO-APIC-edge  timer", interrupt("0", "IR-IO-APIC-edge", "timer")),
            (" 16:18 0 APIC usb1,  mmc0", interrupt("16", "APIC", "usb1, mmc0")),
            (
                "LOC:  18  0   Local timer  interrupts",
                interrupt("LOC", "Local timer interrupts", ""),
            ),
            ("ERR:  0", None),
            ("MIS:  0 1", None),
            ("", None),
            ("18 0 APIC", None),
        ] {
            assert_eq!(parse(&Fields::from_line(line), 2).unwrap(), expected, "{line}");
        }
        for line in ["0: 18 x APIC", "0: 18 -1 APIC", "0: 18446744073709551616 0 APIC"] {
            assert!(parse(&Fields::from_line(line), 2).is_err(), "{line}");
        }
    }
}
