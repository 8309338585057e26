//! The sink for samples: they become bytes of the negotiated format as they are written.

mod family;
#[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "registries read recordings"))]
mod recording;

use std::ops::Range;
use std::time::{Duration, Instant};

pub use self::family::{DynFamily, Family};
pub(crate) use self::recording::Recording;
use super::desc::Kind;
use super::format::{Escaping, Format};
use super::frame::Frame;
use super::limits::OutputLimits;
use super::text::Dialect;

/// The families that a collector writes.
///
/// Samples become bytes as they are written. Headers are added when the output of all collectors
/// is joined, because two collectors may write the same family.
///
/// ```
/// use exporter_core::desc::Desc;
/// use exporter_core::families::Families;
///
/// static LOAD: Desc<1> = Desc::gauge("app_load", "Load by core.", ["core"]);
///
/// fn collect(out: &mut Families) {
///     let mut load = out.family(&LOAD);
///     load.sample(["0"], 0.5);
///     load.sample(["1"], 0.25);
/// }
/// ```
#[derive(Debug, Default)]
pub struct Families {
    pub(crate) format: Format,
    pub(crate) escaping: Escaping,
    /// Whether `OpenMetrics` has `_created` lines: one more series for each counter, histogram and
    /// summary.
    pub(crate) created_lines: bool,
    /// The samples, family after family.
    pub(crate) body: Vec<u8>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) series: Vec<Series>,
    /// Names, helps and units of the segments; names are escaped as the format requires.
    pub(crate) names: String,
    /// Families and samples that could not be written: an invalid name, or a value that does not
    /// fit the type of the family.
    pub(crate) refused: usize,
    /// Limits on the families and on the number of series.
    pub(crate) limits: OutputLimits,
    /// Series beyond the limit.
    pub(crate) over_limit: usize,
    /// The deadline of the scrape.
    pub(crate) deadline: Option<Instant>,
    precedence: Precedence,
    /// The parts of a sample that all samples of the open family share.
    frame: Frame,
    /// The samples once more, if they are to be written again later.
    recording: Option<Box<Recording>>,
}

/// The precedence of families with the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Precedence {
    /// The metrics of the exporter itself. No other family may have the name.
    Exporter,
    /// The metrics of a collector.
    #[default]
    Collector,
    /// Metrics of another program, for example from a file. They may add series to those of
    /// collectors, which take precedence.
    Guest,
}

/// The samples of one family that were written together.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    /// Range in [`Families::names`].
    pub(crate) name: Range<usize>,
    /// Whether the text formats quote the name.
    pub(crate) is_quoted: bool,
    pub(crate) help: Range<usize>,
    pub(crate) unit: Range<usize>,
    pub(crate) kind: Kind,
    pub(crate) precedence: Precedence,
    /// A hash of the label names.
    pub(crate) labels: u64,
    /// Whether other segments of the family may have other labels.
    pub(crate) is_dynamic: bool,
    /// Range in [`Families::series`].
    pub(crate) series: Range<usize>,
    /// Position of the first sample in [`Families::body`].
    pub(crate) start: usize,
}

/// One series: a sample, or all lines of a histogram or summary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    /// A hash of the label values.
    pub(crate) key: u64,
    /// Position of its end in [`Families::body`].
    pub(crate) end: usize,
    /// The number of bytes before its last line feed that only an `OpenMetrics` counter has.
    pub(crate) extra: usize,
}

impl Families {
    /// Families in this format. Text 0.0.4 has no UTF-8 names: they are escaped with underscores.
    pub fn new(format: Format, escaping: Escaping) -> Self {
        // Text 0.0.4 has no quoted names.
        let escaping = match (format, escaping) {
            (Format::Text004, Escaping::AllowUtf8) => Escaping::Underscores,
            (_, escaping) => escaping,
        };
        Self { format, escaping, ..Self::default() }
    }

    /// Adds the creation times of counters, histograms and summaries to `OpenMetrics`, each as a
    /// `_created` series. Protobuf always has them; the text formats cannot.
    #[must_use]
    pub fn with_created_lines(mut self) -> Self {
        self.created_lines = true;
        self
    }

    /// Sets the precedence of the families that are opened from here on.
    pub fn set_precedence(&mut self, precedence: Precedence) {
        self.precedence = precedence;
    }

    /// Records the samples from here on.
    #[cfg(feature = "serve")]
    pub(crate) fn record(&mut self) {
        self.recording = Some(Box::default());
    }

    /// The samples since [`Self::record`].
    #[cfg(feature = "serve")]
    pub(crate) fn take_recording(&mut self) -> Option<Box<Recording>> {
        self.recording.take()
    }

    /// How long the scrape still waits for this collector; `None` without a limit. For collectors
    /// that have something useful to write when they stop early.
    pub fn time_left(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Reuses the buffers of another, whose samples have been sent. A buffer that was mostly unused
    /// is freed.
    #[cfg(feature = "serve")]
    pub(crate) fn reusing(mut self, spent: Self) -> Self {
        fn emptied<T>(mut buffer: Vec<T>) -> Vec<T> {
            if buffer.capacity() / 4 > buffer.len() {
                return Vec::new();
            }
            buffer.clear();
            buffer
        }
        self.body = emptied(spent.body);
        self.segments = emptied(spent.segments);
        self.series = emptied(spent.series);
        self.names = spent.names;
        self.names.clear();
        self.frame = spent.frame;
        self
    }

    /// The dialect of a text format.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.format {
            Format::OpenMetrics => Dialect::OpenMetrics { created: self.created_lines },
            _ => Dialect::Prometheus,
        }
    }
}
