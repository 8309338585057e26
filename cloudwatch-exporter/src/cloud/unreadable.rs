//! Retries successful responses that cannot be parsed, which the SDK does not.

use aws_sdk_cloudwatch::config::interceptors::InterceptorContext;
use aws_sdk_cloudwatch::config::retry::{ClassifyRetry, RetryAction};

#[derive(Debug)]
pub(super) struct RetryUnreadable;

impl ClassifyRetry for RetryUnreadable {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let is_success = context.response().is_some_and(|answer| answer.status().is_success());
        if is_success && matches!(context.output_or_error(), Some(Err(_))) {
            RetryAction::server_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "RetryUnreadable"
    }
}
