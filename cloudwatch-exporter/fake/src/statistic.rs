//! Statistics of the samples of one period.

/// A statistic of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistic {
    Average,
    Maximum,
    Minimum,
    SampleCount,
    Sum,
    /// `p99.9`.
    Percentile(f64),
    /// `tm99`: the mean of all values up to that percentile.
    TrimmedMean(f64),
}

impl Statistic {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::basic(name).or_else(|| Self::extended(name))
    }

    pub(crate) fn basic(name: &str) -> Option<Self> {
        Some(match name {
            "Average" => Self::Average,
            "Maximum" => Self::Maximum,
            "Minimum" => Self::Minimum,
            "SampleCount" => Self::SampleCount,
            "Sum" => Self::Sum,
            _ => return None,
        })
    }

    pub(crate) fn extended(name: &str) -> Option<Self> {
        let percent = |text: &str| {
            let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            text.parse().ok().filter(|percent| is_decimal && (0.0..=100.0).contains(percent))
        };
        match name.strip_prefix("tm") {
            Some(rest) => percent(rest).map(Self::TrimmedMean),
            None => name.strip_prefix('p').and_then(percent).map(Self::Percentile),
        }
    }

    fn is_extended(self) -> bool {
        matches!(self, Self::Percentile(_) | Self::TrimmedMean(_))
    }
}

/// The aggregated samples of one period. The samples themselves are kept only for extended statistics.
#[derive(Debug, Default)]
pub(crate) struct Period {
    count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
    samples: Vec<f64>,
    keeps_samples: bool,
}

impl Period {
    pub(crate) fn for_statistics(statistics: &[Statistic]) -> Self {
        Self {
            keeps_samples: statistics.iter().any(|statistic| statistic.is_extended()),
            ..Self::default()
        }
    }

    pub(crate) fn clear(&mut self) {
        let mut samples = std::mem::take(&mut self.samples);
        samples.clear();
        *self = Self { samples, keeps_samples: self.keeps_samples, ..Self::default() };
    }

    pub(crate) fn push(&mut self, value: f64) {
        let first = self.count == 0.0;
        self.minimum = if first { value } else { self.minimum.min(value) };
        self.maximum = if first { value } else { self.maximum.max(value) };
        self.count += 1.0;
        self.sum += value;
        if self.keeps_samples {
            self.samples.push(value);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0.0
    }

    /// `None` for a period without samples, and for percentiles of negative values, which
    /// CloudWatch does not support.
    pub(crate) fn get(&mut self, statistic: Statistic) -> Option<f64> {
        if self.is_empty() || statistic.is_extended() && self.minimum < 0.0 {
            return None;
        }
        Some(match statistic {
            Statistic::Average => self.sum / self.count,
            Statistic::Maximum => self.maximum,
            Statistic::Minimum => self.minimum,
            Statistic::SampleCount => self.count,
            Statistic::Sum => self.sum,
            Statistic::Percentile(percent) => {
                self.samples.sort_unstable_by(f64::total_cmp);
                percentile(&self.samples, percent)?
            }
            Statistic::TrimmedMean(percent) => {
                self.samples.sort_unstable_by(f64::total_cmp);
                let highest = percentile(&self.samples, percent)?;
                let trimmed = self.samples.iter().take_while(|sample| **sample <= highest);
                let (count, sum) =
                    trimmed.fold((0.0, 0.0), |(count, sum), sample| (count + 1.0, sum + sample));
                if count == 0.0 {
                    return None;
                }
                sum / count
            }
        })
    }
}

/// Interpolates between the two nearest values of `sorted`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index of a list in memory"
)]
fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let index = percent / 100.0 * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted.get(index.floor() as usize)?, sorted.get(index.ceil() as usize)?);
    Some(low + (high - low) * index.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_computed() {
        let cases = [
            ("Average", 30.0),
            ("Maximum", 50.0),
            ("Minimum", 10.0),
            ("SampleCount", 5.0),
            ("Sum", 150.0),
            ("p0", 10.0),
            ("p50", 30.0),
            ("p95", 48.0),
            ("p99.9", 49.96),
            ("p100", 50.0),
            ("tm50", 20.0),
        ];
        for (name, value) in cases {
            let statistic = Statistic::parse(name).unwrap();
            let mut period = Period::for_statistics(&[statistic]);
            for sample in [50.0, 10.0, 30.0, 20.0, 40.0] {
                period.push(sample);
            }
            let actual = period.get(statistic).unwrap();
            assert!((actual - value).abs() < 1e-9, "{name}: {actual}");
            period.clear();
            assert_eq!(period.get(statistic), None, "{name}");
        }
    }

    #[test]
    fn negative_values_have_no_percentiles() {
        let p50 = Statistic::parse("p50").unwrap();
        let mut period = Period::for_statistics(&[p50]);
        period.push(-1.0);
        assert_eq!(period.get(p50), None);
        assert_eq!(period.get(Statistic::Sum), Some(-1.0));
    }

    #[test]
    fn invalid_statistics_are_rejected() {
        for name in ["", "average", "Min", "p", "p101", "p-1", "pinf", "p1e1", "tm", "99"] {
            assert_eq!(Statistic::parse(name), None, "{name}");
        }
    }
}
