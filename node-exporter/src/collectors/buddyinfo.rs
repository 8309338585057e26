//! Free memory by size of the free blocks: `/proc/buddyinfo`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("buddyinfo", "Free memory blocks by size", |host, _| {
        Ok(Source::blocking(Buddyinfo(host.clone())))
    })
    .off_by_default()
    .cost("one file")
    .reads(&["/proc/buddyinfo"])
    .metrics(&[&BLOCKS]);

static BLOCKS: Desc<3> =
    Desc::gauge("node_buddyinfo_blocks", "Free blocks of 2^size pages.", ["node", "zone", "size"]);

struct Buddyinfo(Host);

impl Collector for Buddyinfo {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc("buddyinfo").or_absent("buddyinfo")?;
        let zones = file.lines().map(parse).collect::<Result<Vec<_>, _>>()?;
        if zones.is_empty() {
            return Err(file.parse_error("a line for each zone"));
        }
        let mut family = out.family(&BLOCKS);
        for zone in zones {
            for (order, blocks) in zone.blocks.iter().enumerate() {
                family.sample([zone.node, zone.name, &order.to_string()], *blocks as f64);
            }
        }
        Ok(())
    }
}

/// A line of `/proc/buddyinfo`.
#[derive(Debug, PartialEq)]
struct Zone<'a> {
    node: &'a str,
    name: &'a str,
    /// Free blocks by order.
    blocks: Vec<u64>,
}

/// Parses a line such as `Node 0, zone   Normal   4   1   0`.
fn parse(mut line: Fields<'_>) -> Result<Zone<'_>, Error> {
    let expected = "a line such as `Node 0, zone DMA 1 2 3`";
    let (Some("Node"), Some(node), Some("zone")) =
        (line.optional(), line.optional(), line.optional())
    else {
        return Err(line.parse_error(expected));
    };
    let node = node.strip_suffix(',').ok_or_else(|| line.parse_error(expected))?;
    let name = line.word("the name of a zone")?;
    let mut blocks = vec![line.number("the number of free blocks")?];
    while let Some(count) = line.optional_number("the number of free blocks")? {
        blocks.push(count);
    }
    Ok(Zone { node, name, blocks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        let zone = parse(Fields::from_line("Node 0, zone    DMA32    759    0   3 ")).unwrap();
        assert_eq!(zone, Zone { node: "0", name: "DMA32", blocks: vec![759, 0, 3] });
        for line in [
            "",
            "Node 0, zone",
            "Node 0, zone DMA",
            "Node 0 zone DMA 1",
            "Node 0, zone DMA 1 x",
            "Zone 0, node DMA 1",
        ] {
            assert!(parse(Fields::from_line(line)).is_err(), "{line}");
        }
    }
}
