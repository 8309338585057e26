//! Number of neighbours of each interface: rtnetlink's `RTM_GETNEIGH`, or `/proc/net/arp`.

use std::collections::BTreeMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::Definition;
use crate::filter::Filter;
use crate::host::{Fields, Host};
use crate::netlink::{Netlink, Request, read_u16, read_u32};

pub(super) static DEFINITION: Definition =
    Definition::new("arp", "Entries in the ARP table", |host, flags| {
        let filter = Filter::new(flags, &INCLUDE, &EXCLUDE)?.of_interfaces(flags)?;
        let netlink = flags.is_on(&NETLINK).then(Netlink::route);
        Ok(Source::blocking(Arp { host: host.clone(), filter, netlink }))
    })
    .cost("one dump of the neighbour table")
    .reads(&["/proc/net/arp"])
    .flags(&[&INCLUDE, &EXCLUDE, &NETLINK])
    .metrics(&[&ENTRIES]);

static INCLUDE: Flag = Flag::text(
    "collector.arp.device-include",
    "",
    "Pattern of the devices whose entries are counted.",
);
static EXCLUDE: Flag =
    Flag::text("collector.arp.device-exclude", "", "Pattern of the devices to leave out.");
static NETLINK: Flag =
    Flag::switch("collector.arp.netlink", true, "Use netlink instead of /proc/net/arp.");

static ENTRIES: Desc<1> =
    Desc::gauge("node_arp_entries", "Entries in the ARP table, by device.", ["device"]);

struct Arp {
    host: Host,
    filter: Filter,
    netlink: Option<Netlink>,
}

impl Collector for Arp {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let entries = match &mut self.netlink {
            Some(netlink) => from_netlink(netlink)?,
            None => from_proc(&self.host)?,
        };
        let mut family = out.family(&ENTRIES);
        for (device, entries) in &entries {
            if !self.filter.ignores(device) {
                family.sample([device], f64::from(*entries));
            }
        }
        Ok(())
    }
}

/// Entries by device.
type Entries = BTreeMap<String, u32>;

fn from_netlink(netlink: &mut Netlink) -> Result<Entries, Error> {
    const GETNEIGH: u16 = 30;
    const AF_INET: u8 = 2;
    // struct ndmsg
    let body = [AF_INET, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let request = Request { name: "RTM_GETNEIGH", kind: GETNEIGH, body: &body };
    let counts = netlink.dump(request, |counts: &mut BTreeMap<u32, u32>, entry| {
        if let Some(index) = neighbour(entry) {
            *counts.entry(index).or_default() += 1;
        }
    })?;
    let named = |(index, count)| Some((netlink.interface(index)?.as_str().to_owned(), count));
    Ok(counts.into_iter().filter_map(named).collect())
}

/// The interface of an entry, except for entries that need no ARP.
fn neighbour(entry: &[u8]) -> Option<u32> {
    const NUD_NOARP: u16 = 0x40;
    let index = read_u32(entry.get(4..)?)?;
    let state = read_u16(entry.get(8..)?)?;
    (state & NUD_NOARP == 0).then_some(index)
}

fn from_proc(host: &Host) -> Result<Entries, Error> {
    let file = host.proc("net/arp")?;
    let mut lines = file.lines();
    match lines.next().map(|line| line.line()) {
        Some(heading) if heading.starts_with("IP address") => {}
        _ => return Err(file.parse_error("the heading of an ARP table")),
    }
    let mut entries = Entries::new();
    for mut line in lines {
        let device = device(&mut line)?;
        *entries.entry(device.to_owned()).or_default() += 1;
    }
    Ok(entries)
}

/// The device, which is the last field of a line. Fields are counted because the hardware address
/// may be longer than its column.
fn device<'a>(line: &mut Fields<'a>) -> Result<&'a str, Error> {
    line.skip(5); // address, type, flags, hardware address, mask
    line.word("a device name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_device() {
        for (line, expected) in [
            ("192.0.2.1 0x1 0x2 00:16:3e:5e:00:01 * eth0", Ok("eth0")),
            ("192.0.2.1 0x20 0x2 80:00:02:08:fe:80:00:00:00:00:00:00 * ib0", Ok("ib0")),
            ("192.0.2.1 0x1 0x2 00:16:3e:5e:00:01 *", Err("a device name")),
            ("", Err("a device name")),
        ] {
            let device = device(&mut Fields::from_line(line)).map_err(|error| error.to_string());
            let expected =
                expected.map_err(|missing| format!("test: expected {missing}, found {line:?}"));
            assert_eq!(device, expected);
        }
    }

    #[test]
    fn netlink_entries_have_a_device() {
        let entry = |state: u16| {
            [&[2, 0, 0, 0][..], &7_u32.to_ne_bytes(), &state.to_ne_bytes(), &[0, 1]].concat()
        };
        assert_eq!(neighbour(&entry(0x02)), Some(7)); // reachable
        assert_eq!(neighbour(&entry(0x20)), Some(7)); // failed
        assert_eq!(neighbour(&entry(0x40)), None); // no ARP
        assert_eq!(neighbour(&entry(0x02)[..9]), None);
        assert_eq!(neighbour(&[]), None);
    }
}
