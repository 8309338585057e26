//! Joins the families of all collectors into one page.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::ops::Range;

use super::desc::Kind;
use super::families::{Families, Precedence, Segment, Series};
use super::format::{Escaping, Format};
use super::hash::Keyed;
use super::{protobuf, text};

/// Series that were left out of a page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Conflict {
    /// The family has another type or other labels than another of its name, or its name is the
    /// exporter's own.
    Family { name: String, dropped: usize },
    /// The family had the series already.
    Series { name: String, dropped: usize },
}

/// Joins the output of collectors, in their order, each family once.
pub(crate) fn join(
    parts: &[Families],
    format: Format,
    escaping: Escaping,
) -> (Vec<u8>, Vec<Conflict>) {
    debug_assert!(parts.iter().all(|part| {
        let Families { format, escaping, .. } = Families::new(format, escaping);
        (part.format, part.escaping) == (format, escaping)
    }));
    let families = Index::of(parts);
    let mut page = Page { format, ..Page::default() };
    page.out.reserve(parts.iter().map(Families::size).sum());
    for head in families.segments.iter().filter(|segment| segment.is_first) {
        page.write(&families, head);
    }
    if format == Format::OpenMetrics {
        page.out.extend_from_slice(b"# EOF\n");
    }
    (page.out, page.conflicts)
}

/// The segments of all parts, in order; those of one name are linked.
struct Index<'a> {
    segments: Vec<Linked<'a>>,
    /// The first and last segment of each name.
    names: HashMap<&'a str, (usize, usize), Keyed>,
}

struct Linked<'a> {
    part: &'a Families,
    segment: &'a Segment,
    is_first: bool,
    /// The next one of this name.
    next: Option<usize>,
}

impl<'a> Index<'a> {
    fn of(parts: &'a [Families]) -> Self {
        let count = parts.iter().map(|part| part.segments.len()).sum();
        let mut index = Self {
            segments: Vec::with_capacity(count),
            names: HashMap::with_capacity_and_hasher(count, Keyed),
        };
        for part in parts {
            for segment in &part.segments {
                let here = index.segments.len();
                let mut is_first = false;
                let (_, last) = index.names.entry(part.name(segment)).or_insert_with(|| {
                    is_first = true;
                    (here, here)
                });
                if let Some(before) = index.segments.get_mut(*last).filter(|_| !is_first) {
                    before.next = Some(here);
                }
                *last = here;
                index.segments.push(Linked { part, segment, is_first, next: None });
            }
        }
        index
    }

    /// The segments of one name.
    fn chain<'s>(&'s self, head: &'s Linked<'a>) -> impl Iterator<Item = &'s Linked<'a>> {
        std::iter::successors(Some(head), |linked| self.segments.get(linked.next?))
    }

    /// The segment of a name that decides about type, labels and help.
    fn leader<'s>(&'s self, first: &'s Linked<'a>) -> &'s Linked<'a> {
        self.chain(first).min_by_key(|linked| linked.segment.precedence).unwrap_or(first)
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        let (first, _) = self.names.get(name)?;
        Some(self.leader(self.segments.get(*first)?).segment.kind)
    }

    /// Whether an info family can be one in `OpenMetrics`, where it is named without `_info`.
    fn is_om_info(&self, name: &str) -> bool {
        let stem = name.strip_suffix("_info").filter(|stem| !stem.is_empty());
        stem.is_some_and(|stem| !self.names.contains_key(stem))
    }

    /// Whether a counter can be one in `OpenMetrics`, where its family is named without `_total`
    /// and reserves all names that are made from that.
    fn is_om_counter(&self, name: &str, scratch: &mut String) -> bool {
        let Some(stem) = name.strip_suffix("_total").filter(|stem| !stem.is_empty()) else {
            return false;
        };
        scratch.clear();
        scratch.extend([stem, "_created"]);
        let taken = self.names.contains_key(stem) || self.names.contains_key(scratch.as_str());
        let part_of_another = ["_bucket", "_count", "_created", "_sum"].iter().any(|suffix| {
            let family = stem.strip_suffix(suffix).and_then(|family| self.kind(family));
            matches!(family, Some(Kind::Histogram | Kind::Summary))
        });
        !taken && !part_of_another
    }
}

/// A page that is being written.
#[derive(Default)]
struct Page<'a> {
    format: Format,
    out: Vec<u8>,
    conflicts: Vec<Conflict>,
    /// Of the current family: the bytes of its samples, and the hashes of their labels.
    samples: Vec<&'a [u8]>,
    keys: Vec<u64>,
    scratch: String,
}

impl<'a> Page<'a> {
    /// Writes the family whose first segment is `first`.
    fn write(&mut self, families: &Index<'a>, first: &Linked<'a>) {
        let head = families.leader(first);
        let kind = head.segment.kind;
        let name = head.part.name(head.segment);
        let text = |range: &Range<usize>| head.part.names.get(range.clone()).unwrap_or_default();
        let help = text(&head.segment.help);
        let belongs = |linked: &&Linked<'_>| linked.belongs_to(head);

        self.keys.clear();
        let mut others = 0;
        for linked in families.chain(first) {
            let series = linked.series();
            if belongs(&linked) {
                self.keys.extend(series.iter().map(|series| linked.key(series, head)));
            } else {
                others += series.len();
            }
        }
        if others > 0 {
            self.conflicts.push(Conflict::Family { name: name.to_owned(), dropped: others });
        }
        self.keys.sort_unstable();
        let unique = self.keys.is_sorted_by(|a, b| a < b);
        let is_om = self.format == Format::OpenMetrics;
        let shown = match kind {
            Kind::Counter if is_om && !families.is_om_counter(name, &mut self.scratch) => {
                Kind::Untyped
            }
            Kind::Info if is_om && !families.is_om_info(name) => Kind::Gauge,
            kind => kind,
        };
        let unit = if shown == kind { text(&head.segment.unit) } else { "" };

        self.samples.clear();
        let mine = families.chain(first).filter(belongs);
        if unique && (shown == kind || kind != Kind::Counter) {
            self.samples.extend(mine.map(Linked::bytes));
        } else {
            let mut mine: Vec<_> = mine.collect();
            mine.sort_by_key(|linked| linked.segment.precedence);
            let mut seen = HashSet::with_hasher(Keyed);
            let mut dropped = 0;
            for linked in mine {
                for (series, bytes) in linked.each() {
                    if !seen.insert(linked.key(series, head)) {
                        dropped += 1;
                    } else if shown == kind || series.extra == 0 {
                        self.samples.push(bytes);
                    } else {
                        let plain = bytes.len().saturating_sub(series.extra + 1);
                        self.samples.extend([bytes.get(..plain).unwrap_or_default(), b"\n"]);
                    }
                }
            }
            if dropped > 0 {
                self.conflicts.push(Conflict::Series { name: name.to_owned(), dropped });
            }
        }

        if self.format == Format::Protobuf {
            let len = self.samples.iter().map(|bytes| bytes.len()).sum();
            protobuf::header(&mut self.out, name, help, shown, unit, len);
        } else {
            let name = (name, head.segment.quoted);
            text::header(&mut self.out, name, help, shown, unit, head.part.dialect());
        }
        for bytes in &self.samples {
            self.out.extend_from_slice(bytes);
        }
    }
}

impl<'a> Linked<'a> {
    /// Whether it is part of the family of `head`.
    fn belongs_to(&self, head: &Self) -> bool {
        let (own, first) = (self.segment, head.segment);
        let may_add =
            first.precedence != Precedence::Exporter || own.precedence == first.precedence;
        may_add
            && own.kind == first.kind
            && (own.labels == first.labels || (own.is_dynamic && first.is_dynamic))
    }

    /// A hash of all labels of a series within the family of `head`.
    fn key(&self, series: &Series, head: &Self) -> u64 {
        // Label values alone, where all series have the same label names.
        if self.segment.labels == head.segment.labels {
            series.key
        } else {
            Keyed.hash_one((self.segment.labels, series.key))
        }
    }

    fn series(&self) -> &'a [Series] {
        self.part.series.get(self.segment.series.clone()).unwrap_or_default()
    }

    /// The samples of the segment.
    fn bytes(&self) -> &'a [u8] {
        let end = self.series().last().map_or(self.segment.start, |series| series.end);
        self.part.body.get(self.segment.start..end).unwrap_or_default()
    }

    /// Each series with its samples.
    fn each(&self) -> impl Iterator<Item = (&'a Series, &'a [u8])> + use<'a> {
        let body = &self.part.body;
        let mut start = self.segment.start;
        self.series().iter().map(move |series| {
            let bytes = body.get(start..series.end).unwrap_or_default();
            start = series.end;
            (series, bytes)
        })
    }
}

impl Families {
    fn name(&self, segment: &Segment) -> &str {
        self.names.get(segment.name.clone()).unwrap_or_default()
    }

    /// The approximate size of a page of these.
    fn size(&self) -> usize {
        self.body.len() + 2 * self.names.len() + 32 * self.segments.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::desc::{Desc, DynDesc};
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
    fn a_family_of_two_collectors_is_one() {
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
    fn a_family_of_another_type_or_other_labels_is_dropped() {
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
            let desc = DynDesc { name: "up", help: "Up.", kind: Kind::Gauge, labels: &["a"] };
            out.open(desc).sample(&["1"], 1.0);
            out.open(DynDesc { labels: &[], ..desc }).sample(&[], 2.0);
            out.open(DynDesc { labels: &["b"], ..desc }).sample(&["1"], 3.0);
            out.open(DynDesc { labels: &["b"], ..desc }).sample(&["1"], 4.0);
        });
        let (page, conflicts) = joined(&[part]);
        assert_eq!(page, "# HELP up Up.\n# TYPE up gauge\nup{a=\"1\"} 1\nup 2\nup{b=\"1\"} 3\n");
        assert_eq!(conflicts, [Conflict::Series { name: "up".into(), dropped: 1 }]);
    }

    #[test]
    fn the_first_of_equal_series_stays() {
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
    fn the_exporters_own_families_are_nobody_elses() {
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
    fn guests_give_way_to_collectors_and_may_add_to_them() {
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

    /// In `OpenMetrics` a counter's family is named without `_total`, where another may be.
    #[test]
    fn a_counter_whose_name_is_taken_is_unknown() {
        let exemplar = Exemplar { labels: &[("id", "\" # {")], value: 1.0, at: None };
        let counted = CounterValue {
            value: 5.0,
            created: Some(std::time::UNIX_EPOCH),
            exemplar: Some(exemplar),
        };
        for (other, kind, shown) in [
            ("unrelated", Kind::Gauge, "counter"),
            ("busy", Kind::Gauge, "unknown"),
            ("busy_created", Kind::Gauge, "unknown"),
            ("busy", Kind::Counter, "unknown"),
        ] {
            let part = written(Format::OpenMetrics, |out| {
                out.created_lines = true;
                out.family(&BUSY).counter(["0"], &counted);
                out.open(DynDesc { name: other, help: "", kind, labels: &[] }).sample(&[], 1.0);
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
    fn nothing_is_a_page() {
        assert_eq!(joined(&[written(Format::Text004, |_| ())]).0, "");
        assert_eq!(joined(&[written(Format::OpenMetrics, |_| ())]).0, "# EOF\n");
    }
}
