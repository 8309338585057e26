//! The families of all collectors joined into one page.

use std::collections::{HashMap, HashSet};

use super::desc::Kind;
use super::families::{Families, Segment, Series};
use super::format::{Escaping, Format};
use super::hash::Keyed;
use super::{protobuf, text};

/// What is wrong with families of one name that does not cost the scrape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Conflict {
    /// More families of this name, of another type or with other labels, were dropped, with so
    /// many series in them.
    Family { name: String, dropped: usize },
    /// So many series that this family had already were dropped.
    Series { name: String, dropped: usize },
}

/// Joins what the collectors wrote, in their order, each family once.
pub(crate) fn join(
    parts: &[Families],
    format: Format,
    escaping: Escaping,
) -> (Vec<u8>, Vec<Conflict>) {
    debug_assert!(parts.iter().all(|part| {
        let Families { format, escaping, .. } = Families::new(format, escaping);
        (part.format, part.escaping) == (format, escaping)
    }));
    let families = Heads::of(parts);
    let mut page = Page { format, ..Page::default() };
    page.out.reserve(parts.iter().map(Families::size).sum());
    for head in families.places.iter().filter(|place| place.first) {
        page.write(&families, head);
    }
    if format == Format::OpenMetrics {
        page.out.extend_from_slice(b"# EOF\n");
    }
    (page.out, page.conflicts)
}

/// The segments of all parts, in order, those of one name linked.
struct Heads<'a> {
    places: Vec<Place<'a>>,
    /// The first and last place of each name.
    names: HashMap<&'a str, (usize, usize), Keyed>,
}

struct Place<'a> {
    part: &'a Families,
    segment: &'a Segment,
    /// Whether no segment of this name is before it.
    first: bool,
    /// The next of this name.
    next: Option<usize>,
}

impl<'a> Heads<'a> {
    fn of(parts: &'a [Families]) -> Self {
        let count = parts.iter().map(|part| part.segments.len()).sum();
        let mut heads = Self {
            places: Vec::with_capacity(count),
            names: HashMap::with_capacity_and_hasher(count, Keyed),
        };
        for part in parts {
            for segment in &part.segments {
                let here = heads.places.len();
                let mut first = false;
                let (_, last) = heads.names.entry(part.name(segment)).or_insert_with(|| {
                    first = true;
                    (here, here)
                });
                if let Some(before) = heads.places.get_mut(*last).filter(|_| !first) {
                    before.next = Some(here);
                }
                *last = here;
                heads.places.push(Place { part, segment, first, next: None });
            }
        }
        heads
    }

    /// The places of one name.
    fn chain<'s>(&'s self, head: &'s Place<'a>) -> impl Iterator<Item = &'s Place<'a>> {
        std::iter::successors(Some(head), |place| self.places.get(place.next?))
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        let (first, _) = self.names.get(name)?;
        Some(self.places.get(*first)?.segment.kind)
    }

    /// Whether a counter can be one in `OpenMetrics`, where its family is named without `_total`
    /// and owns all names that may grow from that.
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

/// The page as it grows.
#[derive(Default)]
struct Page<'a> {
    format: Format,
    out: Vec<u8>,
    conflicts: Vec<Conflict>,
    /// Of the family in hand: the bytes of its samples, and the hashes of their labels.
    samples: Vec<&'a [u8]>,
    keys: Vec<u64>,
    scratch: String,
}

impl<'a> Page<'a> {
    /// Writes the family that begins at `head`.
    fn write(&mut self, families: &Heads<'a>, head: &Place<'a>) {
        let Segment { kind, labels, .. } = *head.segment;
        let name = head.part.name(head.segment);
        let help = head.part.names.get(head.segment.help.clone()).unwrap_or_default();
        let belongs =
            |place: &&Place<'_>| place.segment.kind == kind && place.segment.labels == labels;

        self.keys.clear();
        let mut others = 0;
        for place in families.chain(head) {
            let series = place.series();
            if belongs(&place) {
                self.keys.extend(series.iter().map(|series| series.key));
            } else {
                others += series.len();
            }
        }
        if others > 0 {
            self.conflicts.push(Conflict::Family { name: name.to_owned(), dropped: others });
        }
        self.keys.sort_unstable();
        let unique = self.keys.is_sorted_by(|a, b| a < b);
        let shown = match kind {
            Kind::Counter
                if self.format == Format::OpenMetrics
                    && !families.is_om_counter(name, &mut self.scratch) =>
            {
                Kind::Untyped
            }
            kind => kind,
        };

        self.samples.clear();
        let mine = families.chain(head).filter(belongs);
        if unique && shown == kind {
            self.samples.extend(mine.map(Place::bytes));
        } else {
            let mut seen = HashSet::with_hasher(Keyed);
            let mut dropped = 0;
            for (series, bytes) in mine.flat_map(Place::each) {
                if !seen.insert(series.key) {
                    dropped += 1;
                } else if shown == kind || series.extra == 0 {
                    self.samples.push(bytes);
                } else {
                    let plain = bytes.len().saturating_sub(series.extra + 1);
                    self.samples.extend([bytes.get(..plain).unwrap_or_default(), b"\n"]);
                }
            }
            if dropped > 0 {
                self.conflicts.push(Conflict::Series { name: name.to_owned(), dropped });
            }
        }

        if self.format == Format::Protobuf {
            let len = self.samples.iter().map(|bytes| bytes.len()).sum();
            protobuf::header(&mut self.out, name, help, shown, len);
        } else {
            let name = (name, head.segment.quoted);
            text::header(&mut self.out, name, help, shown, head.part.dialect());
        }
        for bytes in &self.samples {
            self.out.extend_from_slice(bytes);
        }
    }
}

impl<'a> Place<'a> {
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

    /// How large a page of these becomes, about.
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
    fn a_family_may_say_that_its_labels_vary() {
        let mut out = Families::default();
        let mut sample = |labels: &[&str], values: &[&str]| {
            let entry = DynDesc { name: "a_info", help: "", kind: Kind::Gauge, labels };
            out.open_varying(entry).sample(values, 1.0);
        };
        sample(&["x"], &["1"]);
        sample(&["y"], &["1"]);
        sample(&["x", "y"], &["1", "2"]);
        sample(&["x"], &["1"]);
        let (page, conflicts) = join(&[out], Format::Text004, Escaping::Underscores);
        let page = String::from_utf8(page).unwrap();
        assert!(
            page.ends_with("a_info{x=\"1\"} 1\na_info{y=\"1\"} 1\na_info{x=\"1\",y=\"2\"} 1\n"),
            "{page}"
        );
        assert_eq!(conflicts, [Conflict::Series { name: "a_info".to_owned(), dropped: 1 }]);
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
