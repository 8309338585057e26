//! Joins the families of all collectors into one page.

mod index;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::Range;

use self::index::{Index, LinkedSegment};
use super::desc::Kind;
use super::families::{Families, Segment};
use super::format::{Escaping, Format};
use super::hash::Keyed;
use super::{protobuf, text};

/// Series that were dropped from a page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Conflict {
    /// The family has another type or other labels than an earlier one of its name, or the name
    /// belongs to the exporter itself.
    Family { name: String, dropped: usize },
    /// The family already had the series.
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
    let families = Index::new(parts);
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

/// A page that is being written.
#[derive(Default)]
struct Page<'a> {
    format: Format,
    out: Vec<u8>,
    conflicts: Vec<Conflict>,
    /// For the current family: the bytes of its samples, and the hashes of their labels.
    samples: Vec<&'a [u8]>,
    keys: Vec<u64>,
    table: Vec<u64>,
    scratch: String,
}

impl<'a> Page<'a> {
    /// Writes the family whose first segment is `first`.
    fn write(&mut self, families: &Index<'a>, first: &LinkedSegment<'a>) {
        let head = families.defining_segment(first);
        let kind = head.segment.kind;
        let name = head.part.name(head.segment);
        let text = |range: &Range<usize>| head.part.names.get(range.clone()).unwrap_or_default();
        let help = text(&head.segment.help);
        let belongs = |linked: &&LinkedSegment<'_>| linked.belongs_to(head);

        self.keys.clear();
        let mut dropped = 0;
        for linked in families.segments_of(first) {
            let series = linked.series();
            if belongs(&linked) {
                self.keys.extend(series.iter().map(|series| linked.key(series, head)));
            } else {
                dropped += series.len();
            }
        }
        if dropped > 0 {
            self.conflicts.push(Conflict::Family { name: name.to_owned(), dropped });
        }
        let is_unique = are_distinct(&self.keys, &mut self.table);
        let is_openmetrics = self.format == Format::OpenMetrics;
        let exposed_kind = match kind {
            Kind::Counter
                if is_openmetrics && !families.is_openmetrics_counter(name, &mut self.scratch) =>
            {
                Kind::Untyped
            }
            Kind::Info if is_openmetrics && !families.is_openmetrics_info(name) => Kind::Gauge,
            kind => kind,
        };
        let unit = if exposed_kind == kind { text(&head.segment.unit) } else { "" };

        self.samples.clear();
        let own_segments = families.segments_of(first).filter(belongs);
        if is_unique && (exposed_kind == kind || kind != Kind::Counter) {
            self.samples.extend(own_segments.map(LinkedSegment::bytes));
        } else {
            let mut own_segments: Vec<_> = own_segments.collect();
            own_segments.sort_by_key(|linked| linked.segment.precedence);
            let mut seen = HashSet::with_hasher(Keyed);
            let mut dropped = 0;
            for linked in own_segments {
                for (series, bytes) in linked.series_with_samples() {
                    if !seen.insert(linked.key(series, head)) {
                        dropped += 1;
                    } else if exposed_kind == kind || series.extra == 0 {
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
            protobuf::header(&mut self.out, name, help, exposed_kind, unit, len);
        } else {
            let name = (name, head.segment.is_quoted);
            text::header(&mut self.out, name, help, exposed_kind, unit, head.part.dialect());
        }
        for bytes in &self.samples {
            self.out.extend_from_slice(bytes);
        }
    }
}

/// Whether all hashes in `keys` are different. Uses a hash table, which is faster than sorting
/// them. `table` is its buffer.
fn are_distinct(keys: &[u64], table: &mut Vec<u64>) -> bool {
    const EMPTY: u64 = 0;
    table.clear();
    table.resize((2 * keys.len()).next_power_of_two(), EMPTY);
    let mask = table.len() - 1;
    for key in keys {
        let key = (*key).max(EMPTY + 1);
        #[expect(clippy::cast_possible_truncation, reason = "the low bits of a hash")]
        let mut index = key as usize & mask;
        // Ends, because at least half of the table is empty.
        while let Some(slot) = table.get_mut(index) {
            if *slot == key {
                return false;
            }
            if *slot == EMPTY {
                *slot = key;
                break;
            }
            index = (index + 1) & mask;
        }
    }
    true
}

impl Families {
    fn name(&self, segment: &Segment) -> &str {
        self.names.get(segment.name.clone()).unwrap_or_default()
    }

    /// The approximate size of a page of these families.
    fn size(&self) -> usize {
        self.body.len() + 2 * self.names.len() + 32 * self.segments.len()
    }
}
