//! Where samples go: straight into the bytes of the negotiated format, one family after another.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use crate::desc::{self, Column, Desc, Entry, Kind};
use crate::format::{Escaping, Format};
use crate::text;

/// What a collector has written so far.
///
/// Samples become bytes as they are written; headers are added when the collectors of a scrape
/// are joined, because two collectors may write one family.
#[derive(Debug, Default)]
pub struct Families {
    pub(crate) format: Format,
    pub(crate) escaping: Escaping,
    /// The samples, family after family.
    pub(crate) body: Vec<u8>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) series: Vec<Series>,
    /// Names, helps and label names of the segments, each once.
    pub(crate) names: String,
    /// Families and samples that could not be written: a name that is none, a value of another
    /// kind than its family.
    pub(crate) refused: usize,
}

/// The samples of one family that were written together.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) name: Range<usize>,
    pub(crate) help: Range<usize>,
    pub(crate) kind: Kind,
    /// A hash of the label names: two families of one name with other labels are not one family.
    pub(crate) labels: u64,
    /// Into [`Families::series`].
    pub(crate) series: Range<usize>,
    /// Where in [`Families::body`] the first sample begins.
    pub(crate) start: usize,
}

/// One series: a sample, or all lines of a histogram or summary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    /// A hash of the label values.
    pub(crate) key: u64,
    /// Where in [`Families::body`] it ends.
    pub(crate) end: usize,
}

impl Families {
    pub fn new(format: Format, escaping: Escaping) -> Self {
        Self { format, escaping, ..Self::default() }
    }

    /// Opens a family.
    ///
    /// It borrows the bytes until dropped, so no second family can be opened inside it: the
    /// formats want the samples of a family together, and the compiler sees to it.
    pub fn family<'a, const N: usize>(&'a mut self, desc: &'a Desc<'a, N>) -> Family<'a, N> {
        Family { open: self.begin(desc.entry()) }
    }

    /// Opens a family whose labels are only known now. A name that cannot be one is refused, and
    /// with it all samples of the family.
    pub fn open<'a>(&'a mut self, entry: Entry<'a>) -> Open<'a> {
        let legal = desc::is_metric_name(entry.name)
            && entry.labels.iter().all(|label| desc::is_label_name(label));
        let mut open = self.begin(entry);
        open.legal = legal;
        open
    }

    /// Writes a table: a family for each column, and in it a sample for each row that has one.
    pub fn table<Row, const N: usize>(
        &mut self,
        columns: &[Column<Row, N>],
        rows: &[([&str; N], Row)],
    ) {
        for column in columns {
            let mut family = self.family(&column.desc);
            for (labels, row) in rows {
                if let Some(value) = (column.value)(row) {
                    family.sample(*labels, value);
                }
            }
        }
    }

    fn begin<'a>(&'a mut self, entry: Entry<'a>) -> Open<'a> {
        Open { entry, out: self, segment: None, legal: true }
    }
}

/// An open family with `N` labels. An empty family leaves no trace.
#[derive(Debug)]
pub struct Family<'a, const N: usize> {
    open: Open<'a>,
}

impl<const N: usize> Family<'_, N> {
    /// One sample of a counter, gauge or untyped family.
    pub fn sample(&mut self, labels: [&str; N], value: f64) {
        self.open.sample(&labels, value);
    }
}

/// An open family whose label count only the caller knows.
#[derive(Debug)]
pub struct Open<'a> {
    entry: Entry<'a>,
    out: &'a mut Families,
    /// Its place in [`Families::segments`] once it has a sample.
    segment: Option<usize>,
    legal: bool,
}

impl Open<'_> {
    /// One sample of a counter, gauge or untyped family; `labels` are in the order of the
    /// family's label names.
    pub fn sample(&mut self, labels: &[&str], value: f64) {
        let fits = matches!(self.entry.kind, Kind::Counter | Kind::Gauge | Kind::Untyped);
        if !self.legal || !fits || labels.len() != self.entry.labels.len() {
            self.out.refused += 1;
            return;
        }
        let start = self.out.body.len();
        text::sample(&mut self.out.body, &self.entry, labels, value);
        self.close_series(start, labels);
    }

    fn close_series(&mut self, start: usize, labels: &[&str]) {
        let segment = self.segment(start);
        let series = Series { key: hash(labels), end: self.out.body.len() };
        self.out.series.push(series);
        if let Some(segment) = self.out.segments.get_mut(segment) {
            segment.series.end = self.out.series.len();
        }
    }

    fn segment(&mut self, start: usize) -> usize {
        if let Some(segment) = self.segment {
            return segment;
        }
        let Families { names, segments, series, .. } = &mut *self.out;
        let mut keep = |text: &str| {
            let start = names.len();
            names.push_str(text);
            start..names.len()
        };
        segments.push(Segment {
            name: keep(self.entry.name),
            help: keep(self.entry.help),
            kind: self.entry.kind,
            labels: hash(self.entry.labels),
            series: series.len()..series.len(),
            start,
        });
        *self.segment.insert(segments.len() - 1)
    }
}

fn hash(words: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}
