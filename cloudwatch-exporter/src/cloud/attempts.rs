//! Observes each attempt of a call. The SDK retries internally, without reporting it.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_cloudwatch::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_cloudwatch::config::{ConfigBag, Intercept, RuntimeComponents};
use exporter_core::collector::chain;
use exporter_core::instrument::{Counter, Series};

use super::CallMonitor;

/// The attempts of one call.
#[derive(Debug)]
pub(super) struct Attempts {
    action: &'static str,
    all: Series<Counter>,
    retries: Series<Counter>,
    monitor: Arc<CallMonitor>,
    count: AtomicU32,
}

impl Attempts {
    pub(super) fn new(
        action: &'static str,
        (all, retries): (Series<Counter>, Series<Counter>),
        monitor: &Arc<CallMonitor>,
    ) -> Self {
        Self { action, all, retries, monitor: Arc::clone(monitor), count: AtomicU32::new(0) }
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
        if self.count.fetch_add(1, Ordering::Relaxed) > 0 {
            self.retries.inc();
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        match context.output_or_error() {
            Some(Ok(_)) => self.monitor.limiter.succeeded(),
            Some(Err(error)) => {
                let status = context.response().map(|response| response.status().as_u16());
                // `Throttling` has status 400. Only the error has its name, because the SDK has already
                // read the body.
                let text = chain(error);
                let is_throttling = status == Some(429)
                    || text.contains("Throttl")
                    || text.contains("Rate exceeded");
                if is_throttling {
                    self.monitor.limiter.throttled();
                } else if status.is_none() && self.count.load(Ordering::Relaxed) >= 2 {
                    // Logged now, because a call with many retries takes minutes.
                    let uri = context.request().map(|request| request.uri().to_owned());
                    self.monitor.record_no_response(self.action, uri.as_deref(), &text);
                }
            }
            None => {}
        }
        Ok(())
    }
}
