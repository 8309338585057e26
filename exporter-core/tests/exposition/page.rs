//! The page, and how it looks in every format.

use std::time::{Duration, SystemTime};

use exporter_core::desc::{Desc, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::format::{Escaping, Format};
use exporter_core::testing;
use exporter_core::value::{
    Bucket, CounterValue, Exemplar, HistogramValue, NativeBuckets, SummaryValue,
};

pub(crate) const FORMATS: [Format; 4] =
    [Format::Text004, Format::Text100, Format::OpenMetrics, Format::Protobuf];

static TEMPERATURE: Desc<'_, 2> =
    Desc::gauge("test_temperature", "How \"warm\" it is,\nin \\degrees.", ["room", "floor"]);
static REQUESTS: Desc<'_, 1> = Desc::counter("test_requests_total", "Requests.", ["code"]);
static ERRORS: Desc = Desc::counter("test_errors", "A counter without its suffix.", []);
static BUSY: Desc = Desc::gauge("test_busy", "Takes the next one's name.", []);
static BUSY_TOTAL: Desc = Desc::counter("test_busy_total", "Times busy.", []);
static OTHER: Desc = Desc::untyped("test_other", "Of no known type.", []);
static DATED: Desc = Desc::gauge("test_dated", "Measured earlier.", []);
static TOOK: Desc<'_, 1> = Desc::histogram("test_took_seconds", "Took.", ["path"]);
static PLAIN_TOOK: Desc = Desc::histogram("test_plain_took_seconds", "Took.", []);
static SIZES: Desc = Desc::histogram("test_size_bytes", "Sizes.", []);
static NOTHING: Desc = Desc::histogram("test_nothing_seconds", "Empty.", []);
static WAITED: Desc<'_, 1> = Desc::summary("test_waited_seconds", "Waited.", ["queue"]);

/// A moment that has all digits.
pub(crate) fn moment() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 250_000_001)
}

/// A page with all that is measured `at` one time.
pub(crate) fn page(mut out: Families, at: SystemTime) -> Vec<u8> {
    let exemplar = |value| Some(Exemplar { labels: &[("trace_id", "4bf9")], value, at: Some(at) });
    let created = Some(at);

    let mut temperature = out.family(&TEMPERATURE);
    temperature.sample(["kitchen \"A\"", "0\\1"], 21.5);
    temperature.sample(["two\nlines", ""], -1e9);
    temperature.sample(["温室\0", "1"], f64::INFINITY);
    temperature.sample(["none", "1"], f64::NAN);

    let mut requests = out.family(&REQUESTS);
    requests
        .counter(["200"], &CounterValue { value: 1_234_567.0, created, exemplar: exemplar(1.0) });
    requests.counter(["404"], &CounterValue { value: 3.0, created, exemplar: None });
    requests.sample(["500"], 0.0);

    out.family(&ERRORS).counter([], &CounterValue { value: 7.0, created, exemplar: exemplar(1.0) });
    out.family(&BUSY).sample([], 1.0);
    out.family(&BUSY_TOTAL)
        .counter([], &CounterValue { value: 9.0, created, exemplar: exemplar(1.0) });
    out.family(&OTHER).sample([], 0.001);
    out.family(&DATED).sample_at([], 5.0, at);

    let native = NativeBuckets {
        schema: 1,
        zero_threshold: 1e-3,
        zero_count: 1,
        negative: &[(-3, 1)],
        positive: &[(-2, 2), (-1, 1), (4, 3), (300, 2)],
    };
    let buckets = [
        Bucket { exemplar: exemplar(0.2), ..Bucket::new(0.25, 3) },
        Bucket::new(1.0, 5),
        Bucket { exemplar: exemplar(77.0), ..Bucket::new(f64::INFINITY, 10) },
    ];
    let took = HistogramValue {
        count: 10,
        sum: 99.5,
        buckets: &buckets,
        native: Some(native),
        created,
        ..HistogramValue::default()
    };
    out.family(&TOOK).histogram(["/metrics"], &took);
    let plain = HistogramValue { buckets: &[Bucket::new(2.0, 12_345_678)], ..took };
    out.family(&PLAIN_TOOK)
        .histogram([], &HistogramValue { native: None, count: 23_456_789, ..plain });
    out.family(&SIZES).histogram([], &HistogramValue { buckets: &[], ..took });
    let nothing = HistogramValue {
        native: Some(NativeBuckets::default()),
        created,
        ..HistogramValue::default()
    };
    out.family(&NOTHING).histogram([], &nothing);

    let waited = SummaryValue {
        count: 3,
        sum: 1.5,
        quantiles: &[(0.5, 0.25), (0.99, 1.0), (1.0, f64::NAN)],
        created,
    };
    out.family(&WAITED).summary(["in"], &waited);

    let labels = &["my.label", "plain"];
    let entry = DynDesc { name: "test.温度", help: "Any \"name\".", kind: Kind::Gauge, labels };
    out.open(entry).sample(&["x", "y"], 1.0);
    let entry = DynDesc { name: "test.seen_total", help: "", kind: Kind::Counter, labels: &[] };
    out.open(entry).counter(&[], &CounterValue { value: 1.0, created, exemplar: None });
    let entry = DynDesc { name: "test.spread", help: "", kind: Kind::Histogram, labels: &["a"] };
    out.open(entry).histogram(&["b"], &HistogramValue { native: None, ..plain });

    refused(&mut out);
    let (page, dropped) = testing::page_with_dropped(&[out]);
    assert_eq!(dropped.len(), 1, "{dropped:?}");
    page
}

/// Samples that are refused in every format.
fn refused(out: &mut Families) {
    out.family(&TOOK).sample(["/x"], 1.0);
    out.family(&BUSY).histogram([], &HistogramValue::default());
    out.family(&NOTHING).histogram(
        [],
        &HistogramValue {
            buckets: &[Bucket::new(2.0, 1), Bucket::new(1.0, 1)],
            ..HistogramValue::default()
        },
    );
    out.family(&WAITED)
        .summary(["out"], &SummaryValue { quantiles: &[(1.5, 1.0)], ..SummaryValue::default() });
    out.family(&DATED).sample_at([], 5.0, SystemTime::UNIX_EPOCH - Duration::from_secs(1));
    for (name, labels) in [
        ("", &[][..]),
        ("nul\0", &[]),
        ("twice", &["a", "a"]),
        ("twice_escaped", &["__name__", "b"]),
        ("empty", &[""]),
    ] {
        let values = vec!["v"; labels.len()];
        let kind = Kind::Gauge;
        out.open(DynDesc { name, help: "Refused.", kind, labels }).sample(&values, 1.0);
    }
    for kind in [Kind::Histogram, Kind::Summary] {
        let labels = &["le", "quantile"];
        let mut open = out.open(DynDesc { name: "reserved", help: "Refused.", kind, labels });
        open.histogram(&["1", "1"], &HistogramValue::default());
        open.summary(&["1", "1"], &SummaryValue::default());
    }
}

#[test]
fn text_formats_are_as_they_were() {
    for (format, escaping, created, file) in [
        (Format::Text004, Escaping::Underscores, false, "text-0.0.4"),
        (Format::Text004, Escaping::Values, false, "text-0.0.4-values"),
        (Format::Text100, Escaping::AllowUtf8, false, "text-1.0.0"),
        (Format::OpenMetrics, Escaping::AllowUtf8, false, "openmetrics"),
        (Format::OpenMetrics, Escaping::Underscores, true, "openmetrics-created"),
    ] {
        let out = Families::new(format, escaping);
        let out = if created { out.with_created_lines() } else { out };
        let page = String::from_utf8(page(out, moment())).unwrap();
        assert!(!page.contains('\0'));
        testing::golden(format!("{}/tests/golden/{file}.txt", env!("CARGO_MANIFEST_DIR")), &page);
    }
}

#[test]
fn text_004_has_no_quoted_names_whoever_asks() {
    let underscores = page(Families::new(Format::Text004, Escaping::Underscores), moment());
    assert_eq!(page(Families::new(Format::Text004, Escaping::AllowUtf8), moment()), underscores);
}
