//! An atomic `f64`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// All operations are relaxed: they order nothing else.
#[derive(Debug)]
pub(super) struct Float(AtomicU64);

impl Float {
    pub(super) const fn zero() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(super) fn load(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }

    pub(super) fn store(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    pub(super) fn add(&self, value: f64) {
        let mut before = self.0.load(Relaxed);
        loop {
            let after = (f64::from_bits(before) + value).to_bits();
            match self.0.compare_exchange_weak(before, after, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(now) => before = now,
            }
        }
    }
}
