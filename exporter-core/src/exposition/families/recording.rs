//! The samples of a collector, kept so that they can be written again in any format.

use std::time::{Duration, SystemTime};

use super::Precedence;
#[cfg(feature = "serve")]
use super::{DynFamily, Families};
use crate::exposition::desc::{DynDesc, Kind};
#[cfg(feature = "serve")]
use crate::exposition::value::{Bucket, NativeBuckets};
use crate::exposition::value::{CounterValue, HistogramValue, SummaryValue};

/// The samples that a collector wrote, without exemplars.
#[derive(Debug, Default)]
pub(crate) struct Recording(Vec<RecordedFamily>);

#[derive(Debug)]
struct RecordedFamily {
    name: String,
    help: String,
    unit: String,
    kind: Kind,
    labels: Vec<String>,
    is_dynamic: bool,
    precedence: Precedence,
    samples: Vec<(Box<[Box<str>]>, RecordedValue)>,
}

#[derive(Debug)]
enum RecordedValue {
    Number(f64),
    NumberAt(f64, SystemTime),
    Counter { value: f64, created: Option<SystemTime> },
    // Boxed, because most samples are numbers.
    Histogram(Box<RecordedHistogram>),
    Summary { count: u64, sum: f64, quantiles: Vec<(f64, f64)>, created: Option<SystemTime> },
}

#[derive(Debug)]
struct RecordedHistogram {
    count: u64,
    sum: f64,
    /// Bound and count.
    buckets: Vec<(f64, u64)>,
    native: Option<RecordedNativeBuckets>,
    created: Option<SystemTime>,
}

#[derive(Debug)]
struct RecordedNativeBuckets {
    schema: i32,
    zero_threshold: f64,
    zero_count: u64,
    negative: Vec<(i32, u64)>,
    positive: Vec<(i32, u64)>,
}

impl Recording {
    pub(super) fn open(&mut self, desc: DynDesc<'_>, is_dynamic: bool, precedence: Precedence) {
        self.0.push(RecordedFamily {
            name: desc.name.to_owned(),
            help: desc.help.to_owned(),
            unit: desc.unit.to_owned(),
            kind: desc.kind,
            labels: desc.labels.iter().map(|label| (*label).to_owned()).collect(),
            is_dynamic,
            precedence,
            samples: Vec::new(),
        });
    }

    pub(super) fn number(&mut self, labels: &[&str], value: f64, at: Option<Duration>) {
        let at = at.and_then(|at| SystemTime::UNIX_EPOCH.checked_add(at));
        let number = RecordedValue::Number(value);
        self.push(labels, at.map_or(number, |at| RecordedValue::NumberAt(value, at)));
    }

    pub(super) fn counter(&mut self, labels: &[&str], value: &CounterValue<'_>) {
        let CounterValue { value, created, .. } = *value;
        self.push(labels, RecordedValue::Counter { value, created });
    }

    pub(super) fn histogram(&mut self, labels: &[&str], value: &HistogramValue<'_>) {
        let native = value.native.map(|native| RecordedNativeBuckets {
            schema: native.schema,
            zero_threshold: native.zero_threshold,
            zero_count: native.zero_count,
            negative: native.negative.to_vec(),
            positive: native.positive.to_vec(),
        });
        let histogram = RecordedHistogram {
            count: value.count,
            sum: value.sum,
            buckets: value.buckets.iter().map(|bucket| (bucket.le, bucket.count)).collect(),
            native,
            created: value.created,
        };
        self.push(labels, RecordedValue::Histogram(Box::new(histogram)));
    }

    pub(super) fn summary(&mut self, labels: &[&str], value: &SummaryValue<'_>) {
        let SummaryValue { count, sum, quantiles, created } = *value;
        let quantiles = quantiles.to_vec();
        self.push(labels, RecordedValue::Summary { count, sum, quantiles, created });
    }

    /// Writes all samples again.
    #[cfg(feature = "serve")]
    pub(crate) fn write(&self, out: &mut Families) {
        for family in &self.0 {
            out.set_precedence(family.precedence);
            let labels: Vec<_> = family.labels.iter().map(String::as_str).collect();
            let desc = DynDesc {
                name: &family.name,
                help: &family.help,
                kind: family.kind,
                labels: &labels,
                unit: &family.unit,
            };
            let mut open = out.open_as(desc, family.is_dynamic);
            let mut values = Vec::with_capacity(labels.len());
            for (labels, value) in &family.samples {
                values.clear();
                values.extend(labels.iter().map(AsRef::as_ref));
                value.write(&mut open, &values);
            }
        }
    }

    fn push(&mut self, labels: &[&str], value: RecordedValue) {
        if let Some(family) = self.0.last_mut() {
            let labels = labels.iter().map(|label| (*label).into()).collect();
            family.samples.push((labels, value));
        }
    }
}

#[cfg(feature = "serve")]
impl RecordedValue {
    fn write(&self, out: &mut DynFamily<'_>, labels: &[&str]) {
        match self {
            Self::Number(value) => out.sample(labels, *value),
            Self::NumberAt(value, at) => out.sample_at(labels, *value, *at),
            Self::Counter { value, created } => {
                let counter = CounterValue { value: *value, created: *created, exemplar: None };
                out.counter(labels, &counter);
            }
            Self::Histogram(histogram) => histogram.write(out, labels),
            Self::Summary { count, sum, quantiles, created } => {
                let (count, sum, created) = (*count, *sum, *created);
                out.summary(labels, &SummaryValue { count, sum, quantiles, created });
            }
        }
    }
}

#[cfg(feature = "serve")]
impl RecordedHistogram {
    fn write(&self, out: &mut DynFamily<'_>, labels: &[&str]) {
        let buckets = self.buckets.iter().map(|(le, count)| Bucket::new(*le, *count));
        let buckets: Vec<_> = buckets.collect();
        let native = self.native.as_ref().map(|native| NativeBuckets {
            schema: native.schema,
            zero_threshold: native.zero_threshold,
            zero_count: native.zero_count,
            negative: &native.negative,
            positive: &native.positive,
        });
        let histogram = HistogramValue {
            count: self.count,
            sum: self.sum,
            buckets: &buckets,
            native,
            exemplars: &[],
            created: self.created,
        };
        out.histogram(labels, &histogram);
    }
}

#[cfg(all(test, feature = "serve"))]
mod tests {
    use super::*;
    use crate::exposition::desc::Desc;
    use crate::exposition::format::{Escaping, Format};
    use crate::exposition::join;

    static NUMBERS: Desc<1> =
        Desc::gauge("numbers_seconds", "Numbers.", ["a"]).with_unit("seconds");
    static EVENTS: Desc<0> = Desc::counter("events_total", "Events.", []);
    static TIMES: Desc<0> = Desc::histogram("times", "Times.", []);
    static SIZES: Desc<0> = Desc::summary("sizes", "Sizes.", []);

    fn write_all(out: &mut Families) {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
        let mut numbers = out.family(&NUMBERS);
        numbers.sample(["x"], 1.5);
        numbers.sample_at(["y\n\"z"], f64::NAN, at);
        let created = Some(at);
        let counter = CounterValue { value: 3.0, created, exemplar: None };
        out.family(&EVENTS).counter([], &counter);
        let native = NativeBuckets {
            schema: 3,
            zero_threshold: 0.0,
            zero_count: 0,
            negative: &[],
            positive: &[(-2, 1), (4, 2)],
        };
        let buckets = [Bucket::new(0.5, 1), Bucket::new(f64::INFINITY, 3)];
        let histogram = HistogramValue {
            count: 3,
            sum: 7.0,
            buckets: &buckets,
            native: Some(native),
            exemplars: &[],
            created,
        };
        out.family(&TIMES).histogram([], &histogram);
        let summary = SummaryValue { count: 2, sum: 3.0, quantiles: &[(0.5, 1.0)], created };
        out.family(&SIZES).summary([], &summary);
        let labels = &["b"];
        let desc = DynDesc::new("dynamic", "", Kind::Untyped, labels);
        out.open(desc).sample(&["1"], 1.0);
    }

    #[test]
    fn a_recording_writes_the_same_page_in_every_format() {
        let mut first = Families::new(Format::Text004, Escaping::Underscores);
        first.record();
        write_all(&mut first);
        let recording = first.take_recording().unwrap();
        for format in [Format::Text004, Format::Text100, Format::OpenMetrics, Format::Protobuf] {
            let page = |write: &dyn Fn(&mut Families)| {
                let mut out = Families::new(format, Escaping::Underscores).with_created_lines();
                write(&mut out);
                join(&[out], format, Escaping::Underscores).0
            };
            let direct = page(&write_all);
            assert!(!direct.is_empty());
            assert_eq!(page(&|out| recording.write(out)), direct, "{format:?}");
        }
    }
}
