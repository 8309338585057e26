//! Answers that say success and cannot be read: the SDK gives up on them, although the next one
//! will be whole.

use aws_sdk_cloudwatch::config::interceptors::InterceptorContext;
use aws_sdk_cloudwatch::config::retry::{ClassifyRetry, RetryAction};

#[derive(Debug)]
pub(super) struct Garbled;

impl ClassifyRetry for Garbled {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let is_success = context.response().is_some_and(|answer| answer.status().is_success());
        if is_success && matches!(context.output_or_error(), Some(Err(_))) {
            RetryAction::server_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "Garbled"
    }
}
