//! The sparse buckets of a native histogram.
//!
//! Bucket `i` of schema `s` has the observations above `2^((i-1)/2^s)` up to `2^(i/2^s)`.

use std::collections::BTreeMap;

use crate::exposition::value::NativeBuckets;

/// Eight buckets for each power of two.
const MAX_SCHEMA: i32 = 3;
/// One bucket for sixteen powers of two: at most 270 buckets.
const MIN_SCHEMA: i32 = -4;
/// The maximum number of buckets. Beyond it, adjacent buckets are merged.
const MAX_BUCKETS: usize = 160;
/// 2^-128, as in the Go library.
const ZERO_THRESHOLD: f64 = f64::from_bits((1023 - 128) << 52);

#[derive(Debug)]
pub(super) struct Native {
    schema: i32,
    zero: u64,
    negative: BTreeMap<i32, u64>,
    positive: BTreeMap<i32, u64>,
}

/// Index and count of the buckets of one sign.
type SparseBuckets = Vec<(i32, u64)>;

impl Native {
    pub(super) const fn new() -> Self {
        Self { schema: MAX_SCHEMA, zero: 0, negative: BTreeMap::new(), positive: BTreeMap::new() }
    }

    pub(super) fn observe(&mut self, value: f64) {
        if value.abs() <= ZERO_THRESHOLD {
            self.zero += 1;
            return;
        }
        let side = if value > 0.0 { &mut self.positive } else { &mut self.negative };
        *side.entry(index(value.abs(), self.schema)).or_default() += 1;
        while self.negative.len() + self.positive.len() > MAX_BUCKETS && self.schema > MIN_SCHEMA {
            self.schema -= 1;
            self.negative = merged(&self.negative);
            self.positive = merged(&self.positive);
        }
    }

    pub(super) fn sides(&self) -> (SparseBuckets, SparseBuckets) {
        let side = |side: &BTreeMap<i32, u64>| side.iter().map(|(&i, &count)| (i, count)).collect();
        (side(&self.negative), side(&self.positive))
    }

    pub(super) fn value<'a>(
        &self,
        negative: &'a [(i32, u64)],
        positive: &'a [(i32, u64)],
    ) -> NativeBuckets<'a> {
        NativeBuckets {
            schema: self.schema,
            zero_threshold: ZERO_THRESHOLD,
            zero_count: self.zero,
            negative,
            positive,
        }
    }
}

/// The buckets of the next coarser schema.
fn merged(side: &BTreeMap<i32, u64>) -> BTreeMap<i32, u64> {
    let mut merged = BTreeMap::new();
    for (index, count) in side {
        *merged.entry((index + 1) >> 1).or_default() += count;
    }
    merged
}

/// The bucket of a positive value.
fn index(value: f64, schema: i32) -> i32 {
    if value.is_infinite() {
        return index(f64::MAX, schema) + 1;
    }
    let (fraction, exponent) = split(value);
    if schema <= 0 {
        let power = if fraction > 0.5 { exponent } else { exponent - 1 };
        let powers = 1 << -schema;
        return (power + powers - 1) >> -schema;
    }
    // The first bound within its power of two that is not below the value.
    let parts = 1 << schema;
    let bound = |part: i32| (f64::from(part) / f64::from(parts) - 1.0).exp2();
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to `parts`")]
    let mut part = ((fraction.log2() + 1.0) * f64::from(parts)).ceil() as i32;
    while part > 0 && fraction <= bound(part - 1) {
        part -= 1;
    }
    while part < parts && fraction > bound(part) {
        part += 1;
    }
    (exponent - 1) * parts + part
}

/// A fraction from 0.5 up to 1, and the exponent of two that it is multiplied with.
fn split(value: f64) -> (f64, i32) {
    const SUBNORMAL: f64 = f64::from_bits((1023 + 54) << 52);
    if value < f64::MIN_POSITIVE {
        let (fraction, exponent) = split(value * SUBNORMAL);
        return (fraction, exponent - 54);
    }
    let bits = value.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) - 1022;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_its_bucket() {
        for (value, schema, expected) in [
            (1.0, 0, 0),
            (1.5, 0, 1),
            (2.0, 0, 1),
            (2.1, 0, 2),
            (0.5, 0, -1),
            (1.0, 3, 0),
            (2.0, 3, 8),
            (4.0, 3, 16),
            (0.25, 3, -16),
            (1.09, 3, 1),
            (1.091, 3, 2),
            (16.0, -2, 1),
            (17.0, -2, 2),
            (1.0, -2, 0),
            (65536.0, -4, 1),
            (65537.0, -4, 2),
            (f64::MAX, 0, 1024),
            (f64::INFINITY, 0, 1025),
            (f64::from_bits(1), 0, -1074),
        ] {
            assert_eq!(index(value, schema), expected, "{value} in schema {schema}");
        }
    }

    #[test]
    fn too_many_buckets_are_merged() {
        let mut native = Native::new();
        let mut exact = 1.0_f64;
        for _ in 0..500 {
            native.observe(exact);
            native.observe(-exact);
            exact *= 1.3;
        }
        native.observe(0.0);
        let (negative, positive) = native.sides();
        assert!(negative.len() + positive.len() <= MAX_BUCKETS, "{native:?}");
        assert!(native.schema < MAX_SCHEMA);
        assert_eq!(positive.iter().map(|(_, count)| count).sum::<u64>(), 500);
        assert_eq!((&negative, native.zero), (&positive, 1));
        for value in [1.0, 1.3, 1e10] {
            assert!(positive.iter().any(|(i, _)| *i == index(value, native.schema)), "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn merged_buckets_equal_observed_ones(value in 1e-300..1e300_f64, schema in -3..=8_i32) {
            assert_eq!((index(value, schema) + 1) >> 1, index(value, schema - 1));
        }
    }
}
