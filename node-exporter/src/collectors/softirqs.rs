//! Soft interrupts handled by each CPU: `/proc/softirqs`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, File, Host};

pub(super) static DEFINITION: Definition =
    Definition::new("softirqs", "Soft interrupts by CPU", |host, _| {
        Ok(Source::blocking(Softirqs(host.clone())))
    })
    .cost("one file with a column per CPU")
    .off_by_default()
    .reads(&["/proc/softirqs"])
    .metrics(&[&FUNCTIONS]);

static FUNCTIONS: Desc<2> = Desc::counter(
    "node_softirqs_functions_total",
    "Soft interrupts that the CPU has handled.",
    ["cpu", "type"],
);

struct Softirqs(Host);

impl Collector for Softirqs {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc_single_record("softirqs")?;
        let rows = parse(&file)?;
        let mut family = out.family(&FUNCTIONS);
        for (kind, counts) in rows {
            for (cpu, count) in counts.iter().enumerate() {
                family.sample([&cpu.to_string(), kind], *count as f64);
            }
        }
        Ok(())
    }
}

/// The counts of each type, in the order of the columns. The label is the number of the column,
/// as in the file's `CPU0 CPU1`: it lists all possible CPUs, online or not.
fn parse(file: &File) -> Result<Vec<(&str, Vec<u64>)>, Error> {
    let mut lines = file.lines();
    let width = lines.next().map_or(0, |line| line.words().count());
    if width == 0 {
        return Err(file.parse_error("a line such as `CPU0 CPU1`"));
    }
    lines.map(|line| row(line, width)).collect()
}

fn row(mut line: Fields<'_>, width: usize) -> Result<(&str, Vec<u64>), Error> {
    let kind = line.word("a type")?;
    let kind = kind.strip_suffix(':').ok_or_else(|| line.parse_error("a type and a colon"))?;
    let counts = (0..width).map(|_| line.number("a count for each CPU"));
    Ok((kind, counts.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_parsed() {
        let file = File::from_text("          CPU0       CPU1\n  HI:  7  1\nNET_TX:  2301  0\n");
        let expected = vec![("HI", vec![7, 1]), ("NET_TX", vec![2301, 0])];
        assert_eq!(parse(&file).unwrap(), expected);
        for text in
            ["", "\n", "CPU0 CPU1\nHI 7 1\n", "CPU0 CPU1\nHI: 7\n", "CPU0\nHI: x\n", "CPU0\n\n"]
        {
            assert!(parse(&File::from_text(text)).is_err(), "{text}");
        }
    }
}
