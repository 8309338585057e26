//! A parser of the text format 0.0.4, as strict as the tools of Prometheus. In addition, it rejects
//! timestamps and names that are not legacy names.

use std::collections::HashMap;

use exporter_core::desc::{self, Kind};

use self::line::{Cursor, Label};

mod line;

/// The families of a file, in the order of their first lines.
///
/// Values of labels are kept in one string, because there may be very many.
#[derive(Debug, Default)]
pub(super) struct Page {
    values: String,
    pub(super) families: Vec<Family>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Family {
    pub(super) name: String,
    /// Empty if the file gives none.
    pub(super) help: String,
    pub(super) kind: Kind,
    /// All labels that any of the series has.
    pub(super) labels: Vec<String>,
    pub(super) series: Vec<Series>,
    /// The labels of one series after another.
    cells: Vec<Cell>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Series {
    /// Where in the cells its labels end.
    end: usize,
    pub(super) sample: Sample,
}

#[derive(Debug, PartialEq)]
pub(super) enum Sample {
    Number(f64),
    Distribution(Box<Distribution>),
}

/// A histogram or summary.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Distribution {
    pub(super) sum: f64,
    pub(super) count: f64,
    /// Upper bounds of buckets with what is counted up to them, or quantiles with their values;
    /// each once, in order. The bucket without a bound is `count`.
    pub(super) points: Vec<(f64, f64)>,
}

/// A label of a series: which of the family's it is, and where in the page its value is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    label: u32,
    start: u32,
    end: u32,
}

impl Page {
    /// The values of the labels of each series, in the order of `places`: the place of each of the
    /// family's labels. What a series does not have stays empty.
    pub(super) fn series<'p>(
        &'p self,
        family: &'p Family,
        places: &[usize],
        labels: &mut Vec<&'p str>,
        mut each: impl FnMut(&[&'p str], &'p Sample),
    ) {
        let width = labels.len();
        let mut start = 0;
        for Series { end, sample } in &family.series {
            labels.clear();
            labels.resize(width, "");
            for cell in family.cells.get(start..*end).unwrap_or_default() {
                let place = places.get(cell.label as usize).copied();
                if let Some(label) = place.and_then(|place| labels.get_mut(place)) {
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

/// Parses a file. The error names the line.
pub(super) fn parse(bytes: &[u8]) -> Result<Page, String> {
    let mut parser = Parser::default();
    for (before, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        parser.line(line).map_err(|problem| format!("line {}: {problem}", before + 1))?;
    }
    parser.finish()
}

#[derive(Default)]
struct Parser {
    page: Page,
    /// What is known of each of the page's families beside what it keeps.
    states: Vec<State>,
    /// Their places by name.
    places: HashMap<String, usize>,
    /// The cells of the line being read.
    cells: Vec<Cell>,
}

#[derive(Default)]
struct State {
    has_help: bool,
    /// Given, or taken for untyped at the first sample.
    has_kind: bool,
    /// Of a histogram or summary.
    distributions: Option<Box<Distributions>>,
}

#[derive(Default)]
struct Distributions {
    /// The series by their labels, for their lines may be apart.
    places: HashMap<Vec<(u32, String)>, usize>,
    /// Whether a count was given, for each of the series.
    counted: Vec<bool>,
}

type Problem = String;

impl Parser {
    fn line(&mut self, line: &[u8]) -> Result<(), Problem> {
        let line = str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
        let mut cursor = Cursor::new(line.strip_suffix('\n').unwrap_or(line));
        cursor.skip_blanks();
        if cursor.is_at_end() {
            return Ok(());
        }
        if !line.ends_with('\n') {
            return Err("cut off: a line feed is missing".to_owned());
        }
        if cursor.take('#') { self.comment(cursor) } else { self.sample(cursor) }
    }

    fn comment(&mut self, mut cursor: Cursor<'_>) -> Result<(), Problem> {
        cursor.skip_blanks();
        let keyword = cursor.word();
        if !matches!(keyword, "HELP" | "TYPE") {
            return Ok(());
        }
        cursor.skip_blanks();
        if cursor.is_at_end() {
            return Ok(());
        }
        let name = cursor.name().ok_or_else(|| cursor.unlike("the name of a metric"))?;
        let place = self.family(name);
        if cursor.is_at_end() {
            return Ok(());
        }
        if !cursor.skip_blanks() {
            return Err(cursor.unlike("a space after the name"));
        }
        if cursor.is_at_end() {
            return Ok(());
        }
        let (Some(family), Some(state)) =
            (self.page.families.get_mut(place), self.states.get_mut(place))
        else {
            return Ok(());
        };
        if keyword == "HELP" {
            if state.has_help {
                return Err(format!("a second HELP of {name}"));
            }
            state.has_help = true;
            family.help = cursor.help()?;
        } else {
            if state.has_kind {
                return Err(format!("a second TYPE of {name}, or one after its samples"));
            }
            state.has_kind = true;
            family.kind = kind(cursor.rest()).ok_or_else(|| cursor.unlike("a type"))?;
        }
        Ok(())
    }

    fn sample(&mut self, mut cursor: Cursor<'_>) -> Result<(), Problem> {
        let mut name = cursor.name();
        if name.is_some() {
            cursor.skip_blanks();
        }
        let mut labels = Vec::new();
        if cursor.take('{') {
            for label in cursor.labels()? {
                match label {
                    Label::Pair(label, value) => labels.push((label, value)),
                    Label::Name(quoted) if name.is_none() => name = Some(quoted),
                    Label::Name(_) => return Err("a second name".to_owned()),
                }
            }
            cursor.skip_blanks();
        }
        let name = name.ok_or_else(|| cursor.unlike("the name of a metric"))?;
        let value = cursor.value()?;
        let place = self.family(name);
        self.add(place, name, labels, value)
    }

    /// The place of the family that a line of this name belongs to.
    fn family(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        for suffix in ["_count", "_sum", "_bucket"] {
            let Some(place) = name.strip_suffix(suffix).and_then(|stem| self.places.get(stem))
            else {
                continue;
            };
            match self.page.families.get(*place).map(|family| family.kind) {
                Some(Kind::Histogram) => return *place,
                Some(Kind::Summary) if suffix != "_bucket" => return *place,
                _ => {}
            }
        }
        let place = self.page.families.len();
        self.page.families.push(Family {
            name: name.to_owned(),
            help: String::new(),
            kind: Kind::Untyped,
            labels: Vec::new(),
            series: Vec::new(),
            cells: Vec::new(),
        });
        self.states.push(State::default());
        self.places.insert(name.to_owned(), place);
        place
    }

    fn add(
        &mut self,
        place: usize,
        name: &str,
        labels: Vec<(&str, String)>,
        value: f64,
    ) -> Result<(), Problem> {
        let (Some(family), Some(state)) =
            (self.page.families.get_mut(place), self.states.get_mut(place))
        else {
            return Ok(());
        };
        state.has_kind = true;
        let point = match family.kind {
            Kind::Histogram => Some("le"),
            Kind::Summary => Some("quantile"),
            _ => None,
        };
        let mut at = None;
        self.cells.clear();
        for (label, text) in &labels {
            if let Some(point) = point.filter(|point| point == label) {
                let number = line::float(text);
                at = Some(
                    number
                        .ok_or_else(|| format!("expected a number as {point}, found {text:?}"))?,
                );
                continue;
            }
            let cell = cell(&mut family.labels, &mut self.page.values, label, text)?;
            if self.cells.iter().any(|other| other.label == cell.label) {
                return Err(format!("the label {label} twice"));
            }
            self.cells.push(cell);
        }
        if point.is_none() {
            family.cells.append(&mut self.cells);
            let end = family.cells.len();
            family.series.push(Series { end, sample: Sample::Number(value) });
            return Ok(());
        }
        let labels = labels.into_iter().filter(|(label, _)| Some(*label) != point);
        let mut key: Vec<_> =
            self.cells.iter().map(|cell| cell.label).zip(labels.map(|(_, text)| text)).collect();
        key.sort_unstable();
        let Distributions { places, counted } = &mut **state.distributions.get_or_insert_default();
        let nth = *places.entry(key).or_insert_with(|| {
            family.cells.append(&mut self.cells);
            let sample = Sample::Distribution(Box::default());
            family.series.push(Series { end: family.cells.len(), sample });
            counted.push(false);
            family.series.len() - 1
        });
        let (Some(Series { sample: Sample::Distribution(distribution), .. }), Some(counted)) =
            (family.series.get_mut(nth), counted.get_mut(nth))
        else {
            return Ok(());
        };
        let suffix = name.strip_prefix(family.name.as_str()).unwrap_or_default();
        distribution.add(suffix, family.kind, at, value, counted)
    }

    fn finish(mut self) -> Result<Page, Problem> {
        // Every series is exposed with all labels of its family.
        const MOST_CELLS: usize = 1 << 22;
        for family in &mut self.page.families {
            let (name, labels, series) = (&family.name, family.labels.len(), family.series.len());
            if labels > 32 && labels.saturating_mul(series) > MOST_CELLS {
                return Err(format!("too many: {series} series of {name} with {labels} labels"));
            }
            for series in &mut family.series {
                if let Sample::Distribution(distribution) = &mut series.sample {
                    distribution.finish();
                }
            }
            family.series.shrink_to_fit();
            family.cells.shrink_to_fit();
        }
        self.page.families.retain(|family| !family.series.is_empty());
        self.page.values.shrink_to_fit();
        Ok(self.page)
    }
}

impl Distribution {
    /// Takes a line of a histogram or summary.
    fn add(
        &mut self,
        suffix: &str,
        kind: Kind,
        at: Option<f64>,
        value: f64,
        counted: &mut bool,
    ) -> Result<(), Problem> {
        let counts = suffix == "_count" || kind == Kind::Histogram && suffix != "_sum";
        if counts && value.is_sign_negative() && value != 0.0 || counts && value.is_nan() {
            return Err(format!("expected a count, found {value}"));
        }
        match (suffix, at) {
            ("_sum", _) => self.sum = value,
            ("_count", _) => {
                self.count = value;
                *counted = true;
            }
            (_, Some(at)) if at.is_nan() => {}
            // The +Inf bucket; the `_count` line is the better source.
            (_, Some(f64::INFINITY)) if kind == Kind::Histogram => {
                if !*counted {
                    self.count = value;
                }
            }
            // -0 and 0 are the same.
            (_, Some(at)) => self.points.push((at + 0.0, value)),
            // A line without its bound or quantile is ignored.
            (_, None) => {}
        }
        Ok(())
    }

    /// Puts the points in order. Of two at one place the later one counts.
    fn finish(&mut self) {
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

/// Keeps the value of a label, and the label if the family has it not yet.
fn cell(
    labels: &mut Vec<String>,
    values: &mut String,
    label: &str,
    value: &str,
) -> Result<Cell, Problem> {
    const MOST_LABELS: usize = 512;
    let known = labels.iter().position(|known| known == label);
    let place = known.unwrap_or(labels.len());
    if known.is_none() {
        if !desc::is_label_name(label) || label.starts_with("__") {
            return Err(format!("expected the name of a label, found {label:?}"));
        }
        if labels.len() == MOST_LABELS {
            return Err(format!("a family of more than {MOST_LABELS} labels"));
        }
        labels.push(label.to_owned());
    }
    // A file is no longer than 64 MiB.
    let number = |place: usize| u32::try_from(place).map_err(|_| "too long".to_owned());
    let start = number(values.len())?;
    values.push_str(value);
    Ok(Cell { label: number(place)?, start, end: number(values.len())? })
}

fn kind(word: &str) -> Option<Kind> {
    [
        ("counter", Kind::Counter),
        ("gauge", Kind::Gauge),
        ("histogram", Kind::Histogram),
        ("summary", Kind::Summary),
        ("untyped", Kind::Untyped),
    ]
    .into_iter()
    .find_map(|(name, kind)| name.eq_ignore_ascii_case(word).then_some(kind))
}

#[cfg(test)]
mod tests;
