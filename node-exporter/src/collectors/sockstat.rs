//! Number and memory of sockets by protocol: `/proc/net/sockstat` and
//! `/proc/net/sockstat6`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, Host, if_exists};

pub(super) static DEFINITION: Definition =
    Definition::new("sockstat", "Sockets by protocol", |host, _| {
        Ok(Source::blocking(Sockstat(host.clone())))
    })
    .cost("two small files")
    .reads(&["/proc/net/sockstat", "/proc/net/sockstat6"])
    .metrics(&[&USED, &ByProtocol]);

static USED: Desc = Desc::gauge("node_sockstat_sockets_used", "Sockets in use.", []);

/// A possible key of a protocol, with its help text.
static KEYS: [(&str, &str); 7] = [
    ("inuse", "sockets in use"),
    ("orphan", "sockets that no process holds"),
    ("tw", "sockets in TIME_WAIT"),
    ("alloc", "sockets allocated, in any state"),
    ("mem", "pages of memory for buffers"),
    (MEM_BYTES, "bytes of memory for buffers"),
    ("memory", "bytes of memory for reassembly"),
];

/// Computed: `mem` multiplied by the page size.
const MEM_BYTES: &str = "mem_bytes";

/// A family for each protocol and key.
struct ByProtocol;

impl Describe for ByProtocol {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for (key, meaning) in KEYS {
            let name = format!("node_sockstat_<protocol>_{key}");
            let help = format!("<protocol>: {meaning}.");
            visit(DynDesc::new(&name, &help, Kind::Gauge, &[]));
        }
    }
}

struct Sockstat(Host);

impl Collector for Sockstat {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        // Either may be missing: kernels can be built without IPv4 and run without IPv6.
        for path in ["net/sockstat", "net/sockstat6"] {
            let Some(file) = if_exists(self.0.proc(path))? else { continue };
            if file.trimmed().is_empty() {
                return Err(file.parse_error("a line for each protocol"));
            }
            for line in file.lines() {
                write_line(line, out)?;
            }
        }
        Ok(())
    }
}

/// Such as `TCP: inuse 4 orphan 0 tw 4 alloc 17 mem 1`.
fn write_line(mut line: Fields<'_>, out: &mut Families) -> Result<(), Error> {
    let Some(protocol) = line.optional() else { return Ok(()) };
    let Some(protocol) = protocol.strip_suffix(':') else {
        return Err(line.parse_error("a protocol and a colon"));
    };
    while let Some(key) = line.optional() {
        let value: u64 = line.number("a number for each key")?;
        if (protocol, key) == ("sockets", "used") {
            out.family(&USED).sample([], value as f64);
            continue;
        }
        gauge(protocol, key, value as f64, out);
        if key == "mem" {
            let bytes = value.saturating_mul(rustix::param::page_size() as u64);
            gauge(protocol, MEM_BYTES, bytes as f64, out);
        }
    }
    Ok(())
}

fn gauge(protocol: &str, key: &str, value: f64, out: &mut Families) {
    let Some((_, meaning)) = KEYS.iter().find(|(known, _)| *known == key) else { return };
    let name = format!("node_sockstat_{protocol}_{key}");
    let help = format!("{protocol}: {meaning}.");
    if let Some(desc) = Desc::try_new(&name, &help, Kind::Gauge, []) {
        out.family(&desc).sample([], value);
    }
}
