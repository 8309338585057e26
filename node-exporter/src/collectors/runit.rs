//! Services under runit: `<service>/supervise/status`, as `sv status` reads it.

use std::path::{Path, PathBuf};

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::Definition;
use crate::host::{self, if_exists};

pub(super) static DEFINITION: Definition =
    Definition::new("runit", "Services under runit", |_, flags| {
        Ok(Source::blocking(Runit(flags.text(&DIRECTORY).into())))
    })
    .cost("two small files per service")
    .rights("root, unless the supervise directories are readable")
    .off_by_default()
    .reads(&["/etc/service/*/supervise/status", "/etc/service/*/down"])
    .flags(&[&DIRECTORY])
    .metrics(&[&COLUMNS]);

static DIRECTORY: Flag =
    Flag::text("collector.runit.servicedir", "/etc/service", "The directory of runit's services.");

const LABELS: [&str; 2] = ["service", "supervisor"];

static COLUMNS: [Column<Status, 2>; 4] = [
    Desc::gauge(
        "node_service_state",
        "State of the service: 0 down, 1 up, 2 its finish script runs.",
        LABELS,
    )
    .column(|status| Some(f64::from(status.state))),
    Desc::gauge("node_service_desired_state", "Desired state: 0 down, 1 up.", LABELS)
        .column(|status| Some(f64::from(status.wanted))),
    Desc::gauge("node_service_normal_state", "State after boot: 0 down, 1 up.", LABELS)
        .column(|status| Some(f64::from(status.normal))),
    Desc::gauge(
        "node_service_state_last_change_timestamp_seconds",
        "When the state changed, in seconds since 1970.",
        LABELS,
    )
    .column(|status| Some(status.changed as f64)),
];

struct Runit(PathBuf);

impl Collector for Runit {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut services = Vec::new();
        let mut result = Ok(());
        for name in host::list(&self.0)? {
            match read(&self.0.join(&name)) {
                Ok(Some(status)) => services.push((name, status)),
                Ok(None) => {}
                // A service that fails does not hide the others.
                Err(error) => result = result.and(Err(error)),
            }
        }
        let rows: Vec<_> =
            services.iter().map(|(name, status)| ([name.as_str(), "runit"], *status)).collect();
        out.table(&COLUMNS, &rows);
        result
    }
}

/// The state of a service.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Status {
    state: u8,
    wanted: u8,
    normal: u8,
    /// In seconds since 1970.
    changed: i64,
}

/// Reads the state of a service; `None` if it is not supervised.
fn read(service: &Path) -> Result<Option<Status>, Error> {
    let path = service.join("supervise/status");
    let bytes = match if_exists(host::read_bytes(&path)) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        // Only directories are services.
        Err(Error::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotADirectory => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let is_down = if_exists(host::stat_regular_file(&service.join("down")))?.is_some();
    match parse(&bytes, u8::from(!is_down)) {
        Some(status) => Ok(Some(status)),
        None => Err(Error::Parse {
            path,
            expected: "the 20 bytes of a runit status",
            found: format!("{} bytes", bytes.len()),
        }),
    }
}

/// TAI64N time, PID, and a byte each for paused, wanted, terminating and state.
fn parse(bytes: &[u8], normal: u8) -> Option<Status> {
    /// 1970 in TAI64.
    const EPOCH: i64 = (1 << 62) + 10;
    const WANTED: usize = 17;
    const STATE: usize = 19;
    let time = i64::from_be_bytes(*bytes.first_chunk()?);
    Some(Status {
        state: *bytes.get(STATE)?,
        wanted: u8::from(bytes.get(WANTED) == Some(&b'u')),
        normal,
        changed: time.wrapping_sub(EPOCH),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(wanted: u8, state: u8) -> Vec<u8> {
        let time = 4_611_686_018_427_387_914_u64 + 1_700_000_000;
        [&time.to_be_bytes()[..], &[0, 0, 0, 7], &977_u32.to_le_bytes(), &[0, wanted, 0, state]]
            .concat()
    }

    #[test]
    fn states_are_parsed() {
        for (bytes, state, wanted) in
            [(status(b'u', 1), 1, 1), (status(b'd', 2), 2, 0), (status(0, 0), 0, 0)]
        {
            let expected = Status { state, wanted, normal: 1, changed: 1_700_000_000 };
            assert_eq!(parse(&bytes, 1), Some(expected));
            for length in 0..20 {
                assert_eq!(parse(&bytes[..length], 1), None);
            }
        }
    }
}
