//! Kernel statistics since boot: the lines of `/proc/stat` that do not belong to a CPU.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::Definition;
use crate::host::{Fields, Host};

pub(super) static DEFINITION: Definition =
    Definition::new("stat", "Boot time, interrupts, context switches, forks", |host, flags| {
        Ok(Source::blocking(Stat { host: host.clone(), with_softirq: flags.is_on(&SOFTIRQ) }))
    })
    .cost("one file; its interrupts cost most on large machines")
    .reads(&["/proc/stat"])
    .flags(&[&SOFTIRQ])
    .metrics(&[
        &INTERRUPTS,
        &CONTEXT_SWITCHES,
        &BOOT_TIME,
        &FORKS,
        &PROCS_RUNNING,
        &PROCS_BLOCKED,
        &SOFTIRQS,
    ]);

static SOFTIRQ: Flag =
    Flag::switch("collector.stat.softirq", false, "Expose softirqs by vector as well.");

static INTERRUPTS: Desc = Desc::counter("node_intr_total", "Interrupts serviced.", []);
static CONTEXT_SWITCHES: Desc =
    Desc::counter("node_context_switches_total", "Context switches.", []);
static BOOT_TIME: Desc =
    Desc::gauge("node_boot_time_seconds", "When the machine booted, in Unix time.", []);
static FORKS: Desc = Desc::counter("node_forks_total", "Processes and threads created.", []);
static PROCS_RUNNING: Desc = Desc::gauge("node_procs_running", "Threads that can run.", []);
static PROCS_BLOCKED: Desc =
    Desc::gauge("node_procs_blocked", "Threads that wait for I/O to complete.", []);
static SOFTIRQS: Desc<1> =
    Desc::counter("node_softirqs_total", "Softirqs handled, by vector.", ["vector"]);

/// By the first word of the line.
static LINES: [(&str, &Desc); 6] = [
    ("intr", &INTERRUPTS),
    ("ctxt", &CONTEXT_SWITCHES),
    ("btime", &BOOT_TIME),
    ("processes", &FORKS),
    ("procs_running", &PROCS_RUNNING),
    ("procs_blocked", &PROCS_BLOCKED),
];

/// In the order of the line `softirq`, after the total.
static VECTORS: [&str; 10] = [
    "hi",
    "timer",
    "net_tx",
    "net_rx",
    "block",
    "block_iopoll",
    "tasklet",
    "sched",
    "hrtimer",
    "rcu",
];

struct Stat {
    host: Host,
    with_softirq: bool,
}

impl Collector for Stat {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.host.proc_shared("stat", "stat")?;
        let mut found = false;
        for mut line in file.lines() {
            let Some(key) = line.optional() else { continue };
            if let Some((_, desc)) = LINES.iter().find(|(known, _)| *known == key) {
                out.family(desc).sample([], line.number::<u64>("a count")? as f64);
                found = true;
            } else if key == "softirq" && self.with_softirq {
                softirqs(line, out)?;
            }
        }
        if found { Ok(()) } else { Err(file.parse_error("lines such as `ctxt 38014093`")) }
    }
}

fn softirqs(mut line: Fields<'_>, out: &mut Families) -> Result<(), Error> {
    line.skip(1); // the total
    let mut family = out.family(&SOFTIRQS);
    for vector in VECTORS {
        family.sample([vector], line.number::<u64>("a count for each vector")? as f64);
    }
    Ok(())
}
