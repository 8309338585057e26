//! Why a delivery is rejected.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;

use crate::stream::delivery::MAX_BODY;

/// A reason to reject a delivery. Firehose repeats the delivery, unless the status is 413. When it gives
/// up, it writes the delivery and the message to the bucket for failed deliveries.
#[derive(Clone, Debug)]
pub(super) enum Rejection {
    Busy,
    Encoding,
    /// The client ended the body early.
    Incomplete,
    Malformed(String),
    Method,
    NoKey,
    /// The body took too long.
    Slow,
    TooLarge,
    WrongKey,
}

impl Rejection {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Incomplete | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoKey | Self::WrongKey => StatusCode::UNAUTHORIZED,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    /// The value of the label `reason`.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Encoding => "encoding",
            Self::Incomplete => "incomplete",
            Self::Malformed(_) => "malformed",
            Self::Method => "method",
            Self::NoKey => "no_key",
            Self::Slow => "slow",
            Self::TooLarge => "too_large",
            Self::WrongKey => "wrong_key",
        }
    }
}

/// The message for the log of Firehose. It contains nothing of the configuration.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("too many deliveries at once"),
            Self::Encoding => f.write_str("the content encoding has to be gzip or none"),
            Self::Incomplete => f.write_str("the body is incomplete"),
            Self::Malformed(problem) => f.write_str(problem),
            Self::Method => f.write_str("deliveries are POST requests"),
            Self::NoKey => f.write_str("the header X-Amz-Firehose-Access-Key is missing"),
            Self::Slow => f.write_str("the body took too long"),
            Self::TooLarge => write!(
                f,
                "the body is larger than {} MiB; set the buffer size of the Firehose stream to 4 MiB or \
                 less",
                MAX_BODY >> 20
            ),
            Self::WrongKey => f.write_str("the access key is not one of this endpoint"),
        }
    }
}

/// The minimum time between two log lines with the same reason.
const LOG_INTERVAL: Duration = Duration::from_mins(10);

/// Logs each reason at most every ten minutes, because there may be many deliveries, and anyone may send
/// requests.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<HashMap<&'static str, Instant>>);

impl Log {
    pub(super) fn rejected(&self, rejection: &Rejection, request_id: &str) {
        let error = rejection.to_string().replace(char::is_control, " ");
        if self.is_due(rejection.label()) {
            tracing::warn!(request_id, error, "a delivery of a metric stream was rejected");
        } else {
            tracing::debug!(request_id, error, "a delivery of a metric stream was rejected");
        }
    }

    /// Logs a failed handshake.
    pub(super) fn handshake_failed(&self, error: &str) {
        if self.is_due("tls") {
            tracing::warn!(error, "a TLS handshake for metric streams failed");
        } else {
            tracing::debug!(error, "a TLS handshake for metric streams failed");
        }
    }

    /// Logs that a part of a delivery could not be read.
    pub(super) fn unreadable(&self, problem: &str, request_id: &str) {
        let error = problem.replace(char::is_control, " ");
        if self.is_due("unreadable") {
            tracing::warn!(request_id, error, "a part of a metric stream could not be read");
        }
    }

    fn is_due(&self, reason: &'static str) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = logged.get(reason).is_none_or(|last| last.elapsed() >= LOG_INTERVAL);
        if is_due {
            logged.insert(reason, Instant::now());
        }
        is_due
    }
}
