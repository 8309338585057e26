//! The families of a page by name.

use std::collections::HashMap;
use std::hash::BuildHasher;

use super::super::desc::Kind;
use super::super::families::{Families, Precedence, Segment, Series};
use super::super::hash::Keyed;

/// The segments of all parts, in order; those of one name are linked.
pub(super) struct Index<'a> {
    pub(super) segments: Vec<LinkedSegment<'a>>,
    /// The first and last segment of each name.
    names: HashMap<&'a str, (usize, usize), Keyed>,
}

pub(super) struct LinkedSegment<'a> {
    pub(super) part: &'a Families,
    pub(super) segment: &'a Segment,
    pub(super) is_first: bool,
    /// The index of the next segment of this name.
    next: Option<usize>,
}

impl<'a> Index<'a> {
    pub(super) fn new(parts: &'a [Families]) -> Self {
        let count = parts.iter().map(|part| part.segments.len()).sum();
        let mut index = Self {
            segments: Vec::with_capacity(count),
            names: HashMap::with_capacity_and_hasher(count, Keyed),
        };
        for part in parts {
            for segment in &part.segments {
                let position = index.segments.len();
                let mut is_first = false;
                let (_, last) = index.names.entry(part.name(segment)).or_insert_with(|| {
                    is_first = true;
                    (position, position)
                });
                if let Some(previous) = index.segments.get_mut(*last).filter(|_| !is_first) {
                    previous.next = Some(position);
                }
                *last = position;
                index.segments.push(LinkedSegment { part, segment, is_first, next: None });
            }
        }
        index
    }

    /// The segments of one name.
    pub(super) fn segments_of<'s>(
        &'s self,
        head: &'s LinkedSegment<'a>,
    ) -> impl Iterator<Item = &'s LinkedSegment<'a>> {
        std::iter::successors(Some(head), |linked| self.segments.get(linked.next?))
    }

    /// The segment that determines the type, labels and help text of a name.
    pub(super) fn defining_segment<'s>(
        &'s self,
        first: &'s LinkedSegment<'a>,
    ) -> &'s LinkedSegment<'a> {
        self.segments_of(first).min_by_key(|linked| linked.segment.precedence).unwrap_or(first)
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        let (first, _) = self.names.get(name)?;
        Some(self.defining_segment(self.segments.get(*first)?).segment.kind)
    }

    /// Whether an info family can have the type `info` in `OpenMetrics`, where it is named without
    /// `_info`.
    pub(super) fn is_openmetrics_info(&self, name: &str) -> bool {
        let stem = name.strip_suffix("_info").filter(|stem| !stem.is_empty());
        stem.is_some_and(|stem| !self.names.contains_key(stem))
    }

    /// Whether a counter can have the type `counter` in `OpenMetrics`, where its family is named
    /// without `_total` and reserves all names derived from that.
    pub(super) fn is_openmetrics_counter(&self, name: &str, scratch: &mut String) -> bool {
        let Some(stem) = name.strip_suffix("_total").filter(|stem| !stem.is_empty()) else {
            return false;
        };
        scratch.clear();
        scratch.extend([stem, "_created"]);
        let is_taken = self.names.contains_key(stem) || self.names.contains_key(scratch.as_str());
        let is_part_of_another = ["_bucket", "_count", "_created", "_sum"].iter().any(|suffix| {
            let family = stem.strip_suffix(suffix).and_then(|family| self.kind(family));
            matches!(family, Some(Kind::Histogram | Kind::Summary))
        });
        !is_taken && !is_part_of_another
    }
}

impl<'a> LinkedSegment<'a> {
    /// Whether the segment belongs to the family of `head`.
    pub(super) fn belongs_to(&self, head: &Self) -> bool {
        let (own, first) = (self.segment, head.segment);
        let may_join =
            first.precedence != Precedence::Exporter || own.precedence == first.precedence;
        may_join
            && own.kind == first.kind
            && (own.labels == first.labels || (own.is_dynamic && first.is_dynamic))
    }

    /// A hash of all labels of a series within the family of `head`.
    pub(super) fn key(&self, series: &Series, head: &Self) -> u64 {
        // If all series have the same label names, the label values suffice.
        if self.segment.labels == head.segment.labels {
            series.key
        } else {
            Keyed.hash_one((self.segment.labels, series.key))
        }
    }

    pub(super) fn series(&self) -> &'a [Series] {
        self.part.series.get(self.segment.series.clone()).unwrap_or_default()
    }

    /// The samples of the segment.
    pub(super) fn bytes(&self) -> &'a [u8] {
        let end = self.series().last().map_or(self.segment.start, |series| series.end);
        self.part.body.get(self.segment.start..end).unwrap_or_default()
    }

    /// Each series with its samples.
    pub(super) fn series_with_samples(
        &self,
    ) -> impl Iterator<Item = (&'a Series, &'a [u8])> + use<'a> {
        let body = &self.part.body;
        let mut start = self.segment.start;
        self.series().iter().map(move |series| {
            let bytes = body.get(start..series.end).unwrap_or_default();
            start = series.end;
            (series, bytes)
        })
    }
}
