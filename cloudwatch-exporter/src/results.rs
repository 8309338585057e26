//! The results of one rule at one target: its dimension sets, and the newest datapoint of each
//! statistic.

use std::sync::Arc;

/// The dimensions of one metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct DimensionSet {
    /// The names, shared by the sets of a list with the same names.
    pub(crate) names: Arc<[String]>,
    /// The values, in the order of the names.
    pub(crate) values: Box<[Box<str>]>,
    /// The account that owns the metric, if a monitoring account lists those of others.
    pub(crate) owner: Option<Arc<str>>,
}

impl DimensionSet {
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let values = self.values.iter().map(|value| &**value);
        self.names.iter().map(String::as_str).zip(values)
    }
}

/// The size of the results of a rule.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub(crate) sets: usize,
    /// Pages of the list of sets.
    pub(crate) pages: u32,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Results {
    pub(crate) sets: Arc<Vec<DimensionSet>>,
    /// For each set, the index of its resource in `resources`. Empty if the rule does not associate
    /// sets with resources.
    pub(crate) resource_indices: Arc<Vec<Option<u32>>>,
    /// All listed sets, if tags select which of them are queried.
    pub(crate) listed: Arc<Vec<DimensionSet>>,
    /// The resources that the rule's tags select or describe.
    pub(crate) resources: Arc<Vec<Resource>>,
    /// When the sets were listed, in seconds since 1970; `None` if that failed.
    pub(crate) listed_at: Option<u64>,
    /// When the resources were listed.
    pub(crate) tagged_at: u64,
    /// Pages of the list.
    pub(crate) pages: u32,
    /// The points, grouped by set, in the order of the statistics.
    pub(crate) points: Vec<Point>,
    /// The points of the previous span, exposed in place of pending ones. Empty if none is pending.
    pub(crate) previous: Arc<Vec<Point>>,
    /// Until when the previous points are exposed.
    pub(crate) previous_until: u64,
    /// The unit of the last set that had one.
    pub(crate) unit: Option<String>,
    /// The queried span, in seconds since 1970.
    pub(crate) span: (u64, u64),
    /// When a fetch last ended; `None` during the first one.
    pub(crate) fetched_at: Option<u64>,
    /// The time of the next fetch, in seconds since 1970.
    pub(crate) valid_until: u64,
    /// Whether the list or some points could not be fetched.
    pub(crate) is_incomplete: bool,
}

/// The newest datapoint of one statistic of one metric.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Point {
    /// No response yet.
    #[default]
    Pending,
    /// CloudWatch has no datapoint.
    NoData,
    Value {
        value: f64,
        /// Since 1970.
        millis: i64,
    },
}

impl Point {
    /// Keeps the newer point.
    pub(crate) fn merge(&mut self, other: Self) {
        let is_newer = match (*self, other) {
            (_, Self::Pending) | (Self::Value { .. }, Self::NoData) => false,
            (Self::Value { millis, .. }, Self::Value { millis: other, .. }) => other > millis,
            (Self::Pending | Self::NoData, _) => true,
        };
        if is_newer {
            *self = other;
        }
    }
}

/// A tagged resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) arn: String,
    pub(crate) tags: Vec<(String, String)>,
}

impl Results {
    pub(crate) fn size(&self) -> Size {
        Size { sets: self.sets.len(), pages: self.pages }
    }

    /// The points of one set.
    pub(crate) fn set_points(&self, set: usize, statistics: usize) -> &[Point] {
        self.points.get(set * statistics..(set + 1) * statistics).unwrap_or_default()
    }

    /// The point that is exposed: the previous one for a while, if this one is pending.
    pub(crate) fn exposed_point(&self, index: usize, now: u64) -> Point {
        match self.points.get(index) {
            Some(Point::Pending) if now <= self.previous_until => {
                self.previous.get(index).copied().unwrap_or_default()
            }
            Some(point) => *point,
            None => Point::Pending,
        }
    }

    /// Whether a point is missing in a page at this time.
    pub(crate) fn is_missing(&self, now: u64) -> bool {
        self.is_incomplete
            || self.fetched_at.is_none()
            || (0..self.points.len()).any(|index| self.exposed_point(index, now) == Point::Pending)
    }

    /// The resource of one set.
    pub(crate) fn resource(&self, set: usize) -> Option<&Resource> {
        let index = (*self.resource_indices.get(set)?)?;
        self.resources.get(usize::try_from(index).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(value: f64, millis: i64) -> Point {
        Point::Value { value, millis }
    }

    #[test]
    fn the_newest_point_is_kept() {
        for (mut point, other, expected) in [
            (Point::Pending, Point::NoData, Point::NoData),
            (Point::NoData, Point::Pending, Point::NoData),
            (Point::NoData, point(1.0, 1), point(1.0, 1)),
            (point(1.0, 1), Point::NoData, point(1.0, 1)),
            (point(1.0, 1), point(2.0, 2), point(2.0, 2)),
            (point(2.0, 2), point(1.0, 1), point(2.0, 2)),
        ] {
            point.merge(other);
            assert_eq!(point, expected);
        }
    }

    #[test]
    fn the_previous_point_replaces_a_pending_one_for_a_while() {
        let results = Results {
            points: vec![Point::Pending, Point::NoData, point(3.0, 3)],
            previous: Arc::new(vec![point(1.0, 1), point(2.0, 2), point(2.0, 2)]),
            previous_until: 100,
            fetched_at: Some(1),
            ..Results::default()
        };
        let exposed = |now| [0, 1, 2, 3].map(|index| results.exposed_point(index, now));
        assert_eq!(exposed(100), [point(1.0, 1), Point::NoData, point(3.0, 3), Point::Pending]);
        assert_eq!(exposed(101)[0], Point::Pending);
        assert!(!results.is_missing(100) && results.is_missing(101));
    }
}
