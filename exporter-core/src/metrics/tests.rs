use ::metrics::{Unit, with_local_recorder};

use super::*;
use crate::exposition::format::{Escaping, Format};
use crate::instrument::encode;

fn page(recorder: &Recorder, format: Format) -> String {
    String::from_utf8(encode(&[recorder], format, Escaping::AllowUtf8)).unwrap()
}

#[test]
fn the_macros_of_the_facade_are_exposed() {
    const SIZES: &[(&str, Buckets)] = &[("size_bytes", Buckets::classic(&[10.0, 100.0]))];
    let recorder =
        Recorder::new().with_buckets(Buckets::classic(&[0.5])).with_buckets_by_name(SIZES);
    with_local_recorder(&recorder, || {
        ::metrics::describe_counter!("read_bytes_total", Unit::Bytes, "Bytes read.");
        ::metrics::describe_histogram!("took_seconds", Unit::Seconds, "Time of a job.");
        ::metrics::describe_gauge!("depth", Unit::Count, "Depth of the queue.");
        ::metrics::counter!("read_bytes_total", "disk" => "a", "part" => "1").increment(2);
        ::metrics::counter!("read_bytes_total", "part" => "1", "disk" => "a").increment(3);
        ::metrics::counter!("read_bytes_total").absolute(7);
        ::metrics::counter!("read_bytes_total").absolute(6);
        ::metrics::gauge!("depth").increment(3.0);
        ::metrics::gauge!("depth").decrement(1.0);
        ::metrics::histogram!("took_seconds").record(0.25);
        ::metrics::histogram!("size_bytes", "kind" => "x").record(50.0);
        ::metrics::gauge!("queue.depth", "queue.name" => "in").set(1.0);
    });
    assert_eq!(
        page(&recorder, Format::Text100),
        r#"# HELP read_bytes_total Bytes read.
# TYPE read_bytes_total counter
read_bytes_total 7
read_bytes_total{disk="a",part="1"} 5
# HELP depth Depth of the queue.
# TYPE depth gauge
depth 2
# HELP "queue.depth" Not described.
# TYPE "queue.depth" gauge
{"queue.depth","queue.name"="in"} 1
# HELP size_bytes Not described.
# TYPE size_bytes histogram
size_bytes_bucket{kind="x",le="10"} 0
size_bytes_bucket{kind="x",le="100"} 1
size_bytes_bucket{kind="x",le="+Inf"} 1
size_bytes_sum{kind="x"} 50
size_bytes_count{kind="x"} 1
# HELP took_seconds Time of a job.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.5"} 1
took_seconds_bucket{le="+Inf"} 1
took_seconds_sum 0.25
took_seconds_count 1
"#
    );
    crate::testing::check_with_promtool(&page(&recorder, Format::Text004));
    let page = page(&recorder, Format::OpenMetrics);
    assert!(page.contains("# UNIT read_bytes bytes\n"), "{page}");
    assert!(page.contains("# UNIT took_seconds seconds\n"), "{page}");
    assert!(!page.contains("# UNIT depth"), "{page}");
}

#[test]
fn label_sets_have_a_limit() {
    let recorder = Recorder::new().at_most(2);
    with_local_recorder(&recorder, || {
        for id in 0..5 {
            ::metrics::counter!("jobs_total", "id" => id.to_string()).increment(1);
            ::metrics::counter!("jobs_total", "id" => "0").increment(1);
        }
        ::metrics::gauge!("depth").set(1.0);
    });
    let mut described = Vec::new();
    recorder.describe(&mut |desc| described.push(desc.name.to_owned()));
    assert_eq!(described, ["jobs_total", "depth", "instrument_refused_label_sets_total"]);
    assert_eq!(
        page(&recorder, Format::Text004)
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect::<Vec<_>>(),
        [
            r#"jobs_total{id="0"} 6"#,
            r#"jobs_total{id="1"} 1"#,
            "depth 1",
            r#"instrument_refused_label_sets_total{family="jobs_total"} 3"#,
            r#"instrument_refused_label_sets_total{family="depth"} 0"#,
        ]
    );
}

#[test]
fn a_name_used_by_two_kinds_is_exposed_once() {
    let recorder = Recorder::new();
    with_local_recorder(&recorder, || {
        ::metrics::gauge!("jobs").set(1.0);
        ::metrics::counter!("jobs").increment(2);
    });
    let page = page(&recorder, Format::Text004);
    assert_eq!(page.matches("\njobs").count(), 1, "{page}");
}
