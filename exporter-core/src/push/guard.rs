//! The run of a batch job, which pushes when it ends.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Group, PushError};
use crate::desc::{Desc, Describe, DynDesc};
use crate::families::Families;
use crate::instrument::Instrument;

/// The run of a batch job. When it ends, its metrics are added to the group, and with them
///
/// - `job_last_run_timestamp_seconds`: when it ended,
/// - `job_duration_seconds`: how long it took,
/// - `job_last_success_timestamp_seconds`: when it ended, if it succeeded. A failed run leaves the
///   value of the last success alone, so that an alert on its age works.
///
/// A run that is dropped has failed: by an early return, or by a panic.
#[derive(Debug)]
#[must_use = "a run that is dropped at once has failed at once"]
pub struct Run<'a> {
    group: Group,
    instruments: Instruments<'a>,
    started: Instant,
    is_over: bool,
}

struct Instruments<'a>(Vec<&'a dyn Instrument>);

impl std::fmt::Debug for Instruments<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} instruments", self.0.len())
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(group: Group, instruments: Vec<&'a dyn Instrument>) -> Self {
        let started = Instant::now();
        Self { group, instruments: Instruments(instruments), started, is_over: false }
    }

    /// Ends the run with success.
    pub fn succeeded(mut self) -> Result<(), PushError> {
        self.end(true)
    }

    /// Ends the run with a failure. Dropping it does the same, but cannot return an error.
    pub fn failed(mut self) -> Result<(), PushError> {
        self.end(false)
    }

    fn end(&mut self, success: bool) -> Result<(), PushError> {
        self.is_over = true;
        let outcome = Outcome { success, took: self.started.elapsed() };
        let mut all = self.instruments.0.clone();
        all.push(&outcome);
        self.group.add(&all)
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // The error cannot be reported; the age of the last run shows it.
            let _ = self.end(false);
        }
    }
}

static LAST_RUN: Desc<'static> =
    Desc::gauge("job_last_run_timestamp_seconds", "When the job last ended.", []);
static LAST_SUCCESS: Desc<'static> =
    Desc::gauge("job_last_success_timestamp_seconds", "When the job last ended with success.", []);
static DURATION: Desc<'static> =
    Desc::gauge("job_duration_seconds", "How long the job took when it last ran.", []);

struct Outcome {
    success: bool,
    took: Duration,
}

impl Describe for Outcome {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for desc in [&LAST_RUN, &LAST_SUCCESS, &DURATION] {
            desc.describe(visit);
        }
    }
}

impl Instrument for Outcome {
    fn write(&self, out: &mut Families) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        out.family(&LAST_RUN).sample([], now);
        if self.success {
            out.family(&LAST_SUCCESS).sample([], now);
        }
        out.family(&DURATION).sample([], self.took.as_secs_f64());
    }
}
