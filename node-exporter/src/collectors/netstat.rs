//! Statistics of network protocols, under the kernel's names: `/proc/net/netstat`,
//! `/proc/net/snmp` and `/proc/net/snmp6`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Describe, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use regex::bytes::Regex;

use super::Definition;
use crate::filter;
use crate::host::{Fields, File, Host, if_exists};
use crate::proc::named::{MAX_NAMES, Named, Names};

pub(super) static DEFINITION: Definition =
    Definition::new("netstat", "Network protocol statistics", |host, flags| {
        Ok(Source::blocking(Netstat {
            host: host.clone(),
            fields: filter::pattern(flags, &FIELDS)?,
            extended: Table::default(),
            snmp: Table::default(),
            snmp6: Names::default(),
        }))
    })
    .cost("three files")
    .reads(&["/proc/net/netstat", "/proc/net/snmp", "/proc/net/snmp6"])
    .flags(&[&FIELDS])
    .metrics(&[&Statistic]);

static FIELDS: Flag = Flag::text(
    "collector.netstat.fields",
    concat!(
        "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)",
        "|Icmp6?_(InMsgs|OutMsgs)",
        "|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)",
        "|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)",
        "|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$",
    ),
    "Pattern of the statistics to expose, as Protocol_Name.",
);

/// The family of each statistic. They differ between kernels, so they are not listed here.
struct Statistic;

impl Describe for Statistic {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let name = "node_netstat_<protocol>_<name>";
        let help = "Statistic <protocol><name>.";
        visit(DynDesc::new(name, help, Kind::Untyped, &[]));
    }
}

struct Netstat {
    host: Host,
    /// None exposes all.
    fields: Option<Regex>,
    extended: Table,
    snmp: Table,
    snmp6: Names,
}

impl Collector for Netstat {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let select = |protocol: &str, name: &str| {
            let key = format!("{protocol}_{name}");
            let is_selected =
                self.fields.as_ref().is_none_or(|fields| fields.is_match(key.as_bytes()));
            is_selected.then(|| Named {
                name: format!("node_netstat_{key}"),
                help: format!("Statistic {protocol}{name}."),
            })
        };
        self.extended.collect(&self.host.proc_shared("netstat", "net/netstat")?, select, out)?;
        self.snmp.collect(&self.host.proc_single_record("net/snmp")?, select, out)?;
        // Missing if IPv6 is disabled.
        match if_exists(self.host.proc_single_record("net/snmp6"))? {
            Some(file) => lines(&file, &mut self.snmp6, select, out),
            None => Ok(()),
        }
    }
}

/// A file with a line of names and a line of values for each protocol.
#[derive(Debug, Default)]
struct Table {
    /// The last line of names, and the indexes of its exposed fields.
    cached: Vec<(String, Vec<(usize, Named)>)>,
}

impl Table {
    fn collect(
        &mut self,
        file: &File,
        select: impl Fn(&str, &str) -> Option<Named>,
        out: &mut Families,
    ) -> Result<(), Error> {
        let mut lines = file.lines().filter(|line| !line.line().trim().is_empty());
        let mut index = 0;
        while let Some(names) = lines.next() {
            let protocol = protocol(names.clone())?;
            let values = lines.next().ok_or_else(|| names.parse_error("values after the names"))?;
            if self::protocol(values.clone())? != protocol {
                return Err(values.parse_error("values of the names before"));
            }
            write_line(self.fields_at(index, &names, protocol, &select), values, out)?;
            index += 1;
        }
        self.cached.truncate(index);
        if index == 0 { Err(file.parse_error("names and values of protocols")) } else { Ok(()) }
    }

    /// The exposed fields of a line; updated only if the names have changed.
    fn fields_at(
        &mut self,
        index: usize,
        names: &Fields<'_>,
        protocol: &str,
        select: impl Fn(&str, &str) -> Option<Named>,
    ) -> &[(usize, Named)] {
        let line = names.line();
        if self.cached.get(index).is_none_or(|(cached, _)| cached != line) {
            let words = names.clone().words().take(MAX_NAMES).enumerate().skip(1);
            let selected =
                words.filter_map(|(position, name)| Some((position, select(protocol, name)?)));
            self.cached.truncate(index);
            self.cached.push((line.to_owned(), selected.collect()));
        }
        self.cached.get(index).map_or(&[], |(_, selected)| selected)
    }
}

/// The first word of a line, without its colon.
fn protocol(mut line: Fields<'_>) -> Result<&str, Error> {
    let word = line.word("a protocol")?;
    word.strip_suffix(':').ok_or_else(|| line.parse_error("a protocol and a colon"))
}

fn write_line(
    selected: &[(usize, Named)],
    mut values: Fields<'_>,
    out: &mut Families,
) -> Result<(), Error> {
    let mut consumed = 0;
    for (index, named) in selected {
        values.skip(index - consumed);
        named.sample(out, values.number("a value for each name")?);
        consumed = index + 1;
    }
    Ok(())
}

/// A file with a name and its value on each line. The protocol is the name up to its `6`.
fn lines(
    file: &File,
    names: &mut Names,
    select: impl Fn(&str, &str) -> Option<Named>,
    out: &mut Families,
) -> Result<(), Error> {
    // Unwanted names are not checked, so this is the only check of the file format.
    let mut first = file.fields();
    first.skip(1);
    first.number::<f64>("a name and its number")?;
    for (index, mut line) in file.lines().take(MAX_NAMES).enumerate() {
        let name = line.optional().unwrap_or_default();
        let family = names.get(index, name, |name| {
            let (protocol, name) = name.split_at(name.find('6')? + 1);
            select(protocol, name)
        });
        if let Some(family) = family {
            family.sample(out, line.number("a number")?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_belong_to_names_by_position() {
        let named = |name: &str| Named { name: name.to_owned(), help: String::new() };
        let selected = [(1, named("a")), (2, named("b")), (4, named("d"))];
        let mut out = Families::default();
        write_line(&selected, Fields::from_line("Tcp: 1 -1 3 4"), &mut out).unwrap();
        let error = write_line(&selected, Fields::from_line("Tcp: 1 2 3"), &mut out)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("test: expected a value for each name"), "{error}");
    }
}
