//! Counts what goes over the wire: the SDK retries by itself, and does not tell.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_cloudwatch::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_cloudwatch::config::{ConfigBag, Intercept, RuntimeComponents};
use exporter_core::instrument::{Counter, Series};

/// Of one call.
#[derive(Debug)]
pub(super) struct Attempts {
    all: Series<Counter>,
    retries: Series<Counter>,
    is_retry: AtomicBool,
}

impl Attempts {
    pub(super) fn new((all, retries): (Series<Counter>, Series<Counter>)) -> Self {
        Self { all, retries, is_retry: AtomicBool::new(false) }
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.all.inc();
        if self.is_retry.swap(true, Ordering::Relaxed) {
            self.retries.inc();
        }
        Ok(())
    }
}
