//! The test page, and its text in every format.

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

/// A time with all digits.
pub(crate) fn moment() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 250_000_001)
}

/// A page with all that is measured `at` one time.
pub(crate) fn page(mut out: Families, at: SystemTime) -> Vec<u8> {
    let exemplar = |value| Exemplar::new(&[("trace_id", "4bf9")], value).with_time(at);
    let counter = |value| CounterValue::new(value).with_created(at);

    let mut temperature = out.family(&TEMPERATURE);
    temperature.sample(["kitchen \"A\"", "0\\1"], 21.5);
    temperature.sample(["two\nlines", ""], -1e9);
    temperature.sample(["温室\0", "1"], f64::INFINITY);
    temperature.sample(["none", "1"], f64::NAN);

    let mut requests = out.family(&REQUESTS);
    requests.counter(["200"], &counter(1_234_567.0).with_exemplar(exemplar(1.0)));
    requests.counter(["404"], &counter(3.0));
    requests.sample(["500"], 0.0);

    out.family(&ERRORS).counter([], &counter(7.0).with_exemplar(exemplar(1.0)));
    out.family(&BUSY).sample([], 1.0);
    out.family(&BUSY_TOTAL).counter([], &counter(9.0).with_exemplar(exemplar(1.0)));
    out.family(&OTHER).sample([], 0.001);
    out.family(&DATED).sample_at([], 5.0, at);

    let native = NativeBuckets::new(1)
        .with_zero(1e-3, 1)
        .with_negative(&[(-3, 1)])
        .with_positive(&[(-2, 2), (-1, 1), (4, 3), (300, 2)]);
    let buckets = [
        Bucket::new(0.25, 3).with_exemplar(exemplar(0.2)),
        Bucket::new(1.0, 5),
        Bucket::new(f64::INFINITY, 10).with_exemplar(exemplar(77.0)),
    ];
    let plain = HistogramValue::new(10, 99.5).with_created(at);
    let took = plain.with_buckets(&buckets).with_native(native);
    out.family(&TOOK).histogram(["/metrics"], &took);
    let bucket = [Bucket::new(2.0, 12_345_678)];
    let classic = HistogramValue::new(23_456_789, 99.5).with_created(at).with_buckets(&bucket);
    out.family(&PLAIN_TOOK).histogram([], &classic);
    out.family(&SIZES).histogram([], &plain.with_native(native));
    let nothing = HistogramValue::default().with_native(NativeBuckets::default()).with_created(at);
    out.family(&NOTHING).histogram([], &nothing);

    let quantiles = [(0.5, 0.25), (0.99, 1.0), (1.0, f64::NAN)];
    let waited = SummaryValue::new(3, 1.5).with_quantiles(&quantiles).with_created(at);
    out.family(&WAITED).summary(["in"], &waited);

    let labels = &["my.label", "plain"];
    let entry = DynDesc::new("test.温度", "Any \"name\".", Kind::Gauge, labels);
    out.open(entry).sample(&["x", "y"], 1.0);
    let entry = DynDesc::new("test.seen_total", "", Kind::Counter, &[]);
    out.open(entry).counter(&[], &counter(1.0));
    let entry = DynDesc::new("test.spread", "", Kind::Histogram, &["a"]);
    out.open(entry).histogram(&["b"], &plain.with_buckets(&bucket));

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
        &HistogramValue::default().with_buckets(&[Bucket::new(2.0, 1), Bucket::new(1.0, 1)]),
    );
    out.family(&WAITED).summary(["out"], &SummaryValue::default().with_quantiles(&[(1.5, 1.0)]));
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
        out.open(DynDesc::new(name, "Refused.", kind, labels)).sample(&values, 1.0);
    }
    for kind in [Kind::Histogram, Kind::Summary] {
        let labels = &["le", "quantile"];
        let mut open = out.open(DynDesc::new("reserved", "Refused.", kind, labels));
        open.histogram(&["1", "1"], &HistogramValue::default());
        open.summary(&["1", "1"], &SummaryValue::default());
    }
}

#[test]
fn text_formats_match_the_golden_files() {
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
fn text_004_never_has_quoted_names() {
    let underscores = page(Families::new(Format::Text004, Escaping::Underscores), moment());
    assert_eq!(page(Families::new(Format::Text004, Escaping::AllowUtf8), moment()), underscores);
}
