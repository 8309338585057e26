//! What is known of one rule at one target: its dimension sets, and the newest datapoint of each
//! statistic.

use std::sync::Arc;

use crate::cost::Size;

/// The dimensions of one metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Set {
    /// Shared by the sets of a list that have the same ones.
    pub(crate) names: Arc<[String]>,
    /// In the order of the names.
    pub(crate) values: Box<[Box<str>]>,
    /// The account that owns the metric, where a monitoring account lists those of others.
    pub(crate) owner: Option<Arc<str>>,
}

impl Set {
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let values = self.values.iter().map(|value| &**value);
        self.names.iter().map(String::as_str).zip(values)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Results {
    pub(crate) sets: Arc<Vec<Set>>,
    /// For each set, its resource's place in `resources`. Empty where rules do not associate them.
    pub(crate) owners: Arc<Vec<Option<u32>>>,
    /// All sets that were listed, where tags decide which of them are asked for.
    pub(crate) listed: Arc<Vec<Set>>,
    /// The resources that the rule's tags select or describe.
    pub(crate) resources: Arc<Vec<Resource>>,
    /// When the sets were listed, in seconds since 1970; `None` where that failed.
    pub(crate) listed_at: Option<u64>,
    /// When the resources were listed.
    pub(crate) tagged_at: u64,
    /// Pages of the list.
    pub(crate) pages: u32,
    /// Set after set, and of each set statistic after statistic.
    pub(crate) points: Vec<Point>,
    /// Points of the span before, shown in the place of pending ones. Empty once none is pending.
    pub(crate) previous: Arc<Vec<Point>>,
    /// Until when those are shown.
    pub(crate) previous_until: u64,
    /// The unit of the last set that has told one.
    pub(crate) unit: Option<String>,
    /// The span asked for, in seconds since 1970.
    pub(crate) span: (u64, u64),
    /// When a fetch last ended; `None` while the first one is under way.
    pub(crate) fetched_at: Option<u64>,
    /// When to ask again.
    pub(crate) good_until: u64,
    /// Whether the list, or some points, could not be fetched.
    pub(crate) is_incomplete: bool,
}

/// The newest datapoint of one statistic of one metric.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Point {
    /// Not answered.
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
    /// Keeps the newer of the two.
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
    pub(crate) fn of(&self, set: usize, statistics: usize) -> &[Point] {
        self.points.get(set * statistics..(set + 1) * statistics).unwrap_or_default()
    }

    /// What a page shows of a point.
    pub(crate) fn shown(&self, at: usize, now: u64) -> Point {
        match self.points.get(at) {
            Some(Point::Pending) if now <= self.previous_until => {
                self.previous.get(at).copied().unwrap_or_default()
            }
            Some(point) => *point,
            None => Point::Pending,
        }
    }

    /// Whether a page at this time lacks something that should be on it.
    pub(crate) fn is_missing(&self, now: u64) -> bool {
        self.is_incomplete
            || self.fetched_at.is_none()
            || (0..self.points.len()).any(|at| self.shown(at, now) == Point::Pending)
    }

    /// The resource of one set.
    pub(crate) fn resource(&self, set: usize) -> Option<&Resource> {
        let at = (*self.owners.get(set)?)?;
        self.resources.get(usize::try_from(at).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(value: f64, millis: i64) -> Point {
        Point::Value { value, millis }
    }

    #[test]
    fn the_newest_point_is_kept() {
        for (mut point, other, expected) in [
            (Point::Pending, Point::NoData, Point::NoData),
            (Point::NoData, Point::Pending, Point::NoData),
            (Point::NoData, at(1.0, 1), at(1.0, 1)),
            (at(1.0, 1), Point::NoData, at(1.0, 1)),
            (at(1.0, 1), at(2.0, 2), at(2.0, 2)),
            (at(2.0, 2), at(1.0, 1), at(2.0, 2)),
        ] {
            point.merge(other);
            assert_eq!(point, expected);
        }
    }

    #[test]
    fn a_pending_point_shows_the_one_before_for_a_while() {
        let results = Results {
            points: vec![Point::Pending, Point::NoData, at(3.0, 3)],
            previous: Arc::new(vec![at(1.0, 1), at(2.0, 2), at(2.0, 2)]),
            previous_until: 100,
            fetched_at: Some(1),
            ..Results::default()
        };
        let shown = |now| [0, 1, 2, 3].map(|at| results.shown(at, now));
        assert_eq!(shown(100), [at(1.0, 1), Point::NoData, at(3.0, 3), Point::Pending]);
        assert_eq!(shown(101)[0], Point::Pending);
        assert!(!results.is_missing(100) && results.is_missing(101));
    }
}
