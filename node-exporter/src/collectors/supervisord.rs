//! Processes under supervisord: its XML-RPC method `supervisor.getAllProcessInfo`.

mod endpoint;
mod processes;

use std::env;
use std::time::Duration;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};

use self::endpoint::Endpoint;
use self::processes::Process;
use super::Definition;

pub(super) static DEFINITION: Definition =
    Definition::new("supervisord", "Processes under supervisord", |_, flags| {
        Ok(Source::blocking(Supervisord(endpoint(flags)?)))
    })
    .cost("one request over HTTP or a socket")
    .rights("access to its socket or port")
    .off_by_default()
    .flags(&[&URL])
    .metrics(&[&COLUMNS]);

static URL: Flag = Flag::text(
    "collector.supervisord.url",
    "http://localhost:9001/RPC2",
    "Where supervisord answers XML-RPC: http:// or unix://. Also by $SUPERVISORD_URL.",
);

fn endpoint(flags: &Flags) -> Result<Endpoint, Error> {
    let from_environment = env::var("SUPERVISORD_URL").ok().filter(|_| !flags.is_given(&URL));
    let url = from_environment.as_deref().unwrap_or(flags.text(&URL));
    // Errors do not show the URL, because it may contain a password.
    Endpoint::parse(url).map_err(|problem| URL.error(problem))
}

const LABELS: [&str; 2] = ["name", "group"];

static COLUMNS: [Column<State, 2>; 4] = [
    Desc::gauge("node_supervisord_up", "Whether the process runs, starts or stops.", LABELS)
        .column(|process| Some(f64::from(u8::from(process.is_up())))),
    Desc::gauge(
        "node_supervisord_state",
        "State of the process, in supervisord's numbers: 20 is running.",
        LABELS,
    )
    .column(|process| Some(process.number as f64)),
    Desc::gauge(
        "node_supervisord_exit_status",
        "Exit status of the process when it last ended.",
        LABELS,
    )
    .column(|process| Some(process.exit_status as f64)),
    Desc::counter(
        "node_supervisord_start_time_seconds",
        "When the process was started, in seconds since 1970, if it is up.",
        LABELS,
    )
    .column(|process| process.is_up().then_some(process.start as f64)),
];

/// The exposed data of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// As supervisord numbers its states.
    number: i64,
    exit_status: i64,
    start: i64,
}

impl State {
    fn is_up(self) -> bool {
        const STARTING: i64 = 10;
        const RUNNING: i64 = 20;
        const STOPPING: i64 = 40;
        matches!(self.number, STARTING | RUNNING | STOPPING)
    }
}

struct Supervisord(Endpoint);

/// supervisord responds immediately, and handles one request at a time.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Short enough to report an error before the scrape ends.
const MARGIN: Duration = Duration::from_millis(50);

impl Collector for Supervisord {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let time_left =
            out.time_left().map_or(TIMEOUT, |time_left| time_left.saturating_sub(MARGIN));
        let response = self.0.call(processes::REQUEST_BODY, time_left.min(TIMEOUT));
        let processes =
            response.map_err(|error| error.to_string()).and_then(|text| processes::parse(&text));
        let processes = processes.map_err(|problem| {
            Error::Other(format!("supervisord at {}: {problem}", self.0).into())
        })?;
        let rows: Vec<_> = processes
            .iter()
            .map(|Process { name, group, state }| ([name.as_str(), group.as_str()], *state))
            .collect();
        out.table(&COLUMNS, &rows);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
