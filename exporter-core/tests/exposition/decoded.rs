//! The protobuf page, decoded by prost and compared with the text formats.

use std::collections::BTreeMap;

use exporter_core::desc::{DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::format::{Escaping, Format};
use exporter_core::testing;
use exporter_core::value::{Bucket, CounterValue, HistogramValue, SummaryValue};
use proptest::prelude::*;
use prost::Message;

use crate::page::{FORMATS, moment, page};
use crate::reading::{Samples, bound, samples};

/// `io.prometheus.client`, by its field numbers.
#[derive(Clone, PartialEq, Message)]
struct MetricFamily {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    help: String,
    #[prost(int32, tag = "3")]
    kind: i32,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Value>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Counter>,
    #[prost(message, optional, tag = "4")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "5")]
    untyped: Option<Value>,
    #[prost(int64, optional, tag = "6")]
    timestamp_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct LabelPair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(double, tag = "1")]
    value: f64,
}

#[derive(Clone, PartialEq, Message)]
struct Counter {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(message, optional, tag = "2")]
    exemplar: Option<Exemplar>,
    #[prost(message, optional, tag = "3")]
    created: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    sum: f64,
    #[prost(message, repeated, tag = "3")]
    quantile: Vec<Quantile>,
    #[prost(message, optional, tag = "4")]
    created: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
struct Quantile {
    #[prost(double, tag = "1")]
    quantile: f64,
    #[prost(double, tag = "2")]
    value: f64,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    sum: f64,
    #[prost(message, repeated, tag = "3")]
    bucket: Vec<ClassicBucket>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, tag = "6")]
    zero_threshold: f64,
    #[prost(uint64, tag = "7")]
    zero_count: u64,
    #[prost(message, repeated, tag = "9")]
    negative_span: Vec<Span>,
    #[prost(sint64, repeated, tag = "10")]
    negative_delta: Vec<i64>,
    #[prost(message, repeated, tag = "12")]
    positive_span: Vec<Span>,
    #[prost(sint64, repeated, tag = "13")]
    positive_delta: Vec<i64>,
    #[prost(message, optional, tag = "15")]
    created: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
struct ClassicBucket {
    #[prost(uint64, tag = "1")]
    count: u64,
    #[prost(double, tag = "2")]
    le: f64,
    #[prost(message, optional, tag = "3")]
    exemplar: Option<Exemplar>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(double, tag = "2")]
    value: f64,
    #[prost(message, optional, tag = "3")]
    at: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

fn decode(mut page: &[u8]) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    while !page.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut page).unwrap());
    }
    families
}

/// The series that a text format would have.
fn expanded(families: &[MetricFamily]) -> Samples {
    let mut samples = Samples::new();
    for family in families {
        for metric in &family.metric {
            let mut put = |suffix: &str, extra: Option<(&str, f64)>, value: f64| {
                let mut labels: BTreeMap<_, _> =
                    metric.label.iter().map(|l| (l.name.clone(), l.value.clone())).collect();
                labels.insert("__name__".into(), format!("{}{suffix}", family.name));
                if let Some((name, value)) = extra {
                    labels.insert(name.into(), bound(value));
                }
                assert!(samples.insert(labels, value).is_none());
            };
            if let Some(counter) = &metric.counter {
                put("", None, counter.value);
            }
            if let Some(value) = metric.gauge.as_ref().or(metric.untyped.as_ref()) {
                put("", None, value.value);
            }
            if let Some(summary) = &metric.summary {
                for quantile in &summary.quantile {
                    put("", Some(("quantile", quantile.quantile)), quantile.value);
                }
                put("_sum", None, summary.sum);
                put("_count", None, summary.count as f64);
            }
            if let Some(histogram) = &metric.histogram {
                for bucket in &histogram.bucket {
                    put("_bucket", Some(("le", bucket.le)), bucket.count as f64);
                }
                if histogram.bucket.is_empty() {
                    put("_bucket", Some(("le", f64::INFINITY)), histogram.count as f64);
                }
                put("_sum", None, histogram.sum);
                put("_count", None, histogram.count as f64);
            }
        }
    }
    samples
}

/// NaN is NaN here.
fn bits(samples: Samples) -> BTreeMap<BTreeMap<String, String>, u64> {
    let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    samples.into_iter().map(|(labels, value)| (labels, bits(value))).collect()
}

fn read(format: Format, page: Vec<u8>) -> BTreeMap<BTreeMap<String, String>, u64> {
    bits(match format {
        Format::Protobuf => expanded(&decode(&page)),
        _ => samples(&String::from_utf8(page).unwrap()),
    })
}

#[test]
fn every_format_has_the_same_series() {
    for escaping in [Escaping::Underscores, Escaping::Dots, Escaping::Values, Escaping::AllowUtf8] {
        let expected =
            read(Format::Text100, page(Families::new(Format::Text100, escaping), moment()));
        for format in FORMATS {
            if (format, escaping) != (Format::Text004, Escaping::AllowUtf8) {
                let found = read(format, page(Families::new(format, escaping), moment()));
                assert_eq!(found, expected, "{format:?} {escaping:?}");
            }
        }
    }
}

#[test]
fn protobuf_has_native_histograms_and_exemplars() {
    let page = page(Families::new(Format::Protobuf, Escaping::AllowUtf8), moment());
    let families = decode(&page);
    let family = |name: &str| families.iter().find(|family| family.name == name).unwrap();
    let first = |name: &str| family(name).metric.first().unwrap().clone();
    let at = Some(Timestamp { seconds: 1_700_000_000, nanos: 250_000_001 });
    let label = LabelPair { name: "trace_id".into(), value: "4bf9".into() };
    let exemplar = |value| Some(Exemplar { label: vec![label.clone()], value, at });

    let kinds: Vec<_> = families.iter().map(|family| (&*family.name, family.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("test_temperature", 1),
            ("test_requests_total", 0),
            ("test_errors", 0),
            ("test_busy", 1),
            ("test_busy_total", 0),
            ("test_other", 3),
            ("test_dated", 1),
            ("test_took_seconds", 4),
            ("test_plain_took_seconds", 4),
            ("test_size_bytes", 4),
            ("test_nothing_seconds", 4),
            ("test_waited_seconds", 2),
            ("test.温度", 1),
            ("test.seen_total", 0),
            ("test.spread", 4),
        ]
    );
    assert_eq!(family("test_temperature").help, "How \"warm\" it is,\nin \\degrees.");
    let counter = first("test_requests_total").counter.unwrap();
    assert_eq!((counter.exemplar, counter.created), (exemplar(1.0), at));
    assert_eq!(first("test_errors").counter.unwrap().exemplar, exemplar(1.0));
    assert_eq!(first("test_dated").timestamp_ms, Some(1_700_000_000_250));
    assert_eq!(first("test_waited_seconds").summary.unwrap().created, at);

    let took = first("test_took_seconds").histogram.unwrap();
    assert_eq!(took.bucket.len(), 3);
    assert_eq!(took.bucket[0].exemplar, exemplar(0.2));
    assert_eq!(took.bucket[2].exemplar, exemplar(77.0));
    assert_eq!((took.count, took.schema, took.created), (10, Some(1), at));
    assert_eq!((took.zero_threshold, took.zero_count), (1e-3, 1));
    assert_eq!(took.negative_span, [Span { offset: -3, length: 1 }]);
    assert_eq!(took.negative_delta, [1]);
    let spans = [(-2, 2), (4, 1), (295, 1)].map(|(offset, length)| Span { offset, length });
    assert_eq!(took.positive_span, spans);
    assert_eq!(took.positive_delta, [2, -1, 2, -1]);

    assert_eq!(first("test_plain_took_seconds").histogram.unwrap().schema, None);
    let nothing = first("test_nothing_seconds").histogram.unwrap();
    assert_eq!(nothing.positive_span, [Span { offset: 0, length: 0 }]);
    assert_eq!((nothing.bucket.len(), nothing.schema), (0, Some(0)));
}

/// Names and values of any text, and numbers of any bits.
fn anything() -> impl Strategy<Value = (String, Vec<(String, String)>, u64)> {
    let name = "[^\0]{1,8}|[a-z_.]{1,12}";
    let label = (name, "\\PC{0,12}|[\"\\\\\n\0a]{0,6}");
    (name, proptest::collection::vec(label, 0..4), any::<u64>())
}

proptest! {
    #[test]
    fn what_is_written_is_read((name, labels, bits_of) in anything()) {
        let names: Vec<&str> = labels.iter().map(|(name, _)| &**name).collect();
        let values: Vec<&str> = labels.iter().map(|(_, value)| &**value).collect();
        let number = f64::from_bits(bits_of);
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let reserved = names.iter().any(|name| ["__name__", "le", "quantile"].contains(name));
        prop_assume!(sorted.len() == names.len() && !reserved);

        for kind in [Kind::Gauge, Kind::Counter, Kind::Histogram, Kind::Summary] {
            let entry = DynDesc::new(&name, &name, kind, &names);
            let mut expected = None;
            for format in [Format::Text100, Format::OpenMetrics, Format::Protobuf] {
                let mut out = Families::new(format, Escaping::AllowUtf8);
                let mut open = out.open(entry);
                match kind {
                    Kind::Counter => {
                        let value = CounterValue::new(number).with_created(moment());
                        open.counter(&values, &value);
                    }
                    Kind::Histogram => {
                        let buckets = &[Bucket::new(number, bits_of)];
                        let buckets = if number.is_nan() { &[][..] } else { buckets };
                        open.histogram(&values, &HistogramValue::new(1, number).with_buckets(buckets));
                    }
                    Kind::Summary => {
                        let quantiles = &[(0.1, number)];
                        open.summary(&values, &SummaryValue::new(bits_of, number).with_quantiles(quantiles));
                    }
                    _ => open.sample(&values, number),
                }
                let page = testing::page(&[out]);
                if format != Format::Protobuf {
                    prop_assert!(!page.contains(&0));
                }
                let found = read(format, page);
                if kind == Kind::Gauge {
                    let clean = |text: &str| text.replace('\0', "\u{fffd}");
                    let mut labels: BTreeMap<_, _> = labels.iter().map(|(name, value)| (name.clone(), clean(value))).collect();
                    labels.insert("__name__".into(), name.clone());
                    prop_assert_eq!(&found, &bits([(labels, number)].into()));
                }
                prop_assert_eq!(&found, expected.get_or_insert(found.clone()), "{:?}", format);
            }
        }
    }
}
