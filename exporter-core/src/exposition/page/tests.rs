use super::*;
use crate::exposition::desc::{Desc, DynDesc};
use crate::exposition::families::Precedence;
use crate::exposition::value::{Bucket, CounterValue, Exemplar, HistogramValue};

static LOAD: Desc<'_, 1> = Desc::gauge("load", "Load.", ["cpu"]);
static BUSY: Desc<'_, 1> = Desc::counter("busy_total", "Busy.", ["cpu"]);

fn written(format: Format, write: impl Fn(&mut Families)) -> Families {
    let mut out = Families::new(format, Escaping::AllowUtf8);
    write(&mut out);
    out
}

fn joined(parts: &[Families]) -> (String, Vec<Conflict>) {
    let part = parts.first().unwrap();
    let (page, conflicts) = join(parts, part.format, part.escaping);
    (String::from_utf8(page).unwrap(), conflicts)
}

#[test]
fn families_of_two_collectors_are_joined() {
    let (page, conflicts) = joined(&[
        written(Format::Text004, |out| out.family(&LOAD).sample(["0"], 1.0)),
        written(Format::Text004, |out| {
            out.family(&BUSY).sample(["0"], 7.0);
            out.family(&LOAD).sample(["1"], 2.0);
        }),
    ]);
    assert_eq!(
        page,
        "# HELP load Load.\n# TYPE load gauge\nload{cpu=\"0\"} 1\nload{cpu=\"1\"} 2\n\
         # HELP busy_total Busy.\n# TYPE busy_total counter\nbusy_total{cpu=\"0\"} 7\n"
    );
    assert_eq!(conflicts, []);
}

#[test]
fn families_with_another_type_or_labels_are_dropped() {
    let part = written(Format::Text004, |out| {
        out.family(&LOAD).sample(["0"], 1.0);
        out.family(&Desc::counter("load", "Load.", ["cpu"])).sample(["1"], 1.0);
        let desc = Desc::gauge("load", "Load.", ["core"]);
        let mut other = out.family(&desc);
        other.sample(["1"], 1.0);
        other.sample(["2"], 1.0);
    });
    let (page, conflicts) = joined(&[part]);
    assert_eq!(page, "# HELP load Load.\n# TYPE load gauge\nload{cpu=\"0\"} 1\n");
    assert_eq!(conflicts, [Conflict::Family { name: "load".into(), dropped: 3 }]);
}

/// As the unchecked collectors of Go: one family, and samples with other labels.
#[test]
fn families_that_are_opened_at_run_time_may_have_different_labels() {
    let part = written(Format::Text004, |out| {
        let desc = DynDesc::new("up", "Up.", Kind::Gauge, &["a"]);
        out.open(desc).sample(&["1"], 1.0);
        out.open(desc.with_labels(&[])).sample(&[], 2.0);
        out.open(desc.with_labels(&["b"])).sample(&["1"], 3.0);
        out.open(desc.with_labels(&["b"])).sample(&["1"], 4.0);
    });
    let (page, conflicts) = joined(&[part]);
    assert_eq!(page, "# HELP up Up.\n# TYPE up gauge\nup{a=\"1\"} 1\nup 2\nup{b=\"1\"} 3\n");
    assert_eq!(conflicts, [Conflict::Series { name: "up".into(), dropped: 1 }]);
}

#[test]
fn duplicate_series_are_dropped() {
    for format in [Format::Text004, Format::Protobuf] {
        let first = |out: &mut Families| {
            let mut load = out.family(&LOAD);
            load.sample(["0"], 1.0);
            load.sample(["1"], 2.0);
        };
        let twice = |out: &mut Families| {
            first(out);
            out.family(&LOAD).sample(["1"], 3.0);
            out.family(&LOAD).sample(["0"], 4.0);
        };
        let (page, conflicts) = join(&[written(format, twice)], format, Escaping::AllowUtf8);
        let (expected, none) = join(&[written(format, first)], format, Escaping::AllowUtf8);
        assert_eq!(page, expected);
        assert_eq!(none, []);
        assert_eq!(conflicts, [Conflict::Series { name: "load".into(), dropped: 2 }]);
    }
}

#[test]
fn families_of_the_exporter_take_precedence() {
    let own = |out: &mut Families| {
        out.set_precedence(Precedence::Exporter);
        out.family(&LOAD).sample(["0"], 1.0);
    };
    let guest = |out: &mut Families| {
        out.set_precedence(Precedence::Guest);
        out.family(&LOAD).sample(["0"], 7.0);
        out.family(&LOAD).sample(["1"], 7.0);
        out.family(&Desc::counter("load", "Other.", [])).sample([], 7.0);
    };
    let collector = |out: &mut Families| out.family(&LOAD).sample(["2"], 7.0);
    for format in [Format::Text004, Format::OpenMetrics, Format::Protobuf] {
        let parts = [written(format, guest), written(format, collector), written(format, own)];
        let (page, conflicts) = join(&parts, format, Escaping::AllowUtf8);
        let (expected, _) = join(&[written(format, own)], format, Escaping::AllowUtf8);
        assert_eq!(page, expected);
        assert_eq!(conflicts, [Conflict::Family { name: "load".into(), dropped: 4 }]);
    }
}

#[test]
fn guests_may_add_series_to_families_of_collectors() {
    let guest = |out: &mut Families| {
        out.set_precedence(Precedence::Guest);
        let mut load = out.family(&LOAD);
        load.sample(["0"], 7.0);
        load.sample(["9"], 9.0);
    };
    let collector = |out: &mut Families| out.family(&LOAD).sample(["0"], 1.0);
    let (page, conflicts) =
        joined(&[written(Format::Text004, guest), written(Format::Text004, collector)]);
    assert_eq!(
        page,
        "# HELP load Load.\n# TYPE load gauge\nload{cpu=\"0\"} 1\nload{cpu=\"9\"} 9\n"
    );
    assert_eq!(conflicts, [Conflict::Series { name: "load".into(), dropped: 1 }]);
}

/// In `OpenMetrics` the family of a counter is named without `_total`, which may be the name of
/// another family.
#[test]
fn a_counter_whose_stem_is_taken_has_the_type_unknown() {
    let exemplar = Exemplar { labels: &[("id", "\" # {")], value: 1.0, at: None };
    let counted =
        CounterValue { value: 5.0, created: Some(std::time::UNIX_EPOCH), exemplar: Some(exemplar) };
    for (other, kind, shown) in [
        ("unrelated", Kind::Gauge, "counter"),
        ("busy", Kind::Gauge, "unknown"),
        ("busy_created", Kind::Gauge, "unknown"),
        ("busy", Kind::Counter, "unknown"),
    ] {
        let part = written(Format::OpenMetrics, |out| {
            out.created_lines = true;
            out.family(&BUSY).counter(["0"], &counted);
            out.open(DynDesc::new(other, "", kind, &[])).sample(&[], 1.0);
        });
        let (page, _) = joined(&[part]);
        let expected = if shown == "counter" {
            "# HELP busy Busy.\n# TYPE busy counter\nbusy_total{cpu=\"0\"} 5.0 \
             # {id=\"\\\" # {\"} 1.0\nbusy_created{cpu=\"0\"} 0.0\n# TYPE"
        } else {
            "# HELP busy_total Busy.\n# TYPE busy_total unknown\n\
             busy_total{cpu=\"0\"} 5.0\n# TYPE"
        };
        assert!(page.starts_with(expected), "{other}: {page}");
    }

    let part = written(Format::OpenMetrics, |out| {
        out.family(&Desc::counter("took_count_total", "", [])).sample([], 1.0);
        let buckets = &[Bucket::new(1.0, 1)];
        let took = HistogramValue { buckets, count: 1, sum: 0.5, ..HistogramValue::default() };
        out.family(&Desc::histogram("took", "", [])).histogram([], &took);
    });
    assert!(joined(&[part]).0.contains("# TYPE took_count_total unknown"));
}

#[test]
fn an_empty_page_is_valid() {
    assert_eq!(joined(&[written(Format::Text004, |_| ())]).0, "");
    assert_eq!(joined(&[written(Format::OpenMetrics, |_| ())]).0, "# EOF\n");
}

#[test]
fn colliding_keys_are_distinguished() {
    let mut table = vec![7; 3];
    for (keys, expected) in [
        (&[][..], true),
        (&[0], true),
        (&[0, 16, 32, 48], true),
        (&[5, 5], false),
        (&[1, 17, 33, 17], false),
        (&[15, 31, 47, 0, 15], false),
    ] {
        assert_eq!(are_distinct(keys, &mut table), expected, "{keys:?}");
    }
}
