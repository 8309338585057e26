//! Where samples go: straight into the bytes of the negotiated format, one family after another.

use std::borrow::Cow;
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use super::desc::{Column, Desc, DynDesc, Kind};
use super::format::{Escaping, Format};
use super::frame::Frame;
use super::name::{self, Role};
use super::text::Dialect;
use super::value::{CounterValue, HistogramValue, SummaryValue};
use super::{hash, protobuf, text};

/// What a collector has written so far.
///
/// Samples become bytes as they are written; headers are added when the collectors of a scrape
/// are joined, because two collectors may write one family.
#[derive(Debug, Default)]
pub struct Families {
    pub(crate) format: Format,
    pub(crate) escaping: Escaping,
    /// Whether `OpenMetrics` has `_created` lines. They are a series more for each counter,
    /// histogram and summary, so only for those who ask.
    pub(crate) created_lines: bool,
    /// The samples, family after family.
    pub(crate) body: Vec<u8>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) series: Vec<Series>,
    /// Names and helps of the segments, the names as the page spells them.
    pub(crate) names: String,
    /// Families and samples that could not be written: a name that is none, a value of another
    /// kind than its family.
    pub(crate) refused: usize,
    /// When what is written is no longer wanted.
    pub(crate) deadline: Option<Instant>,
    /// Of the family that is open.
    frame: Frame,
}

/// Stands for the label names of a family whose series differ in them.
const VARYING: u64 = 0;

/// The samples of one family that were written together.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    /// Into [`Families::names`].
    pub(crate) name: Range<usize>,
    /// Whether text has the name in quotes.
    pub(crate) quoted: bool,
    pub(crate) help: Range<usize>,
    pub(crate) kind: Kind,
    /// A hash of the label names: two families of one name with other labels are not one family,
    /// unless both are [`VARYING`].
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
    /// How many bytes before its last line feed only an `OpenMetrics` counter has.
    pub(crate) extra: usize,
}

impl Families {
    pub fn new(format: Format, escaping: Escaping) -> Self {
        // Text 0.0.4 has no quoted names.
        let escaping = match (format, escaping) {
            (Format::Text004, Escaping::AllowUtf8) => Escaping::Underscores,
            (_, escaping) => escaping,
        };
        Self { format, escaping, ..Self::default() }
    }

    /// Has `OpenMetrics` say when counters, histograms and summaries began, each in a `_created`
    /// series of its own. Protobuf says it without; the text formats cannot.
    #[must_use]
    pub fn with_created_lines(mut self) -> Self {
        self.created_lines = true;
        self
    }

    /// How much longer the scrape waits for the collector that writes here; none if nobody waits.
    /// Few need to know: those that can still say something useful when they stop early.
    pub fn time_left(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Takes over the room of another, whose samples have gone out. Room that was far from used is
    /// not kept on.
    pub(crate) fn within(mut self, spent: Self) -> Self {
        fn emptied<T>(mut room: Vec<T>) -> Vec<T> {
            if room.capacity() / 4 > room.len() {
                return Vec::new();
            }
            room.clear();
            room
        }
        self.body = emptied(spent.body);
        self.segments = emptied(spent.segments);
        self.series = emptied(spent.series);
        self.names = spent.names;
        self.names.clear();
        self.frame = spent.frame;
        self
    }

    /// Opens a family.
    ///
    /// It borrows the bytes until dropped, so no second family can be opened inside it: the
    /// formats want the samples of a family together, and the compiler sees to it.
    pub fn family<'a, const N: usize>(&'a mut self, desc: &'a Desc<'a, N>) -> Family<'a, N> {
        Family { open: self.open(desc.as_dyn()) }
    }

    /// Opens a family whose labels are only known now.
    ///
    /// Names may be any text: what the format or the reader does not take is escaped. A name that
    /// is empty or has a NUL in it is refused, so are two labels of one name, and with them all
    /// samples of the family.
    pub fn open<'a>(&'a mut self, entry: DynDesc<'a>) -> DynFamily<'a> {
        DynFamily { entry, out: self, state: State::Fresh, varying: false }
    }

    /// As [`Families::open`], for a family whose series differ in their label names: it is opened
    /// once for each set of names, and the series are exposed together.
    ///
    /// All of its series have to be written in this way: any others of the name are dropped.
    pub fn open_varying<'a>(&'a mut self, entry: DynDesc<'a>) -> DynFamily<'a> {
        DynFamily { entry, out: self, state: State::Fresh, varying: true }
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

    /// The dialect of a text format.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.format {
            Format::OpenMetrics => Dialect::OpenMetrics { created: self.created_lines },
            _ => Dialect::Prometheus,
        }
    }
}

/// An open family with `N` labels. An empty family leaves no trace.
#[derive(Debug)]
pub struct Family<'a, const N: usize> {
    open: DynFamily<'a>,
}

impl<const N: usize> Family<'_, N> {
    /// One sample of a counter, gauge or untyped family.
    pub fn sample(&mut self, labels: [&str; N], value: f64) {
        self.open.sample(&labels, value);
    }

    /// As [`Family::sample`], measured at another time than that of the scrape.
    pub fn sample_at(&mut self, labels: [&str; N], value: f64, at: SystemTime) {
        self.open.sample_at(&labels, value, at);
    }

    /// A counter with its creation time and exemplar.
    pub fn counter(&mut self, labels: [&str; N], value: &CounterValue<'_>) {
        self.open.counter(&labels, value);
    }

    pub fn histogram(&mut self, labels: [&str; N], value: &HistogramValue<'_>) {
        self.open.histogram(&labels, value);
    }

    pub fn summary(&mut self, labels: [&str; N], value: &SummaryValue<'_>) {
        self.open.summary(&labels, value);
    }
}

/// An open family whose label count only the caller knows. Label values are in the order of the
/// family's label names; a sample with too few or too many is refused.
#[derive(Debug)]
pub struct DynFamily<'a> {
    entry: DynDesc<'a>,
    out: &'a mut Families,
    state: State,
    /// Whether other series of the family have other label names.
    varying: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Fresh,
    Refused,
    /// At this place in [`Families::segments`].
    Started(usize),
}

impl DynFamily<'_> {
    /// One sample of a counter, gauge or untyped family.
    pub fn sample(&mut self, labels: &[&str], value: f64) {
        if self.takes(labels, self.entry.kind.is_plain()) {
            self.write(labels, value, None);
        }
    }

    /// As [`DynFamily::sample`], measured at another time than that of the scrape. A time before 1970
    /// is refused: Prometheus would refuse the page.
    pub fn sample_at(&mut self, labels: &[&str], value: f64, at: SystemTime) {
        let at = at.duration_since(SystemTime::UNIX_EPOCH).ok();
        let at = at.filter(|at| i64::try_from(at.as_millis()).is_ok());
        if self.takes(labels, self.entry.kind.is_plain() && at.is_some()) {
            self.write(labels, value, at);
        }
    }

    /// A counter with its creation time and exemplar.
    pub fn counter(&mut self, labels: &[&str], value: &CounterValue<'_>) {
        if !self.takes(labels, self.entry.kind == Kind::Counter) {
            return;
        }
        let dialect = self.out.dialect();
        let Families { format, body, frame, .. } = &mut *self.out;
        let extra = if *format == Format::Protobuf {
            protobuf::counter(body, frame, labels, value);
            0
        } else {
            text::counter(body, frame, labels, value, dialect)
        };
        self.end(labels, extra);
    }

    pub fn histogram(&mut self, labels: &[&str], value: &HistogramValue<'_>) {
        if !self.takes(labels, self.entry.kind == Kind::Histogram && value.is_sound()) {
            return;
        }
        let dialect = self.out.dialect();
        let Families { format, body, frame, .. } = &mut *self.out;
        if *format == Format::Protobuf {
            protobuf::histogram(body, frame, labels, value);
        } else {
            text::histogram(body, frame, labels, value, dialect);
        }
        self.end(labels, 0);
    }

    pub fn summary(&mut self, labels: &[&str], value: &SummaryValue<'_>) {
        if !self.takes(labels, self.entry.kind == Kind::Summary && value.is_sound()) {
            return;
        }
        let dialect = self.out.dialect();
        let Families { format, body, frame, .. } = &mut *self.out;
        if *format == Format::Protobuf {
            protobuf::summary(body, frame, labels, value);
        } else {
            text::summary(body, frame, labels, value, dialect);
        }
        self.end(labels, 0);
    }

    fn write(&mut self, labels: &[&str], value: f64, at: Option<Duration>) {
        let dialect = self.out.dialect();
        let Families { format, body, frame, .. } = &mut *self.out;
        match (*format, at) {
            (Format::Protobuf, at) => {
                protobuf::sample(body, frame, labels, self.entry.kind, value, at);
            }
            (_, Some(at)) => text::sample_at(body, frame, labels, value, at, dialect),
            (_, None) => text::sample(body, frame, labels, value, dialect),
        }
        self.end(labels, 0);
    }

    /// Whether a sample with these labels and a value that `fits` can be written. If so the
    /// family is started.
    fn takes(&mut self, labels: &[&str], fits: bool) -> bool {
        let fits = fits && labels.len() == self.entry.labels.len();
        if fits && matches!(self.state, State::Fresh) {
            self.state = self.start();
        }
        let takes = fits && matches!(self.state, State::Started(_));
        self.out.refused += usize::from(!takes);
        takes
    }

    fn start(&mut self) -> State {
        let Self { entry, out, varying, .. } = self;
        let Families { format, escaping, body, segments, series, names, frame, .. } = &mut **out;
        let bound = match entry.kind {
            Kind::Histogram => "le",
            Kind::Summary => "quantile",
            _ => "",
        };
        // As nearly all are; then there is nothing to escape and nothing to quote.
        let legacy = Role::Metric.is_legacy(entry.name)
            && entry.labels.iter().all(|label| Role::Label.is_legacy(label));
        let spelled = |name, role| {
            if legacy { Cow::Borrowed(name) } else { name::spelled(name, role, *escaping) }
        };
        let legal = (legacy || Role::Metric.is_legal(entry.name))
            && entry.labels.iter().enumerate().all(|(at, label)| {
                let mut before = entry.labels.iter().take(at);
                (legacy || Role::Label.is_legal(label))
                    && *label != bound
                    && *label != "__name__"
                    && !before
                        .any(|other| spelled(other, Role::Label) == spelled(label, Role::Label))
            });
        if !legal {
            return State::Refused;
        }
        let name = spelled(entry.name, Role::Metric);
        let quoted = !legacy && !Role::Metric.is_legacy(&name);
        let labels = entry.labels.iter().map(|label| {
            let label = spelled(label, Role::Label);
            let quoted = !legacy && !Role::Label.is_legacy(&label);
            (label, quoted)
        });
        match format {
            Format::Protobuf => protobuf::frame(frame, labels.map(|(label, _)| label)),
            _ => text::frame(frame, (&name, quoted), labels, bound),
        }
        let mut keep = |text: &str| {
            let start = names.len();
            names.push_str(text);
            start..names.len()
        };
        segments.push(Segment {
            name: keep(&name),
            quoted,
            help: keep(entry.help),
            kind: entry.kind,
            labels: if *varying { VARYING } else { hash::of(entry.labels) },
            series: series.len()..series.len(),
            start: body.len(),
        });
        State::Started(segments.len() - 1)
    }

    /// Ends a series.
    fn end(&mut self, labels: &[&str], extra: usize) {
        let State::Started(segment) = self.state else { return };
        let Families { body, segments, series, .. } = &mut *self.out;
        let names = if self.varying { hash::of(self.entry.labels) } else { 0 };
        series.push(Series { key: hash::of(labels) ^ names, end: body.len(), extra });
        if let Some(segment) = segments.get_mut(segment) {
            segment.series.end = series.len();
        }
    }
}
