//! The result of a collector's run.

use std::borrow::Cow;
use std::time::Duration;

use crate::collector::{self, Error};
use crate::exposition::families::Families;

/// A collector and the result of its last run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The name of the collector.
    pub name: Cow<'static, str>,
    /// One line about it, or nothing.
    pub about: Cow<'static, str>,
    /// `None` before its first run.
    pub last: Option<Last>,
}

/// The last run of a collector.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Last {
    /// How long it took.
    pub elapsed: Duration,
    /// The error with its causes, on one line.
    pub result: Result<(), String>,
    /// Whether the machine lacks what the collector measures.
    pub absent: bool,
}

/// One run of one collector.
#[derive(Debug)]
pub(super) struct Run {
    /// The index of the collector among those that run.
    pub(super) member: usize,
    pub(super) elapsed: Duration,
    /// The output, unless the collector panicked or exceeded its time limit.
    pub(super) out: Option<Families>,
    pub(super) failure: Option<Failure>,
    /// How long ago the output was collected, if the collector has an interval.
    pub(super) age: Option<Duration>,
    /// Whether it is an earlier run that is exposed again.
    pub(super) is_cached: bool,
}

impl Run {
    pub(super) fn new(
        member: usize,
        elapsed: Duration,
        result: Result<(Families, Result<(), Error>), Failure>,
    ) -> Self {
        match result {
            Ok((out, result)) => {
                let failure = result.err().map(Failure::Error);
                let out = Some(out);
                Self { member, elapsed, out, failure, age: None, is_cached: false }
            }
            Err(failure) => Self::failed(member, elapsed, failure),
        }
    }

    /// Whether the machine lacks what the collector measures.
    pub(super) fn is_absence(&self) -> bool {
        self.failure.as_ref().is_some_and(Failure::is_absence)
    }

    /// Whether the deadline of the scrape stopped it so early that this is not a failure of the
    /// collector.
    pub(super) fn is_cut_short(&self) -> bool {
        matches!(self.failure, Some(Failure::Deadline)) && self.elapsed < MIN_TIME_FOR_FAILURE
    }

    pub(super) fn failed(member: usize, elapsed: Duration, failure: Failure) -> Self {
        let failure = Some(failure);
        Self { member, elapsed, out: None, failure, age: None, is_cached: false }
    }
}

/// A collector that was stopped by the deadline of the scrape before this time did not fail.
const MIN_TIME_FOR_FAILURE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The scrape ended first: its deadline is set by the client.
    #[error("not done by the deadline of the scrape")]
    Deadline,
    /// The failure of an earlier run that is exposed again.
    #[error("{message}")]
    Earlier { message: String, is_absence: bool },
    #[error("{}", collector::chain(.0))]
    Error(Error),
    #[error("panicked: {0}")]
    Panic(String),
    #[error("still running since an earlier scrape")]
    Stuck,
    #[error("no thread to run on: {0}")]
    Thread(String),
    #[error("not done within the time that a collector may take")]
    Timeout,
}

impl Failure {
    /// The failure of a collector that was stopped after `elapsed`.
    pub(super) fn stopped(elapsed: Duration, limit: Duration) -> Self {
        if elapsed < limit { Self::Deadline } else { Self::Timeout }
    }

    /// Whether the machine lacks what the collector measures.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::Error(Error::Absent(_)) | Self::Earlier { is_absence: true, .. })
    }
}
