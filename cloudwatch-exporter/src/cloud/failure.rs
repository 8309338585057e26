//! A failed call.

use std::error::Error;

use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use exporter_core::collector::chain;

/// A failed call, as one line.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{problem}", self.prefix())]
pub(crate) struct Failure {
    action: &'static str,
    /// A namespace or a resource type.
    scope: String,
    /// The error code of AWS, or one of this exporter if there is none.
    code: String,
    problem: String,
}

/// The maximum length of messages in characters. Some messages of AWS quote the whole request.
const MAX_MESSAGE: usize = 400;

impl Failure {
    /// A failure that prevents all calls.
    pub(crate) fn setup(problem: impl Into<String>) -> Self {
        Self { action: "", scope: String::new(), code: "setup".to_owned(), problem: problem.into() }
    }

    /// Whether permissions are missing.
    pub(crate) fn is_denial(&self) -> bool {
        self.code.starts_with("AccessDenied") || self.code == "UnauthorizedOperation"
    }

    pub(crate) fn is_throttling(&self) -> bool {
        self.code.starts_with("Throttl") || self.code == "RequestLimitExceeded"
    }

    pub(super) fn action(&self) -> &'static str {
        self.action
    }

    pub(super) fn code(&self) -> &str {
        &self.code
    }

    pub(super) fn new<E, R>(action: &'static str, scope: &str, error: &SdkError<E, R>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug + 'static,
    {
        let code = match error {
            SdkError::ServiceError(service) => service.err().code().unwrap_or("unknown"),
            SdkError::TimeoutError(_) => "timeout",
            SdkError::DispatchFailure(failure) if failure.is_timeout() => "timeout",
            SdkError::DispatchFailure(failure) if failure.is_io() => "connection",
            SdkError::ResponseError(_) => "response",
            _ => "request",
        };
        let problem = match error {
            SdkError::ServiceError(service) => match service.err().message() {
                Some(message) => format!("{code}: {message}"),
                None => code.to_owned(),
            },
            other => chain(other),
        };
        Self { action, scope: scope.to_owned(), code: code.to_owned(), problem: one_line(&problem) }
    }

    pub(super) fn from_error(
        action: &'static str,
        scope: &str,
        error: &(dyn Error + 'static),
    ) -> Self {
        let code = "request".to_owned();
        Self { action, scope: scope.to_owned(), code, problem: one_line(&chain(error)) }
    }

    /// Datapoints that CloudWatch could not return in a successful call.
    pub(super) fn of_queries(
        action: &'static str,
        scope: &str,
        code: &str,
        queries: usize,
    ) -> Self {
        let problem = format!("CloudWatch answered {queries} queries with {code}");
        Self { action, scope: scope.to_owned(), code: code.to_owned(), problem }
    }

    /// A response that exceeds a limit of this exporter.
    pub(super) fn of_limit(action: &'static str, scope: &str, problem: String) -> Self {
        Self { action, scope: scope.to_owned(), code: "limit".to_owned(), problem }
    }

    /// A fetch that has reached its limit.
    pub(super) fn of_fetch_limit(action: &'static str, scope: &str) -> Self {
        let problem = "this fetch has reached its limit: CloudWatch answers with far more pages than \
                       the metrics need; the rest is requested in the next period";
        Self::of_limit(action, scope, problem.to_owned())
    }

    pub(super) fn count(&self) {
        crate::usage::FAILED.with([self.action, &self.scope, &self.code]).inc();
    }

    /// The action and its scope, if there are any.
    fn prefix(&self) -> String {
        match (self.action, self.scope.as_str()) {
            ("", _) => String::new(),
            (action, "") => format!("{action}: "),
            (action, scope) => format!("{action} of {scope}: "),
        }
    }
}

/// The error as one line. If there are no credentials, the SDK's error lists every place where it has
/// looked, and is replaced by a shorter one.
fn one_line(text: &str) -> String {
    if text.contains("no credentials found in chain") {
        return NO_CREDENTIALS.to_owned();
    }
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(MAX_MESSAGE).collect()
}

const NO_CREDENTIALS: &str = "no credentials found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
                              set AWS_PROFILE to a profile of ~/.aws, or give the machine, container or \
                              pod a role";
