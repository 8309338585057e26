//! A parser of the text format 0.0.4, as strict as the tools of Prometheus. In addition, it rejects
//! timestamps and names that are not legacy names.

mod line;
mod page;

use std::collections::HashMap;

use exporter_core::desc::Kind;

use self::line::{Cursor, Label};
use self::page::{Cell, Family, Series, cell};
pub(super) use self::page::{Distribution, Page, Sample};

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
    /// The state of each family of the page.
    states: Vec<State>,
    /// The indices of the families by name.
    indices: HashMap<String, usize>,
    /// The cells of the line being read.
    cells: Vec<Cell>,
}

#[derive(Default)]
struct State {
    has_help: bool,
    /// Set by a TYPE line, or by the first sample.
    has_kind: bool,
    /// Of a histogram or summary.
    distributions: Option<Box<Distributions>>,
}

#[derive(Default)]
struct Distributions {
    /// The series by their labels, because their lines may be apart.
    indices: HashMap<Vec<(u32, String)>, usize>,
    /// Whether each series has a `_count` line.
    has_count: Vec<bool>,
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
        let name = cursor.name().ok_or_else(|| cursor.parse_error("the name of a metric"))?;
        let index = self.family(name);
        if cursor.is_at_end() {
            return Ok(());
        }
        if !cursor.skip_blanks() {
            return Err(cursor.parse_error("a space after the name"));
        }
        if cursor.is_at_end() {
            return Ok(());
        }
        let (Some(family), Some(state)) =
            (self.page.families.get_mut(index), self.states.get_mut(index))
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
            family.kind = kind(cursor.rest()).ok_or_else(|| cursor.parse_error("a type"))?;
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
        let name = name.ok_or_else(|| cursor.parse_error("the name of a metric"))?;
        let value = cursor.value()?;
        let index = self.family(name);
        self.add(index, name, labels, value)
    }

    /// The index of the family that a line of this name belongs to.
    fn family(&mut self, name: &str) -> usize {
        if let Some(index) = self.indices.get(name) {
            return *index;
        }
        for suffix in ["_count", "_sum", "_bucket"] {
            let Some(index) = name.strip_suffix(suffix).and_then(|stem| self.indices.get(stem))
            else {
                continue;
            };
            match self.page.families.get(*index).map(|family| family.kind) {
                Some(Kind::Histogram) => return *index,
                Some(Kind::Summary) if suffix != "_bucket" => return *index,
                _ => {}
            }
        }
        let index = self.page.families.len();
        self.page.families.push(Family {
            name: name.to_owned(),
            help: String::new(),
            kind: Kind::Untyped,
            labels: Vec::new(),
            series: Vec::new(),
            cells: Vec::new(),
        });
        self.states.push(State::default());
        self.indices.insert(name.to_owned(), index);
        index
    }

    fn add(
        &mut self,
        index: usize,
        name: &str,
        labels: Vec<(&str, String)>,
        value: f64,
    ) -> Result<(), Problem> {
        let (Some(family), Some(state)) =
            (self.page.families.get_mut(index), self.states.get_mut(index))
        else {
            return Ok(());
        };
        state.has_kind = true;
        let bound_label = match family.kind {
            Kind::Histogram => Some("le"),
            Kind::Summary => Some("quantile"),
            _ => None,
        };
        let mut bound = None;
        self.cells.clear();
        for (label, text) in &labels {
            if let Some(bound_label) = bound_label.filter(|bound_label| bound_label == label) {
                let number = line::float(text);
                bound = Some(number.ok_or_else(|| {
                    format!("expected a number as {bound_label}, found {text:?}")
                })?);
                continue;
            }
            let cell = cell(&mut family.labels, &mut self.page.values, label, text)?;
            if self.cells.iter().any(|other| other.label == cell.label) {
                return Err(format!("the label {label} twice"));
            }
            self.cells.push(cell);
        }
        if bound_label.is_none() {
            family.cells.append(&mut self.cells);
            let end = family.cells.len();
            family.series.push(Series { end, sample: Sample::Number(value) });
            return Ok(());
        }
        let labels = labels.into_iter().filter(|(label, _)| Some(*label) != bound_label);
        let mut key: Vec<_> =
            self.cells.iter().map(|cell| cell.label).zip(labels.map(|(_, text)| text)).collect();
        key.sort_unstable();
        let Distributions { indices, has_count } =
            &mut **state.distributions.get_or_insert_default();
        let nth = *indices.entry(key).or_insert_with(|| {
            family.cells.append(&mut self.cells);
            let sample = Sample::Distribution(Box::default());
            family.series.push(Series { end: family.cells.len(), sample });
            has_count.push(false);
            family.series.len() - 1
        });
        let (Some(Series { sample: Sample::Distribution(distribution), .. }), Some(has_count)) =
            (family.series.get_mut(nth), has_count.get_mut(nth))
        else {
            return Ok(());
        };
        let suffix = name.strip_prefix(family.name.as_str()).unwrap_or_default();
        distribution.add(suffix, family.kind, bound, value, has_count)
    }

    fn finish(mut self) -> Result<Page, Problem> {
        // Each series is exposed with all labels of its family.
        const MAX_CELLS: usize = 1 << 22;
        for family in &mut self.page.families {
            let (name, labels, series) = (&family.name, family.labels.len(), family.series.len());
            if labels > 32 && labels.saturating_mul(series) > MAX_CELLS {
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
