//! Open families, which encode samples as they are written.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use super::super::desc::{Column, Desc, DynDesc, Kind};
use super::super::format::Format;
use super::super::name::{self, Role};
use super::super::value::{CounterValue, HistogramValue, SummaryValue};
use super::super::{hash, protobuf, text};
use super::{Families, Segment, Series};

impl Families {
    /// Opens a family.
    ///
    /// It borrows the sink until it is dropped, because the formats require the samples of a family
    /// to be together.
    pub fn family<'a, const N: usize>(&'a mut self, desc: &'a Desc<'a, N>) -> Family<'a, N> {
        Family { open: self.open_desc(desc) }
    }

    /// Opens a family with its unit.
    pub(crate) fn open_desc<'a, const N: usize>(
        &'a mut self,
        desc: &'a Desc<'a, N>,
    ) -> DynFamily<'a> {
        self.open_as(desc.as_dyn(), false)
    }

    /// Opens a family again, as it was recorded.
    pub(super) fn open_as<'a>(&'a mut self, desc: DynDesc<'a>, is_dynamic: bool) -> DynFamily<'a> {
        DynFamily { desc, is_dynamic, out: self, state: State::New }
    }

    /// Opens a family whose labels are found at run time.
    ///
    /// A family may be opened several times with different label names; its series are exposed
    /// together. Names may be any text: what the format does not allow is escaped. If a name is
    /// empty or contains NUL, or two labels have the same name, the samples are refused.
    pub fn open<'a>(&'a mut self, desc: DynDesc<'a>) -> DynFamily<'a> {
        self.open_as(desc, true)
    }

    /// Writes a table: a family for each column, with a sample for each row that has a value.
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
}

/// An open family with `N` labels. A family without samples is not exposed.
#[derive(Debug)]
pub struct Family<'a, const N: usize> {
    open: DynFamily<'a>,
}

impl<const N: usize> Family<'_, N> {
    /// One sample of a counter, gauge or untyped family.
    pub fn sample(&mut self, labels: [&str; N], value: f64) {
        self.open.sample(&labels, value);
    }

    /// As [`Family::sample`], with the time of the measurement.
    pub fn sample_at(&mut self, labels: [&str; N], value: f64, at: SystemTime) {
        self.open.sample_at(&labels, value, at);
    }

    /// A counter with its creation time and exemplar.
    pub fn counter(&mut self, labels: [&str; N], value: &CounterValue<'_>) {
        self.open.counter(&labels, value);
    }

    /// A histogram. It is refused if its buckets do not ascend.
    pub fn histogram(&mut self, labels: [&str; N], value: &HistogramValue<'_>) {
        self.open.histogram(&labels, value);
    }

    /// A summary. It is refused if its quantiles do not ascend or are not between 0 and 1.
    pub fn summary(&mut self, labels: [&str; N], value: &SummaryValue<'_>) {
        self.open.summary(&labels, value);
    }
}

/// An open family whose labels are found at run time. Label values are in the order of the label
/// names; a sample with another number of values is refused.
#[derive(Debug)]
pub struct DynFamily<'a> {
    desc: DynDesc<'a>,
    is_dynamic: bool,
    out: &'a mut Families,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    New,
    /// An invalid name or invalid labels.
    Invalid,
    /// Excluded by the limits of the output: nothing is encoded.
    Excluded,
    /// The index in [`Families::segments`].
    Started(usize),
}

impl DynFamily<'_> {
    /// One sample of a counter, gauge or untyped family.
    pub fn sample(&mut self, labels: &[&str], value: f64) {
        if self.accepts(labels, self.desc.kind.is_plain()) {
            self.write(labels, value, None);
        }
    }

    /// As [`DynFamily::sample`], with the time of the measurement. A time before 1970 is refused:
    /// Prometheus would reject the page.
    pub fn sample_at(&mut self, labels: &[&str], value: f64, at: SystemTime) {
        let at = at.duration_since(SystemTime::UNIX_EPOCH).ok();
        let at = at.filter(|at| i64::try_from(at.as_millis()).is_ok());
        if self.accepts(labels, self.desc.kind.is_plain() && at.is_some()) {
            self.write(labels, value, at);
        }
    }

    /// A counter with its creation time and exemplar.
    pub fn counter(&mut self, labels: &[&str], value: &CounterValue<'_>) {
        if !self.accepts(labels, self.desc.kind == Kind::Counter) {
            return;
        }
        if let Some(recording) = &mut self.out.recording {
            recording.counter(labels, value);
        }
        let dialect = self.out.dialect();
        let Families { format, body, frame, .. } = &mut *self.out;
        let extra = if *format == Format::Protobuf {
            protobuf::counter(body, frame, labels, value);
            0
        } else {
            text::counter(body, frame, labels, value, dialect)
        };
        self.end_series(labels, extra);
    }

    /// A histogram. It is refused if its buckets do not ascend.
    pub fn histogram(&mut self, labels: &[&str], value: &HistogramValue<'_>) {
        if !self.accepts(labels, self.desc.kind == Kind::Histogram && value.is_valid()) {
            return;
        }
        if let Some(recording) = &mut self.out.recording {
            recording.histogram(labels, value);
        }
        let dialect = self.out.dialect();
        let Families { format, body, frame, .. } = &mut *self.out;
        if *format == Format::Protobuf {
            protobuf::histogram(body, frame, labels, value);
        } else {
            text::histogram(body, frame, labels, value, dialect);
        }
        self.end_series(labels, 0);
    }

    /// A summary. It is refused if its quantiles do not ascend or are not between 0 and 1.
    pub fn summary(&mut self, labels: &[&str], value: &SummaryValue<'_>) {
        if !self.accepts(labels, self.desc.kind == Kind::Summary && value.is_valid()) {
            return;
        }
        if let Some(recording) = &mut self.out.recording {
            recording.summary(labels, value);
        }
        let dialect = self.out.dialect();
        let Families { format, body, frame, .. } = &mut *self.out;
        if *format == Format::Protobuf {
            protobuf::summary(body, frame, labels, value);
        } else {
            text::summary(body, frame, labels, value, dialect);
        }
        self.end_series(labels, 0);
    }

    fn write(&mut self, labels: &[&str], value: f64, at: Option<Duration>) {
        if let Some(recording) = &mut self.out.recording {
            recording.number(labels, value, at);
        }
        let dialect = self.out.dialect();
        let Families { format, body, frame, .. } = &mut *self.out;
        match (*format, at) {
            (Format::Protobuf, at) => {
                protobuf::sample(body, frame, labels, self.desc.kind, value, at);
            }
            (_, Some(at)) => text::sample_at(body, frame, labels, value, at, dialect),
            (_, None) => text::sample(body, frame, labels, value, dialect),
        }
        self.end_series(labels, 0);
    }

    /// Whether a sample with these labels can be written, if its value `is_valid`. Starts the family
    /// with the first sample.
    fn accepts(&mut self, labels: &[&str], is_valid: bool) -> bool {
        let is_valid = is_valid && labels.len() == self.desc.labels.len();
        if is_valid && matches!(self.state, State::New) {
            self.state = self.start();
        }
        if matches!(self.state, State::Excluded) {
            return false;
        }
        let is_accepted = is_valid && matches!(self.state, State::Started(_));
        if is_accepted && self.out.limits.max_series.is_some_and(|max| self.out.series.len() >= max)
        {
            self.out.over_limit += 1;
            return false;
        }
        self.out.refused += usize::from(!is_accepted);
        is_accepted
    }

    fn start(&mut self) -> State {
        let Self { desc, is_dynamic, out, .. } = self;
        if !out.limits.wants(desc.name) {
            return State::Excluded;
        }
        let Families {
            format,
            escaping,
            body,
            segments,
            series,
            names,
            precedence,
            frame,
            recording,
            ..
        } = &mut **out;
        let bound = match desc.kind {
            Kind::Histogram => "le",
            Kind::Summary => "quantile",
            _ => "",
        };
        // The usual case: no names to escape or quote.
        let is_legacy = Role::Metric.is_legacy(desc.name)
            && desc.labels.iter().all(|label| Role::Label.is_legacy(label));
        let escaped = |name, role| {
            if is_legacy { Cow::Borrowed(name) } else { name::escaped(name, role, *escaping) }
        };
        let is_valid = (is_legacy || Role::Metric.is_legal(desc.name))
            && desc.labels.iter().enumerate().all(|(index, label)| {
                let mut before = desc.labels.iter().take(index);
                (is_legacy || Role::Label.is_legal(label))
                    && *label != bound
                    && *label != "__name__"
                    && !before
                        .any(|other| escaped(other, Role::Label) == escaped(label, Role::Label))
            });
        let has_state_label = desc.kind != Kind::StateSet || desc.labels.contains(&desc.name);
        if !is_valid || !has_state_label {
            return State::Invalid;
        }
        let name = escaped(desc.name, Role::Metric);
        let is_quoted = !is_legacy && !Role::Metric.is_legacy(&name);
        let labels = desc.labels.iter().map(|label| {
            let label = escaped(label, Role::Label);
            let is_quoted = !is_legacy && !Role::Label.is_legacy(&label);
            (label, is_quoted)
        });
        match format {
            Format::Protobuf => protobuf::frame(frame, labels.map(|(label, _)| label)),
            _ => text::frame(frame, (&name, is_quoted), labels, bound),
        }
        let mut store = |text: &str| {
            let start = names.len();
            names.push_str(text);
            start..names.len()
        };
        segments.push(Segment {
            name: store(&name),
            is_quoted,
            help: store(desc.help),
            unit: store(desc.unit),
            kind: desc.kind,
            precedence: *precedence,
            labels: hash::of(desc.labels),
            is_dynamic: *is_dynamic,
            series: series.len()..series.len(),
            start: body.len(),
        });
        if let Some(recording) = recording {
            recording.open(*desc, *is_dynamic, *precedence);
        }
        State::Started(segments.len() - 1)
    }

    /// Ends a series.
    fn end_series(&mut self, labels: &[&str], extra: usize) {
        let State::Started(segment) = self.state else { return };
        let Families { body, segments, series, .. } = &mut *self.out;
        series.push(Series { key: hash::of(labels), end: body.len(), extra });
        if let Some(segment) = segments.get_mut(segment) {
            segment.series.end = series.len();
        }
    }
}
