//! Usage and statistics of the connection tracking table:
//! `/proc/sys/net/netfilter/nf_conntrack_*` and `/proc/net/stat/nf_conntrack`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{File, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("conntrack", "Connection tracking table", |host, _| {
        Ok(Source::blocking(Conntrack(host.clone())))
    })
    .cost("one file, and one with a line per CPU")
    .reads(&["/proc/sys/net/netfilter/nf_conntrack_*", "/proc/net/stat/nf_conntrack"])
    .metrics(&[
        &ENTRIES,
        &LIMIT,
        &FOUND,
        &INVALID,
        &IGNORE,
        &INSERT,
        &INSERT_FAILED,
        &DROP,
        &EARLY_DROP,
        &SEARCH_RESTART,
    ]);

static ENTRIES: Desc = Desc::gauge("node_nf_conntrack_entries", "Entries in the table.", []);
static LIMIT: Desc = Desc::gauge("node_nf_conntrack_entries_limit", "Size of the table.", []);

// These are counters, but the original exposes them as gauges, and dashboards and rules rely on it.
static FOUND: Desc =
    Desc::gauge("node_nf_conntrack_stat_found", "Lookups that found an entry.", []);
static INVALID: Desc =
    Desc::gauge("node_nf_conntrack_stat_invalid", "Packets that cannot be tracked.", []);
static IGNORE: Desc = Desc::gauge(
    "node_nf_conntrack_stat_ignore",
    "Packets that already belonged to an entry when they arrived.",
    [],
);
static INSERT: Desc =
    Desc::gauge("node_nf_conntrack_stat_insert", "Entries inserted into the table.", []);
static INSERT_FAILED: Desc = Desc::gauge(
    "node_nf_conntrack_stat_insert_failed",
    "Entries that could not be inserted into the table.",
    [],
);
static DROP: Desc =
    Desc::gauge("node_nf_conntrack_stat_drop", "Packets dropped because tracking failed.", []);
static EARLY_DROP: Desc = Desc::gauge(
    "node_nf_conntrack_stat_early_drop",
    "Entries dropped to make room in a full table.",
    [],
);
static SEARCH_RESTART: Desc = Desc::gauge(
    "node_nf_conntrack_stat_search_restart",
    "Lookups restarted because the table was resized.",
    [],
);

/// By column name. The other columns differ between kernels.
static STATISTICS: [(&str, &Desc); 8] = [
    ("found", &FOUND),
    ("invalid", &INVALID),
    ("ignore", &IGNORE),
    ("insert", &INSERT),
    ("insert_failed", &INSERT_FAILED),
    ("drop", &DROP),
    ("early_drop", &EARLY_DROP),
    ("search_restart", &SEARCH_RESTART),
];

struct Conntrack(Host);

impl Collector for Conntrack {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        for (desc, file) in [(&ENTRIES, "nf_conntrack_count"), (&LIMIT, "nf_conntrack_max")] {
            let path = format!("sys/net/netfilter/{file}");
            let file = self.0.proc(&path).or_absent("connection tracking")?;
            out.family(desc).sample([], file.fields().number("a count")?);
        }
        let file = self.0.proc("net/stat/nf_conntrack").or_absent("connection tracking counts")?;
        for (desc, sum) in sums(&file)? {
            out.family(desc).sample([], sum as f64);
        }
        Ok(())
    }
}

/// The sum of each statistic over all CPUs: a header line, then a line for each CPU.
fn sums(file: &File) -> Result<Vec<(&'static Desc<'static>, u64)>, Error> {
    let mut lines = file.lines();
    let header = lines.next().ok_or_else(|| file.parse_error("a header line"))?;
    let columns: Vec<_> = header
        .clone()
        .words()
        .map(|column| STATISTICS.iter().find(|(name, _)| *name == column))
        .collect();
    let mut sums = vec![0_u64; columns.len()];
    for mut line in lines {
        for (sum, column) in sums.iter_mut().zip(&columns) {
            let count = line.hex("a hexadecimal count for each head")?;
            if column.is_some() {
                *sum = sum.saturating_add(count);
            }
        }
    }
    let found: Vec<_> = columns
        .iter()
        .zip(sums)
        .filter_map(|(column, sum)| column.map(|(_, desc)| (*desc, sum)))
        .collect();
    if found.is_empty() { Err(header.parse_error("columns such as `found`")) } else { Ok(found) }
}
