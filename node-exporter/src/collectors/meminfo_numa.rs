//! Memory usage of each NUMA node: `/sys/devices/system/node/node*/meminfo` and `numastat`.

use std::collections::BTreeMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Device, Fields, Host, if_exists};

pub(super) static DEFINITION: Definition =
    Definition::new("meminfo_numa", "Memory use by NUMA node", |host, _| {
        Ok(Source::blocking(MeminfoNuma(host.clone())))
    })
    .cost("two files per node")
    .off_by_default()
    .reads(&["/sys/devices/system/node/node*/meminfo", "/sys/devices/system/node/node*/numastat"])
    .metrics(&[&FIELD, &STATISTIC]);

static FIELD: Named = Named {
    prefix: "node_memory_numa_",
    suffix: "",
    kind: Kind::Gauge,
    help: "A field of the node's meminfo; kB are converted to bytes.",
};
static STATISTIC: Named = Named {
    prefix: "node_memory_numa_",
    suffix: "_total",
    kind: Kind::Counter,
    help: "A statistic of the node's numastat: pages allocated here or elsewhere.",
};

/// Families named after the kernel's fields, which differ between kernels.
struct Named {
    prefix: &'static str,
    suffix: &'static str,
    kind: Kind,
    help: &'static str,
}

impl Named {
    fn name(&self, field: &str) -> String {
        format!("{}{field}{}", self.prefix, self.suffix)
    }
}

impl Describe for Named {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let name = self.name("<name>");
        visit(DynDesc::new(&name, self.help, self.kind, &["node"]));
    }
}

struct MeminfoNuma(Host);

impl Collector for MeminfoNuma {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        // A kernel without NUMA has no nodes.
        let Some(directory) = if_exists(self.0.device("devices/system/node"))? else {
            return Ok(());
        };
        let nodes = directory.devices_matching(|name| number(name).is_some())?;
        let mut result = Ok(());
        for (family, file, parse) in [
            (&FIELD, "meminfo", field as for<'a> fn(Fields<'a>) -> Result<(Name, f64), Error>),
            (&STATISTIC, "numastat", statistic),
        ] {
            let mut fields = BTreeMap::<_, Vec<_>>::new();
            for (node, device) in &nodes {
                let node = number(node).unwrap_or_default();
                // An invalid file does not hide the other nodes.
                match read(device, file, parse) {
                    Ok(found) => {
                        for (name, value) in found {
                            fields.entry(name).or_default().push((node, value));
                        }
                    }
                    Err(error) => result = result.and(Err(error)),
                }
            }
            for (name, values) in &fields {
                let name = family.name(name);
                let desc = Desc::try_new(&name, family.help, family.kind, ["node"]);
                let Some(desc) = desc else { continue };
                let mut family = out.family(&desc);
                for (node, value) in values {
                    family.sample([node], *value);
                }
            }
        }
        result
    }
}

type Name = String;

fn read(
    node: &Device,
    name: &str,
    parse: impl Fn(Fields<'_>) -> Result<(Name, f64), Error>,
) -> Result<Vec<(Name, f64)>, Error> {
    let file = node.file(name)?;
    let fields = file.lines().map(parse).collect::<Result<Vec<_>, _>>()?;
    if fields.is_empty() {
        Err(file.parse_error("a name and a number on each line"))
    } else {
        Ok(fields)
    }
}

/// The number of a node, from the name of its directory.
fn number(name: &str) -> Option<&str> {
    let number = name.strip_prefix("node")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(number)
}

/// Parses a line of `meminfo`, such as `Node 0 Active(anon):   691324 kB`.
fn field(mut line: Fields<'_>) -> Result<(Name, f64), Error> {
    line.skip(2);
    let name = line.word("the name of a field")?;
    let name = name.strip_suffix(':').ok_or_else(|| line.parse_error("a name and a colon"))?;
    let value: f64 = line.number("a number")?;
    let value = match line.optional() {
        None => value,
        Some("kB") => value * 1024.0,
        Some(_) => return Err(line.parse_error("kB or no unit")),
    };
    Ok((name.replace('(', "_").replace(')', ""), value))
}

/// Parses a line of `numastat`, such as `numa_hit 193460335812`.
fn statistic(mut line: Fields<'_>) -> Result<(Name, f64), Error> {
    Ok((line.word("the name of a statistic")?.to_owned(), line.number("a number")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_meminfo_are_parsed() {
        for (line, expected) in [
            ("Node 0 MemTotal:       4 kB", Some(("MemTotal", 4096.0))),
            ("Node 12 Active(anon):       4 kB", Some(("Active_anon", 4096.0))),
            ("Node 0 HugePages_Total:     3", Some(("HugePages_Total", 3.0))),
            ("Node 0 MemTotal 4 kB", None),
            ("Node 0 MemTotal: 4 MB", None),
            ("Node 0 MemTotal: x kB", None),
            ("Node 0", None),
            ("", None),
        ] {
            let found = field(Fields::from_line(line)).ok();
            let found = found.as_ref().map(|(name, value)| (name.as_str(), *value));
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn node_directories_are_recognized() {
        for (name, expected) in
            [("node0", Some("0")), ("node12", Some("12")), ("node", None), ("node1x", None)]
        {
            assert_eq!(number(name), expected);
        }
    }
}
