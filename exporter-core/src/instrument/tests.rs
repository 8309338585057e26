#![expect(clippy::float_cmp, reason = "sums of halves are exact")]

use std::thread;
use std::time::Duration;

use super::*;
use crate::exposition::format::{Escaping, Format};

static HITS: Metric<Counter> = Metric::counter("hits_total", "Hits.");
static QUEUE: Labelled<Gauge, 1> = Labelled::gauge("queue", "Waiting.", ["name"]);
static TOOK: Metric<Histogram> =
    Metric::histogram("took_seconds", "Took.", Buckets::classic(&[0.5, 1.0]));
static SIZES: Metric<Histogram> = Metric::histogram("size_bytes", "Sizes.", Buckets::native());
static WAITED: Metric<Summary> =
    Metric::summary("waited_seconds", "Waited.", Window::quantiles(&[0.5]));

fn page(instruments: &[&dyn Instrument], format: Format) -> String {
    String::from_utf8(encode(instruments, format, Escaping::Underscores)).unwrap()
}

#[test]
fn instruments_are_written_as_a_page() {
    HITS.inc();
    HITS.inc_by(2);
    HITS.add(0.5);
    HITS.add(-7.0);
    HITS.add(f64::NAN);
    QUEUE.with(["b"]).set(3.0);
    QUEUE.with(["a"]).add(-1.5);
    for value in [0.25, 0.5, 0.75, 4.0, f64::NAN] {
        TOOK.observe(value);
        SIZES.observe(value);
        WAITED.observe(value);
    }
    assert_eq!(
        page(&[&HITS, &QUEUE, &TOOK, &SIZES, &WAITED], Format::Text004),
        "# HELP hits_total Hits.\n# TYPE hits_total counter\n\
         hits_total 3.5\n\
         # HELP queue Waiting.\n# TYPE queue gauge\n\
         queue{name=\"a\"} -1.5\n\
         queue{name=\"b\"} 3\n\
         # HELP took_seconds Took.\n# TYPE took_seconds histogram\n\
         took_seconds_bucket{le=\"0.5\"} 2\n\
         took_seconds_bucket{le=\"1\"} 3\n\
         took_seconds_bucket{le=\"+Inf\"} 4\n\
         took_seconds_sum 5.5\n\
         took_seconds_count 4\n\
         # HELP size_bytes Sizes.\n# TYPE size_bytes histogram\n\
         size_bytes_bucket{le=\"+Inf\"} 4\n\
         size_bytes_sum 5.5\n\
         size_bytes_count 4\n\
         # HELP waited_seconds Waited.\n# TYPE waited_seconds summary\n\
         waited_seconds{quantile=\"0.5\"} 0.5\n\
         waited_seconds_sum 5.5\n\
         waited_seconds_count 4\n"
    );
}

#[test]
fn the_last_exemplar_of_each_bucket_is_kept() {
    static SEEN: Labelled<Counter, 1> = Labelled::counter("seen_total", "Seen.", ["what"]);
    static TOOK: Metric<Histogram> =
        Metric::histogram("took_seconds", "Took.", Buckets::classic(&[1.0]).and_native());
    SEEN.with(["x"]).add_with_exemplar(1.0, &[("trace_id", "1")]);
    SEEN.with(["x"]).add_with_exemplar(2.0, &[("trace_id", "2")]);
    TOOK.observe_with_exemplar(0.5, &[("trace_id", "3")]);
    TOOK.observe_with_exemplar(5.0, &[("trace_id", "4")]);
    TOOK.observe(0.25);
    let page = page(&[&SEEN, &TOOK], Format::OpenMetrics);
    for start in [
        "seen_total{what=\"x\"} 3.0 # {trace_id=\"2\"} 2.0 1",
        "took_seconds_bucket{le=\"1.0\"} 2 # {trace_id=\"3\"} 0.5 1",
        "took_seconds_bucket{le=\"+Inf\"} 3 # {trace_id=\"4\"} 5.0 1",
    ] {
        assert!(page.lines().any(|line| line.starts_with(start)), "{start}\n{page}");
    }
}

#[test]
fn guards_act_when_they_are_dropped() {
    static LONG: Metric<Histogram> =
        Metric::histogram("long_seconds", "Long.", Buckets::classic(&[0.5]));
    let gauge = Gauge::new();
    let one = gauge.in_progress();
    let two = gauge.in_progress();
    assert_eq!(gauge.value(), 2.0);
    drop((one, two));
    assert_eq!(gauge.value(), 0.0);

    drop(LONG.time());
    LONG.time().discard();
    let timer = LONG.time();
    thread::sleep(Duration::from_millis(600));
    assert!(timer.stop() >= Duration::from_millis(600));
    let page = page(&[&LONG], Format::Text004);
    assert!(page.contains("le=\"0.5\"} 1\nlong_seconds_bucket{le=\"+Inf\"} 2\n"), "{page}");
}

#[test]
fn series_can_be_removed() {
    static LIVE: Labelled<Gauge, 2> = Labelled::gauge("live", "Live.", ["a", "b"]);
    for labels in [["1", "x"], ["2", "y"], ["1", "y"]] {
        LIVE.with(labels).inc();
    }
    assert!(std::ptr::eq(&raw const *LIVE.with(["1", "x"]), &raw const *LIVE.with(["1", "x"])));
    assert!(LIVE.remove(["2", "y"]));
    assert!(!LIVE.remove(["2", "y"]));
    LIVE.retain(|[_, b]| b == "y");
    assert_eq!(page(&[&LIVE], Format::Text004).lines().last(), Some("live{a=\"1\",b=\"y\"} 1"));
    LIVE.clear();
    assert_eq!(page(&[&LIVE], Format::Text004), "");
}

#[test]
fn concurrent_updates_are_not_lost() {
    static SUM: Metric<Counter> = Metric::counter("sum_total", "Sum.");
    static LEVEL: Labelled<Gauge, 1> = Labelled::gauge("level", "Level.", ["n"]);
    static SPREAD: Metric<Histogram> =
        Metric::histogram("spread", "Spread.", Buckets::classic(&[2.0]).and_native());
    let count = |n: usize| {
        for _ in 0..1000 {
            SUM.inc();
            SUM.add(0.5);
            LEVEL.with([["even", "odd"][n % 2]]).inc();
            SPREAD.observe(n as f64);
        }
    };
    thread::scope(|scope| {
        for n in 0..4 {
            scope.spawn(move || count(n));
        }
    });
    assert_eq!(SUM.value(), 6000.0);
    assert_eq!(LEVEL.with(["odd"]).value(), 2000.0);
    let page = page(&[&SPREAD], Format::Text004);
    assert!(
        page.contains(
            "spread_bucket{le=\"2\"} 3000\nspread_bucket{le=\"+Inf\"} 4000\nspread_sum 6000\n"
        ),
        "{page}"
    );
}

#[test]
fn guards_own_their_instrument() {
    static TOOK: Labelled<Histogram, 1> =
        Labelled::histogram("owned_seconds", "Took.", ["code"], Buckets::classic(&[1000.0]));
    static OPEN: Labelled<Gauge, 1> = Labelled::gauge("owned", "Open.", ["code"]);
    let timer = TOOK.with(["200"]).time();
    let open = OPEN.with(["200"]).in_progress();
    assert_eq!(OPEN.with(["200"]).value(), 1.0);
    drop((timer, open));
    assert_eq!(TOOK.with(["200"]).count(), 1);
    assert_eq!(OPEN.with(["200"]).value(), 0.0);

    let timer = TOOK.start_timer();
    assert!(timer.stop(["404"]) > Duration::ZERO);
    assert!(TOOK.with(["404"]).sum() > 0.0);
    drop(TOOK.start_timer());
    assert_eq!(TOOK.with(["404"]).count(), 1);
}

#[test]
fn label_sets_are_limited_and_the_refused_are_counted() {
    static SEEN: Labelled<Counter, 2> =
        Labelled::counter("limited_total", "Seen.", ["a", "b"]).at_most(2);
    for labels in [["x", "1"], ["y", "1"], ["z", "1"], ["x", "1"], ["x", "2"]] {
        SEEN.with(labels).inc();
    }
    assert_eq!(SEEN.refused(), 2);
    let page = page(&[&SEEN], Format::Text004);
    let samples: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        samples,
        [
            "limited_total{a=\"x\",b=\"1\"} 2",
            "limited_total{a=\"y\",b=\"1\"} 1",
            "instrument_refused_label_sets_total{family=\"limited_total\"} 2",
        ]
    );
}

#[test]
fn many_label_sets_are_found() {
    static MANY: Labelled<Counter, 2> = Labelled::counter("many_total", "Many.", ["a", "b"]);
    for round in 1..=2_u32 {
        for n in 0..100_000_u32 {
            let (a, b) = ((n % 317).to_string(), n.to_string());
            MANY.with([&a, &b]).inc();
        }
        assert_eq!(MANY.with(["0", "317"]).value(), f64::from(round));
    }
}

#[test]
fn computed_values_info_and_state_sets_are_written() {
    static DEPTH: FromFn =
        FromFn::<fn() -> f64>::gauge("depth_bytes", "Depth.", || 7.0).with_unit("bytes");
    static BUILD: Info<1> = Info::new("build_info", "Build.", ["version"], ["1.0"]);
    static STATE: StateSet = StateSet::new("state", "State.", &["up", "down"]);
    assert!(STATE.set("down"));
    assert!(!STATE.set("sideways"));
    let all: [&dyn Instrument; 3] = [&DEPTH, &BUILD, &STATE];
    let samples = "build_info{version=\"1.0\"} 1";
    let text = page(&all, Format::Text004);
    assert!(text.contains("# TYPE build_info gauge\n") && text.contains(samples), "{text}");
    assert!(text.contains("# TYPE state gauge\nstate{state=\"up\"} 0\nstate{state=\"down\"} 1\n"));
    assert_eq!(
        page(&all, Format::OpenMetrics),
        "# HELP depth_bytes Depth.\n# TYPE depth_bytes gauge\n# UNIT depth_bytes bytes\n\
         depth_bytes 7.0\n\
         # HELP build Build.\n# TYPE build info\nbuild_info{version=\"1.0\"} 1.0\n\
         # HELP state State.\n# TYPE state stateset\n\
         state{state=\"up\"} 0.0\nstate{state=\"down\"} 1.0\n# EOF\n"
    );
}

/// Protobuf has the field `exemplars` of a native histogram, `OpenMetrics` the bucket `+Inf`.
#[test]
fn a_native_histogram_keeps_an_exemplar() {
    static SIZE: Metric<Histogram> = Metric::histogram("native", "Size.", Buckets::native());
    SIZE.observe_with_exemplar(3.0, &[("trace_id", "first")]);
    SIZE.observe_with_exemplar(5.0, &[("trace_id", "second")]);
    let page = encode(&[&SIZE], Format::Protobuf, Escaping::Underscores);
    let holds = |text: &[u8]| page.windows(text.len()).any(|window| window == text);
    assert!(holds(b"second") && !holds(b"first"));
    let page = encode(&[&SIZE], Format::OpenMetrics, Escaping::Underscores);
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("native_bucket{le=\"+Inf\"} 2 # {trace_id=\"second\"} 5.0 "), "{page}");
}
