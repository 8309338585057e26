//! Faults that are injected into calls.

use std::time::Duration;

use serde::Deserialize;

use crate::api_error::ApiError;
use crate::operation::Operation;

/// A fault, and the calls that it affects: by default, all.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    kind: Kind,
    /// Only calls of this operation.
    #[serde(default)]
    operation: Option<Operation>,
    /// Only calls that name this namespace or metric.
    #[serde(default)]
    naming: Option<String>,
    /// Only calls by this account.
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    when: When,
    /// The number of calls that matched all conditions but `when`.
    #[serde(skip)]
    matching_calls: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Kind {
    Error {
        status: u16,
        code: String,
        #[serde(default)]
        message: String,
    },
    /// The connection is closed without a response.
    Drop,
    DelayMs(u64),
    /// The second half of the body is missing.
    Truncate,
    /// Pages of `GetMetricData` end after this many datapoints.
    Partial(usize),
    /// Results of `GetMetricData` are all `InternalError`.
    InternalStatus,
    /// There is no response.
    Hang,
    /// Every page is the first one, with a new token.
    EndlessTokens,
    /// The body never ends.
    EndlessBody,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum When {
    #[default]
    Always,
    First(u64),
    Only(u64),
    Every(u64),
    Chance {
        probability: f64,
        seed: u64,
    },
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            operation: None,
            naming: None,
            account: None,
            when: When::Always,
            matching_calls: 0,
        }
    }

    /// Status 400, `Throttling`, "Rate exceeded".
    pub fn throttle() -> Self {
        Self::error(400, "Throttling", "Rate exceeded")
    }

    /// Status 500, `InternalServiceError`.
    pub fn internal_error() -> Self {
        Self::error(
            500,
            "InternalServiceError",
            "The request has failed because of an unknown error.",
        )
    }

    /// An error such as `403, "AccessDenied"` or `400, "ExpiredToken"`.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::new(Kind::Error { status, code: code.to_owned(), message: message.to_owned() })
    }

    /// The connection is closed without a response.
    pub fn drop_connection() -> Self {
        Self::new(Kind::Drop)
    }

    pub fn delay(delay: Duration) -> Self {
        Self::new(Kind::DelayMs(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The second half of the body is missing.
    pub fn truncate() -> Self {
        Self::new(Kind::Truncate)
    }

    /// Pages of `GetMetricData` end after this many datapoints: `PartialData` and a `NextToken`.
    pub fn partial(datapoints: usize) -> Self {
        Self::new(Kind::Partial(datapoints))
    }

    /// A `GetMetricData` that succeeds, but whose results all have the status `InternalError` and no data.
    pub fn internal_status() -> Self {
        Self::new(Kind::InternalStatus)
    }

    /// There is no response.
    pub fn hang() -> Self {
        Self::new(Kind::Hang)
    }

    /// Every page is the first one, with a new `NextToken`.
    pub fn endless_tokens() -> Self {
        Self::new(Kind::EndlessTokens)
    }

    /// A successful response whose body never ends.
    pub fn endless_body() -> Self {
        Self::new(Kind::EndlessBody)
    }

    /// Only calls of this operation.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only calls that name this namespace or metric.
    #[must_use]
    pub fn naming(mut self, namespace_or_metric: &str) -> Self {
        self.naming = Some(namespace_or_metric.to_owned());
        self
    }

    /// Only calls by this account.
    #[must_use]
    pub fn by(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Only the first `calls`.
    #[must_use]
    pub fn first(mut self, calls: u64) -> Self {
        self.when = When::First(calls);
        self
    }

    /// Only the call with this number, from 1.
    #[must_use]
    pub fn only(mut self, number: u64) -> Self {
        self.when = When::Only(number);
        self
    }

    /// Every nth call: 2 means the second, the fourth, and so on.
    #[must_use]
    pub fn every(mut self, calls: u64) -> Self {
        self.when = When::Every(calls);
        self
    }

    /// A random share of the calls; the same for the same seed.
    #[must_use]
    pub fn chance(mut self, probability: f64, seed: u64) -> Self {
        self.when = When::Chance { probability, seed };
        self
    }

    fn applies(
        &mut self,
        operation: Operation,
        account: &str,
        names: impl Fn(&str) -> bool,
    ) -> bool {
        if self.operation.is_some_and(|only| only != operation)
            || self.account.as_deref().is_some_and(|only| only != account)
            || self.naming.as_deref().is_some_and(|naming| !names(naming))
        {
            return false;
        }
        self.matching_calls += 1;
        match self.when {
            When::Always => true,
            When::First(calls) => self.matching_calls <= calls,
            When::Only(number) => self.matching_calls == number,
            When::Every(calls) => calls > 0 && self.matching_calls.is_multiple_of(calls),
            When::Chance { probability, seed } => random(seed, self.matching_calls) < probability,
        }
    }
}

/// The effects of all faults on one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) error: Option<ApiError>,
    pub(crate) delay: Duration,
    pub(crate) transfer: Transfer,
    pub(crate) partial: Option<usize>,
    pub(crate) internal_status: bool,
    pub(crate) endless_tokens: bool,
}

/// How the response is sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Transfer {
    #[default]
    Whole,
    /// No response: the connection is closed.
    Drop,
    /// No response: the connection stays open.
    Hang,
    Truncate,
    Endless,
}

impl Outcome {
    /// Delays add up; the first error wins.
    pub(crate) fn from_faults(
        faults: &mut [Fault],
        operation: Operation,
        account: &str,
        names: impl Fn(&str) -> bool,
    ) -> Self {
        let mut outcome = Self::default();
        for fault in faults {
            if !fault.applies(operation, account, &names) {
                continue;
            }
            match &fault.kind {
                Kind::Error { status, code, message } => {
                    outcome.error.get_or_insert_with(|| ApiError {
                        status: *status,
                        code: code.clone().into(),
                        message: message.clone(),
                    });
                }
                Kind::Drop => outcome.transfer = Transfer::Drop,
                Kind::DelayMs(delay) => outcome.delay += Duration::from_millis(*delay),
                Kind::Truncate => outcome.transfer = Transfer::Truncate,
                Kind::Partial(datapoints) => outcome.partial = Some(*datapoints),
                Kind::InternalStatus => outcome.internal_status = true,
                Kind::Hang => outcome.transfer = Transfer::Hang,
                Kind::EndlessTokens => outcome.endless_tokens = true,
                Kind::EndlessBody => outcome.transfer = Transfer::Endless,
            }
        }
        outcome
    }
}

/// A pseudorandom number in `0.0..1.0` by splitmix64, for a seed and a sequence number.
fn random(seed: u64, number: u64) -> f64 {
    let mut bits = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of eight calls the fault affects: `!` for an affected one.
    fn affected_calls(mut fault: Fault) -> String {
        let affected = |_| {
            if fault.applies(Operation::ListMetrics, "1", |name| name == "AWS/EC2") {
                '!'
            } else {
                '.'
            }
        };
        (0..8).map(affected).collect()
    }

    #[test]
    fn faults_affect_the_selected_calls() {
        assert_eq!(affected_calls(Fault::throttle()), "!!!!!!!!");
        assert_eq!(affected_calls(Fault::throttle().first(3)), "!!!.....");
        assert_eq!(affected_calls(Fault::throttle().only(2)), ".!......");
        assert_eq!(affected_calls(Fault::throttle().every(3)), "..!..!..");
        assert_eq!(affected_calls(Fault::throttle().on(Operation::GetMetricData)), "........");
        assert_eq!(
            affected_calls(Fault::throttle().on(Operation::ListMetrics).every(4)),
            "...!...!"
        );
        assert_eq!(affected_calls(Fault::throttle().naming("AWS/EC2").first(1)), "!.......");
        assert_eq!(affected_calls(Fault::throttle().naming("AWS/ELB")), "........");
        assert_eq!(affected_calls(Fault::throttle().by("1").first(1)), "!.......");
        assert_eq!(affected_calls(Fault::throttle().by("2")), "........");
        let chance = affected_calls(Fault::throttle().chance(0.5, 7));
        assert_eq!(chance, affected_calls(Fault::throttle().chance(0.5, 7)));
        assert_ne!(chance, affected_calls(Fault::throttle().chance(0.5, 8)));
    }

    #[test]
    fn faults_are_read_from_json() {
        for text in [
            r#"{"kind": {"error": {"status": 403, "code": "AccessDenied"}}, "operation": "ListMetrics", "when": {"first": 2}}"#,
            r#"{"kind": "drop", "when": {"chance": {"probability": 0.1, "seed": 1}}}"#,
            r#"{"kind": {"delay_ms": 20}, "naming": "AWS/ELB"}"#,
        ] {
            assert!(serde_json::from_str::<Fault>(text).is_ok(), "{text}");
        }
        assert!(serde_json::from_str::<Fault>(r#"{"kind": "drop", "whn": "always"}"#).is_err());
    }
}
