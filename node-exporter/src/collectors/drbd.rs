//! Replicated block devices of DRBD 8.4: `/proc/drbd`.
//!
//! DRBD 9 provides this in debugfs and over netlink; its `/proc/drbd` contains only the version.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, File, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("drbd", "DRBD devices", |host, _| Ok(Source::blocking(Drbd(host.clone()))))
        .cost("one file")
        .off_by_default()
        .reads(&["/proc/drbd"])
        .metrics(&[
            &NETWORK_SENT,
            &NETWORK_RECEIVED,
            &DISK_WRITTEN,
            &DISK_READ,
            &ACTIVITY_LOG,
            &BITMAP,
            &LOCAL_PENDING,
            &REMOTE_PENDING,
            &REMOTE_UNACKNOWLEDGED,
            &APPLICATION_PENDING,
            &EPOCHS,
            &OUT_OF_SYNC,
            &ROLE,
            &DISK_STATE,
            &CONNECTED,
        ]);

const DEVICE: [&str; 1] = ["device"];

static NETWORK_SENT: Desc<1> =
    Desc::counter("node_drbd_network_sent_bytes_total", "Bytes sent to the peer.", DEVICE);
static NETWORK_RECEIVED: Desc<1> = Desc::counter(
    "node_drbd_network_received_bytes_total",
    "KiB, not bytes, received from the peer, as in node_exporter.",
    DEVICE,
);
static DISK_WRITTEN: Desc<1> =
    Desc::counter("node_drbd_disk_written_bytes_total", "Bytes written to the local disk.", DEVICE);
static DISK_READ: Desc<1> =
    Desc::counter("node_drbd_disk_read_bytes_total", "Bytes read from the local disk.", DEVICE);
static ACTIVITY_LOG: Desc<1> = Desc::counter(
    "node_drbd_activitylog_writes_total",
    "Updates of the activity log in the metadata.",
    DEVICE,
);
static BITMAP: Desc<1> = Desc::counter(
    "node_drbd_bitmap_writes_total",
    "Updates of the bitmap in the metadata.",
    DEVICE,
);
static LOCAL_PENDING: Desc<1> =
    Desc::gauge("node_drbd_local_pending", "Open requests to the local I/O subsystem.", DEVICE);
static REMOTE_PENDING: Desc<1> =
    Desc::gauge("node_drbd_remote_pending", "Requests sent to the peer without an answer.", DEVICE);
static REMOTE_UNACKNOWLEDGED: Desc<1> = Desc::gauge(
    "node_drbd_remote_unacknowledged",
    "Requests of the peer without an answer.",
    DEVICE,
);
static APPLICATION_PENDING: Desc<1> = Desc::gauge(
    "node_drbd_application_pending",
    "Block I/O requests to DRBD without an answer.",
    DEVICE,
);
static EPOCHS: Desc<1> = Desc::gauge("node_drbd_epochs", "Open write epochs.", DEVICE);
static OUT_OF_SYNC: Desc<1> =
    Desc::gauge("node_drbd_out_of_sync_bytes", "Bytes that are out of sync.", DEVICE);
static ROLE: Desc<2> = Desc::gauge(
    "node_drbd_node_role_is_primary",
    "Whether the node is primary; the peer is node `remote`.",
    ["device", "node"],
);
static DISK_STATE: Desc<2> = Desc::gauge(
    "node_drbd_disk_state_is_up_to_date",
    "Whether the disk of the node is up to date.",
    ["device", "node"],
);
static CONNECTED: Desc<1> =
    Desc::gauge("node_drbd_connected", "Whether the peer is connected.", DEVICE);

/// Keys with a numeric value, and the factors that convert it to the unit of the family.
static NUMBERS: [(&str, f64, &Desc<1>); 12] = [
    ("ns", KIB, &NETWORK_SENT),
    ("nr", 1.0, &NETWORK_RECEIVED),
    ("dw", KIB, &DISK_WRITTEN),
    ("dr", KIB, &DISK_READ),
    ("al", 1.0, &ACTIVITY_LOG),
    ("bm", 1.0, &BITMAP),
    ("lo", 1.0, &LOCAL_PENDING),
    ("pe", 1.0, &REMOTE_PENDING),
    ("ua", 1.0, &REMOTE_UNACKNOWLEDGED),
    ("ap", 1.0, &APPLICATION_PENDING),
    ("ep", 1.0, &EPOCHS),
    ("oos", KIB, &OUT_OF_SYNC),
];

const KIB: f64 = 1024.0;

/// Keys with a local and a remote state, and the state that is exposed as 1.
static PAIRS: [(&str, &str, &Desc<2>); 2] =
    [("ro", "Primary", &ROLE), ("ds", "UpToDate", &DISK_STATE)];

struct Drbd(Host);

impl Collector for Drbd {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc_long_lines("drbd").or_absent("DRBD")?;
        let fields = parse(&file)?;
        for (key, unit, desc) in &NUMBERS {
            let mut family = out.family(desc);
            for field in fields.iter().filter(|field| field.key == *key) {
                let value: f64 = field
                    .value
                    .parse()
                    .map_err(|_| field.line.parse_error("a number for each key"))?;
                family.sample([&field.device], value * unit);
            }
        }
        for (key, state, desc) in &PAIRS {
            let mut family = out.family(desc);
            for field in fields.iter().filter(|field| field.key == *key) {
                let (local, remote) = field
                    .value
                    .split_once('/')
                    .ok_or_else(|| field.line.parse_error("a local and a remote state"))?;
                for (node, found) in [("local", local), ("remote", remote)] {
                    family.sample([&field.device, node], f64::from(u8::from(found == *state)));
                }
            }
        }
        let mut family = out.family(&CONNECTED);
        for field in fields.iter().filter(|field| field.key == "cs") {
            family.sample([&field.device], f64::from(u8::from(field.value == "Connected")));
        }
        Ok(())
    }
}

/// A `key:value` of a device.
struct Field<'a> {
    /// Such as `drbd1`.
    device: String,
    key: &'a str,
    value: &'a str,
    line: Fields<'a>,
}

/// All fields of all devices. A device begins with its number and a colon.
fn parse(file: &File) -> Result<Vec<Field<'_>>, Error> {
    if !file.text().starts_with("version:") {
        return Err(file.parse_error("`version:` and DRBD's version"));
    }
    let mut fields = Vec::new();
    let mut device = None;
    for line in file.lines() {
        for word in line.clone().words() {
            let Some((key, value)) = word.split_once(':') else { continue };
            match (key.parse::<u32>(), value, &device) {
                (Ok(minor), "", _) => device = Some(format!("drbd{minor}")),
                (_, "", _) | (_, _, None) => {}
                (_, _, Some(device)) => {
                    fields.push(Field { device: device.clone(), key, value, line: line.clone() });
                }
            }
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_belong_to_the_preceding_device() {
        let text = "version: 8.4.3 (api:1/proto:86-101)\n\n 0: cs:Unconfigured\n\
                    12: cs:Connected ro:Primary/Secondary C r-----\n    ns:1 wo:d oos:3\n";
        let file = File::from_text(text);
        let fields = parse(&file).unwrap();
        let fields: Vec<_> =
            fields.iter().map(|field| (field.device.as_str(), field.key, field.value)).collect();
        let expected = [
            ("drbd0", "cs", "Unconfigured"),
            ("drbd12", "cs", "Connected"),
            ("drbd12", "ro", "Primary/Secondary"),
            ("drbd12", "ns", "1"),
            ("drbd12", "wo", "d"),
            ("drbd12", "oos", "3"),
        ];
        assert_eq!(fields, expected);
        assert!(parse(&File::from_text("")).is_err());
    }
}
