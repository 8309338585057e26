//! The families of a file.

use exporter_core::desc::{self, Kind};

use super::Problem;

/// The families of a file, in the order of their first lines.
///
/// All label values are stored in one string, because there may be very many.
#[derive(Debug, Default)]
pub(in super::super) struct Page {
    pub(super) values: String,
    pub(in super::super) families: Vec<Family>,
}

#[derive(Debug, PartialEq)]
pub(in super::super) struct Family {
    pub(in super::super) name: String,
    /// Empty if the file gives none.
    pub(in super::super) help: String,
    pub(in super::super) kind: Kind,
    /// The labels of all series.
    pub(in super::super) labels: Vec<String>,
    pub(in super::super) series: Vec<Series>,
    /// The labels of all series, series after series.
    pub(super) cells: Vec<Cell>,
}

#[derive(Debug, PartialEq)]
pub(in super::super) struct Series {
    /// The end index of its labels in [`Family::cells`].
    pub(super) end: usize,
    pub(in super::super) sample: Sample,
}

#[derive(Debug, PartialEq)]
pub(in super::super) enum Sample {
    Number(f64),
    Distribution(Box<Distribution>),
}

/// A histogram or summary.
#[derive(Debug, Default, PartialEq)]
pub(in super::super) struct Distribution {
    pub(in super::super) sum: f64,
    pub(in super::super) count: f64,
    /// Upper bounds of buckets with their cumulative counts, or quantiles with their values;
    /// ascending, without duplicates. The bucket `+Inf` is `count`.
    pub(in super::super) points: Vec<(f64, f64)>,
}

/// A label of a series: its index in the family, and the range of its value in the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) label: u32,
    start: u32,
    end: u32,
}

impl Page {
    /// Calls `each` with the label values of each series. `indices` maps labels of the family to
    /// positions in `labels`. Labels that a series does not have are empty.
    pub(in super::super) fn series<'p>(
        &'p self,
        family: &'p Family,
        indices: &[usize],
        labels: &mut Vec<&'p str>,
        mut each: impl FnMut(&[&'p str], &'p Sample),
    ) {
        let width = labels.len();
        let mut start = 0;
        for Series { end, sample } in &family.series {
            labels.clear();
            labels.resize(width, "");
            for cell in family.cells.get(start..*end).unwrap_or_default() {
                let index = indices.get(cell.label as usize).copied();
                if let Some(label) = index.and_then(|index| labels.get_mut(index)) {
                    *label = self.value(*cell);
                }
            }
            each(labels, sample);
            start = *end;
        }
    }

    fn value(&self, cell: Cell) -> &str {
        self.values.get(cell.start as usize..cell.end as usize).unwrap_or_default()
    }
}

impl Distribution {
    /// Adds a line of a histogram or summary.
    pub(super) fn add(
        &mut self,
        suffix: &str,
        kind: Kind,
        bound: Option<f64>,
        value: f64,
        has_count: &mut bool,
    ) -> Result<(), Problem> {
        let is_count = suffix == "_count" || kind == Kind::Histogram && suffix != "_sum";
        if is_count && value.is_sign_negative() && value != 0.0 || is_count && value.is_nan() {
            return Err(format!("expected a count, found {value}"));
        }
        match (suffix, bound) {
            ("_sum", _) => self.sum = value,
            ("_count", _) => {
                self.count = value;
                *has_count = true;
            }
            (_, Some(bound)) if bound.is_nan() => {}
            // The +Inf bucket; the `_count` line is the better source.
            (_, Some(f64::INFINITY)) if kind == Kind::Histogram => {
                if !*has_count {
                    self.count = value;
                }
            }
            // -0 and 0 are the same.
            (_, Some(bound)) => self.points.push((bound + 0.0, value)),
            // A line without its bound or quantile is ignored.
            (_, None) => {}
        }
        Ok(())
    }

    /// Sorts the points. Of equal bounds or quantiles, the last one is kept.
    pub(super) fn finish(&mut self) {
        self.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.points.dedup_by(|later, kept| {
            let same = later.0.total_cmp(&kept.0).is_eq();
            if same {
                *kept = *later;
            }
            same
        });
        self.points.shrink_to_fit();
    }
}

/// Adds the value of a label, and the label if the family does not have it.
pub(super) fn cell(
    labels: &mut Vec<String>,
    values: &mut String,
    label: &str,
    value: &str,
) -> Result<Cell, Problem> {
    const MAX_LABELS: usize = 512;
    let known = labels.iter().position(|known| known == label);
    let index = known.unwrap_or(labels.len());
    if known.is_none() {
        if !desc::is_label_name(label) || label.starts_with("__") {
            return Err(format!("expected the name of a label, found {label:?}"));
        }
        if labels.len() == MAX_LABELS {
            return Err(format!("a family of more than {MAX_LABELS} labels"));
        }
        labels.push(label.to_owned());
    }
    // A file is no longer than 64 MiB.
    let number = |index: usize| u32::try_from(index).map_err(|_| "too long".to_owned());
    let start = number(values.len())?;
    values.push_str(value);
    Ok(Cell { label: number(index)?, start, end: number(values.len())? })
}
