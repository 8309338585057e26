//! Statistics of network caches by CPU, under the kernel's names: `/proc/net/stat/*`.

use std::collections::BTreeMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{File, Host, if_exists};

pub(super) static DEFINITION: Definition =
    Definition::new("lnstat", "Statistics of network caches by CPU", |host, _| {
        Ok(Source::blocking(Lnstat(host.clone())))
    })
    .cost("one file per cache with a line per CPU, and a series per CPU and column")
    .off_by_default()
    .reads(&["/proc/net/stat/*"])
    .metrics(&[&Statistic]);

const LABELS: [&str; 2] = ["subsystem", "cpu"];
const HELP: &str = "A statistic of a network cache, with the name from the kernel.";

/// The family of each column. Columns differ between kernels, so they are not listed here.
struct Statistic;

impl Describe for Statistic {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let name = "node_lnstat_<name>_total";
        visit(DynDesc::new(name, HELP, Kind::Counter, &LABELS));
    }
}

struct Lnstat(Host);

impl Collector for Lnstat {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        const DIRECTORY: &str = "net/stat";
        let subsystems = if_exists(self.0.list_proc(DIRECTORY))?.unwrap_or_default();
        let mut columns = Columns::new();
        let mut result = Ok(());
        for subsystem in &subsystems {
            let file = self.0.proc(format!("{DIRECTORY}/{subsystem}"));
            let read = file.and_then(|file| parse(&file, subsystem, &mut columns));
            // An invalid file does not hide the others.
            result = result.and(read);
        }
        for (column, samples) in &columns {
            let name = format!("node_lnstat_{column}_total");
            let Some(desc) = Desc::try_new(&name, HELP, Kind::Counter, LABELS) else { continue };
            let mut family = out.family(&desc);
            for (subsystem, cpu, value) in samples {
                family.sample([subsystem, &cpu.to_string()], *value as f64);
            }
        }
        result
    }
}

/// Subsystem, CPU and value of each sample, by column name.
type Columns<'a> = BTreeMap<String, Vec<(&'a str, usize, u64)>>;

/// A header line, then a line of hexadecimal counts for each CPU.
fn parse<'a>(file: &File, subsystem: &'a str, columns: &mut Columns<'a>) -> Result<(), Error> {
    let mut lines = file.lines();
    let header: Vec<_> =
        lines.next().ok_or_else(|| file.parse_error("a header line"))?.words().collect();
    if header.is_empty() {
        return Err(file.parse_error("a header line"));
    }
    for (cpu, mut line) in lines.enumerate() {
        for column in &header {
            let value = line.hex("a hexadecimal count for each head")?;
            match columns.get_mut(*column) {
                Some(samples) => samples.push((subsystem, cpu, value)),
                None => {
                    columns.insert((*column).to_owned(), vec![(subsystem, cpu, value)]);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_by_the_header() {
        let mut columns = Columns::new();
        parse(&File::from_text("entries  hits\n0000000a 1f\n0000000a 2\n"), "rt", &mut columns)
            .unwrap();
        parse(&File::from_text("entries\n1\n"), "arp", &mut columns).unwrap();
        let entries = vec![("rt", 0, 10), ("rt", 1, 10), ("arp", 0, 1)];
        assert_eq!(columns.get("entries"), Some(&entries));
        assert_eq!(columns.get("hits"), Some(&vec![("rt", 0, 31), ("rt", 1, 2)]));
    }

    #[test]
    fn invalid_files_are_errors() {
        for text in ["", "\n1 2\n", "entries hits\n1\n", "entries\nxyz\n"] {
            assert!(parse(&File::from_text(text), "rt", &mut Columns::new()).is_err(), "{text}");
        }
    }
}
