//! Bytes in the queues of UDP sockets: `/proc/net/udp` and `/proc/net/udp6`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, File, Host, if_exists};

pub(super) static DEFINITION: Definition =
    Definition::new("udp_queues", "Memory in the queues of UDP sockets", |host, _| {
        Ok(Source::blocking(UdpQueues(host.clone())))
    })
    .cost("one dump of all UDP sockets")
    .reads(&["/proc/net/udp", "/proc/net/udp6"])
    .metrics(&[&QUEUES]);

static QUEUES: Desc<2> = Desc::gauge(
    "node_udp_queues",
    "Bytes of kernel memory that datagrams take in the queues of all UDP sockets.",
    ["queue", "ip"],
);

struct UdpQueues(Host);

impl Collector for UdpQueues {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut family = out.family(&QUEUES);
        let mut found = false;
        for (path, ip) in [("net/udp", "v4"), ("net/udp6", "v6")] {
            let Some(file) = if_exists(self.0.proc(path))? else { continue };
            let Queues { tx, rx } = sum(&file)?;
            family.sample(["tx", ip], tx as f64);
            family.sample(["rx", ip], rx as f64);
            found = true;
        }
        if found { Ok(()) } else { Err(Error::Absent("UDP")) }
    }
}

#[derive(Debug, Default, PartialEq)]
struct Queues {
    tx: u64,
    rx: u64,
}

/// Over all sockets; there may be a hundred thousand.
fn sum(file: &File) -> Result<Queues, Error> {
    let mut lines = file.lines();
    if !lines.next().is_some_and(|header| header.line().contains("tx_queue")) {
        return Err(file.parse_error("a header line with `tx_queue`"));
    }
    let mut sum = Queues::default();
    for line in lines {
        let socket = queues(line)?;
        sum.tx = sum.tx.saturating_add(socket.tx);
        sum.rx = sum.rx.saturating_add(socket.rx);
    }
    Ok(sum)
}

fn queues(mut line: Fields<'_>) -> Result<Queues, Error> {
    const EXPECTED: &str = "two hexadecimal sizes of queues as the fifth field";
    line.skip(4); // slot, local and remote address, state
    let hex = |size| u64::from_str_radix(size, 16).ok();
    let sizes = line.word(EXPECTED)?.split_once(':').and_then(|(tx, rx)| hex(tx).zip(hex(rx)));
    sizes.map(|(tx, rx)| Queues { tx, rx }).ok_or_else(|| line.parse_error(EXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        for (line, expected) in [
            ("0: 0100007F:0035 00000000:0000 07 00000015:0000001F 00:00", Some((0x15, 0x1F))),
            ("99999: 0:0 0:0 07 1:0", Some((1, 0))),
            ("", None),
            ("0: 0:0 0:0 07", None),
            ("0: 0:0 0:0 07 15", None),
            ("0: 0:0 0:0 07 15:x", None),
            ("0: 0:0 0:0 07 15:11112222333344445", None),
        ] {
            let found = queues(Fields::from_line(line)).ok().map(|queues| (queues.tx, queues.rx));
            assert_eq!(found, expected, "{line}");
        }
    }
}
