//! What is known of one rule: its dimension sets, and the newest datapoint of each statistic.

use std::sync::Arc;

use crate::cost::Size;

/// The values of a metric's dimensions, in the order of the rule's names.
pub(crate) type Set = Box<[Box<str>]>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) sets: Arc<Vec<Set>>,
    /// Those that the rule's tags select or describe.
    pub(crate) resources: Arc<Vec<Resource>>,
    /// When the sets were found, in seconds since 1970; `None` where they could not be.
    pub(crate) listed_at: Option<u64>,
    /// Pages that listing took.
    pub(crate) pages: u32,
    /// Set after set, and of each set statistic after statistic.
    pub(crate) points: Vec<Point>,
    /// That of the last set which told one.
    pub(crate) unit: Option<String>,
    /// The span asked for, in seconds since 1970.
    pub(crate) span: (u64, u64),
    /// When to ask again.
    pub(crate) good_until: u64,
    /// Whether the list, or some points, are still to be had.
    pub(crate) is_incomplete: bool,
}

/// The newest datapoint of one statistic of one metric.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Point {
    /// Not asked for yet, or the call failed.
    #[default]
    Open,
    /// CloudWatch has none.
    Nothing,
    At {
        value: f64,
        /// Since 1970.
        millis: i64,
    },
}

impl Point {
    /// The newer of the two.
    pub(crate) fn merge(&mut self, other: Self) {
        let is_newer = match (*self, other) {
            (_, Self::Open) | (Self::At { .. }, Self::Nothing) => false,
            (Self::At { millis, .. }, Self::At { millis: other, .. }) => other > millis,
            (Self::Open | Self::Nothing, _) => true,
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

impl Sheet {
    pub(crate) fn size(&self) -> Size {
        Size { sets: self.sets.len(), pages: self.pages }
    }

    /// The points of one set.
    pub(crate) fn of(&self, set: usize, statistics: usize) -> &[Point] {
        self.points.get(set * statistics..(set + 1) * statistics).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_point_stays() {
        let at = |value, millis| Point::At { value, millis };
        for (mut point, other, expected) in [
            (Point::Open, Point::Nothing, Point::Nothing),
            (Point::Nothing, Point::Open, Point::Nothing),
            (Point::Nothing, at(1.0, 1), at(1.0, 1)),
            (at(1.0, 1), Point::Nothing, at(1.0, 1)),
            (at(1.0, 1), at(2.0, 2), at(2.0, 2)),
            (at(2.0, 2), at(1.0, 1), at(2.0, 2)),
        ] {
            point.merge(other);
            assert_eq!(point, expected);
        }
    }
}
