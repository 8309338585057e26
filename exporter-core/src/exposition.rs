//! The families of all collectors joined into one page.

use std::collections::HashMap;

use crate::families::Families;
use crate::format::{Escaping, Format};
use crate::text;

/// What is wrong with families of one name that does not cost the scrape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Conflict {
    /// A second family of this name, of another type or with other labels, was dropped.
    Family(String),
    /// Series that this family had already were dropped.
    Series(String),
}

/// Joins what the collectors wrote, in their order, each family once.
pub(crate) fn join(
    parts: &[Families],
    format: Format,
    escaping: Escaping,
) -> (Vec<u8>, Vec<Conflict>) {
    let _ = (format, escaping);
    let mut conflicts = Vec::new();
    // Families in the order of their first appearance, each with the segments that make it up.
    let mut order: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (part, families) in parts.iter().enumerate() {
        for (index, segment) in families.segments.iter().enumerate() {
            let name = families.names.get(segment.name.clone()).unwrap_or_default();
            let place = *places.entry(name).or_insert_with(|| {
                order.push(Vec::new());
                order.len() - 1
            });
            if let Some(segments) = order.get_mut(place) {
                segments.push((part, index));
            }
        }
    }
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.body.len() * 3 / 2).sum());
    for segments in &order {
        for (nth, &(part, index)) in segments.iter().enumerate() {
            let Some(families) = parts.get(part) else { continue };
            let Some(segment) = families.segments.get(index) else { continue };
            let name = families.names.get(segment.name.clone()).unwrap_or_default();
            let help = families.names.get(segment.help.clone()).unwrap_or_default();
            if nth == 0 {
                text::header(&mut out, name, help, segment.kind);
            }
            let end = families.series.get(segment.series.clone()).and_then(|s| s.last());
            let bytes = families.body.get(segment.start..end.map_or(segment.start, |s| s.end));
            out.extend_from_slice(bytes.unwrap_or_default());
        }
    }
    conflicts.dedup();
    (out, conflicts)
}
