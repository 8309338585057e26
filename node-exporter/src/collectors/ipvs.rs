//! The kernel's load balancer: `/proc/net/ip_vs` and `/proc/net/ip_vs_stats`, see
//! `net/netfilter/ipvs/ip_vs_ctl.c`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use super::Definition;
use crate::host::{Fields, File, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("ipvs", "IP Virtual Server", |host, flags| {
        Ok(Source::blocking(IpVs { host: host.clone(), labels: selected_labels(flags)? }))
    })
    .cost("one file with a line per backend, one that has sums")
    .rights("root or CAP_NET_ADMIN")
    .reads(&["/proc/net/ip_vs", "/proc/net/ip_vs_stats"])
    .flags(&[&BACKEND_LABELS])
    .metrics(&[
        &CONNECTIONS,
        &INCOMING_PACKETS,
        &OUTGOING_PACKETS,
        &INCOMING_BYTES,
        &OUTGOING_BYTES,
        &Backends,
    ]);

static BACKEND_LABELS: Flag = Flag::text(
    "collector.ipvs.backend-labels",
    "local_address,local_port,remote_address,remote_port,proto,local_mark",
    "Labels of backends, separated by commas; backends with equal labels are summed.",
);

static CONNECTIONS: Desc = Desc::counter("node_ipvs_connections_total", "Connections made.", []);
static INCOMING_PACKETS: Desc =
    Desc::counter("node_ipvs_incoming_packets_total", "Packets from clients.", []);
static OUTGOING_PACKETS: Desc =
    Desc::counter("node_ipvs_outgoing_packets_total", "Packets to clients.", []);
static INCOMING_BYTES: Desc =
    Desc::counter("node_ipvs_incoming_bytes_total", "Bytes from clients.", []);
static OUTGOING_BYTES: Desc =
    Desc::counter("node_ipvs_outgoing_bytes_total", "Bytes to clients.", []);

/// The labels of a backend, in the order of [`Backend::values`].
const LABELS: [&str; 6] =
    ["local_address", "local_port", "remote_address", "remote_port", "proto", "local_mark"];

/// The families whose labels are set by a flag, in the order of [`Counts`].
struct Backends;

static FAMILIES: [(&str, &str); 3] = [
    ("node_ipvs_backend_connections_active", "Connections that are established."),
    ("node_ipvs_backend_connections_inactive", "Connections in any other state."),
    ("node_ipvs_backend_weight", "Weight of the backend."),
];

impl Describe for Backends {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for (name, help) in FAMILIES {
            visit(DynDesc::new(name, help, Kind::Gauge, &LABELS));
        }
    }
}

/// The labels from the flag, as indices into [`LABELS`].
fn selected_labels(flags: &Flags) -> Result<Vec<usize>, Error> {
    let text = flags.text(&BACKEND_LABELS);
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut indices = Vec::new();
    for name in names {
        let Some(index) = LABELS.iter().position(|label| *label == name) else {
            let known = LABELS.join(", ");
            return Err(BACKEND_LABELS.error(format!("no label {name:?}; the labels are {known}")));
        };
        if !indices.contains(&index) {
            indices.push(index);
        }
    }
    Ok(indices)
}

struct IpVs {
    host: Host,
    labels: Vec<usize>,
}

impl Collector for IpVs {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let totals = totals(&self.host.proc("net/ip_vs_stats").or_absent("IPVS")?)?;
        let descs =
            [&CONNECTIONS, &INCOMING_PACKETS, &OUTGOING_PACKETS, &INCOMING_BYTES, &OUTGOING_BYTES];
        for (desc, total) in descs.into_iter().zip(totals) {
            out.family(desc).sample([], total as f64);
        }
        let mut sums = BTreeMap::<Vec<String>, Counts>::new();
        for backend in backends(&self.host.proc("net/ip_vs")?)? {
            let values = backend.values();
            let key = self.labels.iter().filter_map(|index| values.get(*index).cloned()).collect();
            let sum = sums.entry(key).or_default();
            for (sum, count) in sum.iter_mut().zip(backend.counts) {
                *sum = sum.saturating_add(count);
            }
        }
        let labels: Vec<_> =
            self.labels.iter().filter_map(|index| LABELS.get(*index).copied()).collect();
        for (column, (name, help)) in FAMILIES.into_iter().enumerate() {
            let mut family = out.open(DynDesc::new(name, help, Kind::Gauge, &labels));
            for (values, counts) in &sums {
                let values: Vec<_> = values.iter().map(String::as_str).collect();
                family.sample(&values, counts.get(column).copied().unwrap_or_default() as f64);
            }
        }
        Ok(())
    }
}

/// The totals below two header lines: connections, packets in and out, bytes in and out.
fn totals(file: &File) -> Result<[u64; 5], Error> {
    let expected = "five hexadecimal counts in the third line";
    let mut line = file.lines().nth(2).ok_or_else(|| file.parse_error(expected))?;
    let mut totals = [0; 5];
    for total in &mut totals {
        *total = line.hex(expected)?;
    }
    Ok(totals)
}

/// Active connections, inactive ones, and the weight.
type Counts = [u64; 3];

#[derive(Clone, Debug, Default, PartialEq)]
struct Service {
    proto: String,
    /// A service with an address.
    address: String,
    port: u16,
    /// A service with a firewall mark.
    mark: String,
}

#[derive(Debug, PartialEq)]
struct Backend {
    service: Service,
    address: String,
    port: u16,
    counts: Counts,
}

impl Backend {
    fn values(&self) -> [String; 6] {
        [
            self.service.address.clone(),
            self.service.port.to_string(),
            self.address.clone(),
            self.port.to_string(),
            self.service.proto.clone(),
            self.service.mark.clone(),
        ]
    }
}

/// Services, each followed by the lines of its backends.
fn backends(file: &File) -> Result<Vec<Backend>, Error> {
    let mut service = Service::default();
    let mut backends = Vec::new();
    for mut line in file.lines() {
        match line.optional() {
            Some(proto @ ("TCP" | "UDP" | "SCTP")) => {
                let (address, port) = address(&mut line)?;
                service = Service { proto: proto.to_owned(), address, port, mark: String::new() };
            }
            Some("FWM") => {
                let mark = line.word("a mark")?.to_owned();
                service = Service { proto: "FWM".to_owned(), mark, ..Service::default() };
            }
            Some("->") if line.line().contains("RemoteAddress:Port") => {}
            Some("->") => {
                let (address, port) = address(&mut line)?;
                line.skip(1);
                let weight = line.number("a weight")?;
                let active = line.number("a number of active connections")?;
                let inactive = line.number("a number of inactive connections")?;
                let counts = [active, inactive, weight];
                backends.push(Backend { service: service.clone(), address, port, counts });
            }
            _ => {}
        }
    }
    Ok(backends)
}

/// `C0A80016:0CEA` or `[2001:0db8:0000:0000:0000:0000:0000:0001]:0050`.
fn address(line: &mut Fields<'_>) -> Result<(String, u16), Error> {
    let expected = "an address and a port in hexadecimal, such as C0A80016:0050";
    let word = line.word(expected)?;
    parse(word).ok_or_else(|| line.parse_error(expected))
}

fn parse(word: &str) -> Option<(String, u16)> {
    let (address, port) = word.rsplit_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let address = match address.strip_prefix('[') {
        Some(v6) => v6.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.to_canonical().to_string(),
        None if address.len() == 8 => {
            Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?).to_string()
        }
        None => return None,
    };
    Some((address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed() {
        for (word, expected) in [
            ("C0A80016:0CEA", Some(("192.168.0.22", 3306))),
            ("[2001:0db8:0000:0000:0000:0000:0000:0001]:0050", Some(("2001:db8::1", 80))),
            ("[2001:0db8:0050", None),
            ("C0A800:0CEA", None),
            ("C0A80016:10000", None),
            ("C0A80016", None),
            ("+0A80016x:0050", None),
            (":", None),
            ("", None),
        ] {
            let expected = expected.map(|(address, port): (&str, u16)| (address.to_owned(), port));
            assert_eq!(parse(word), expected, "{word}");
        }
    }

    #[test]
    fn a_backend_belongs_to_the_service_above_it() {
        let table = "IP Virtual Server version 1.2.1 (size=4096)\n\
            Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight A I\n\
            UDP  0A000001:0035 rr\n\n  -> 0A000002:0035      Masq    1      2          3\n\
            FWM  00000007 wlc\n  -> 0A000003:0000      Route   4      5          6\n";
        let found = backends(&File::from_text(table)).unwrap();
        let values: Vec<_> = found.iter().map(|backend| backend.values().join(" ")).collect();
        assert_eq!(values, ["10.0.0.1 53 10.0.0.2 53 UDP ", " 0 10.0.0.3 0 FWM 00000007"]);
        assert_eq!(found[0].counts, [2, 3, 1]);
        for line in ["TCP", "TCP x", "FWM", "->", "-> 0A000002:0035 Masq 1 2", "-> 0A000002:0035"] {
            assert!(backends(&File::from_text(line)).is_err(), "{line}");
        }
    }

    #[test]
    fn invalid_totals_are_errors() {
        for text in ["", "\n\n\n", "a\nb\n 1 2 3 4\n", "a\nb\n 1 2 3 4 x\n"] {
            assert!(totals(&File::from_text(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn the_flag_selects_labels() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("local_port", Some(vec![1])),
            ("proto, local_port,proto", Some(vec![4, 1])),
            ("port", None),
        ] {
            assert_eq!(
                selected_labels(&Flags::new([(&BACKEND_LABELS, text)])).ok(),
                expected,
                "{text}"
            );
        }
    }
}
