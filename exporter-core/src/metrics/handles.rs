//! Instruments as the handles of the facade.

use ::metrics::{CounterFn, GaugeFn, HistogramFn};

use crate::instrument::{Counter, Gauge, Histogram};

impl CounterFn for Counter {
    fn increment(&self, count: u64) {
        self.inc_by(count);
    }

    fn absolute(&self, count: u64) {
        self.raise_to(count);
    }
}

impl GaugeFn for Gauge {
    fn increment(&self, amount: f64) {
        self.add(amount);
    }

    fn decrement(&self, amount: f64) {
        self.add(-amount);
    }

    fn set(&self, value: f64) {
        Self::set(self, value);
    }
}

impl HistogramFn for Histogram {
    fn record(&self, value: f64) {
        self.observe(value);
    }
}
