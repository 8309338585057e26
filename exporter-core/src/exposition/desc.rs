//! Descriptions of metric families: name, help, type, labels and unit.

/// A metric family with `N` labels.
///
/// `N` is part of the type, so a sample with a missing label does not compile. In a static, an
/// invalid name does not compile either. The lifetime is for the few families whose names are
/// found at run time, such as the fields of `/proc/meminfo`.
///
/// ```
/// use exporter_core::desc::Desc;
///
/// static READ: Desc<1> =
///     Desc::counter("disk_read_bytes_total", "Bytes read.", ["device"]).with_unit("bytes");
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Desc<'a, const N: usize = 0> {
    /// The name of the family, with its unit and `_total`.
    pub name: &'a str,
    /// One line of help.
    pub help: &'a str,
    /// The type.
    pub kind: Kind,
    /// The names of the labels.
    pub labels: [&'a str; N],
    /// Empty without a unit.
    pub(crate) unit: &'a str,
}

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Only goes up, until the program restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations in buckets, with their number and sum.
    Histogram,
    /// Labels that describe, with the value 1. A gauge except in `OpenMetrics`.
    Info,
    /// A series for each of a list of states, 1 or 0. A gauge except in `OpenMetrics`.
    StateSet,
    /// Quantiles of observations, with their number and sum.
    Summary,
    /// `untyped`, in `OpenMetrics` `unknown`.
    Untyped,
}

impl Kind {
    /// Whether each of its series is one number.
    pub(crate) const fn is_plain(self) -> bool {
        !matches!(self, Self::Histogram | Self::Summary)
    }
}

impl<'a, const N: usize> Desc<'a, N> {
    /// A family whose names are found at run time. `None` if one of them is invalid.
    pub fn try_new(name: &'a str, help: &'a str, kind: Kind, labels: [&'a str; N]) -> Option<Self> {
        let legal = is_metric_name(name) && labels.iter().all(|label| is_label_name(label));
        legal.then_some(Self { name, help, kind, labels, unit: "" })
    }

    /// A counter. Its name should end with `_total`: without it, `OpenMetrics` gets a family of
    /// type `unknown`.
    ///
    /// # Panics
    ///
    /// Panics, as the other constructors do, if a name is invalid; in a static, the program does
    /// not compile.
    pub const fn counter(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::Counter, labels)
    }

    /// A gauge.
    pub const fn gauge(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::Gauge, labels)
    }

    /// A histogram.
    pub const fn histogram(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::Histogram, labels)
    }

    /// A summary.
    pub const fn summary(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::Summary, labels)
    }

    /// Facts about the program as labels, with the value 1.
    ///
    /// # Panics
    ///
    /// Panics if the name does not end with `_info`.
    pub const fn info(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        assert!(has_suffix(name, "_info"), "the name of an info family does not end with _info");
        Self::new(name, help, Kind::Info, labels)
    }

    /// A state set. One of the labels has the name of the family, and the state as its value.
    pub const fn state_set(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::StateSet, labels)
    }

    /// A family of unknown type.
    pub const fn untyped(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::Untyped, labels)
    }

    const fn new(name: &'a str, help: &'a str, kind: Kind, labels: [&'a str; N]) -> Self {
        assert!(is_metric_name(name), "invalid metric name");
        let mut rest: &[&str] = &labels;
        while let [label, tail @ ..] = rest {
            assert!(is_label_name(label), "invalid label name");
            rest = tail;
        }
        Self { name, help, kind, labels, unit: "" }
    }

    /// Declares the unit of the values: `OpenMetrics` writes it as `# UNIT`, protobuf in its own
    /// field.
    ///
    /// # Panics
    ///
    /// Panics if the name does not end with `_` and the unit, before `_total` of a counter; in a
    /// static, the program does not compile.
    #[must_use]
    pub const fn with_unit(self, unit: &'a str) -> Self {
        assert!(names_unit(self.name, unit), "the name of the family does not end with its unit");
        Self { unit, ..self }
    }

    /// This family without the number of labels in its type.
    pub const fn as_dyn(&self) -> DynDesc<'_> {
        let labels = &self.labels;
        DynDesc { name: self.name, help: self.help, kind: self.kind, labels, unit: self.unit }
    }
}

impl<const N: usize> Desc<'static, N> {
    /// This family as a column of a table of `Row`s. `None` leaves the sample out.
    pub const fn column<Row>(self, value: fn(&Row) -> Option<f64>) -> Column<Row, N> {
        Column { desc: self, value }
    }
}

/// A family whose number of labels is not part of its type: a line of the metric reference, or a
/// family whose labels are found at run time.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DynDesc<'a> {
    /// The name of the family, with its unit and `_total`.
    pub name: &'a str,
    /// One line of help.
    pub help: &'a str,
    /// The type.
    pub kind: Kind,
    /// The names of the labels.
    pub labels: &'a [&'a str],
    /// Empty without a unit.
    pub(crate) unit: &'a str,
}

impl<'a> DynDesc<'a> {
    /// A family with any name and labels. Those that are not legal are escaped, as the format of
    /// the page requires.
    pub const fn new(name: &'a str, help: &'a str, kind: Kind, labels: &'a [&'a str]) -> Self {
        Self { name, help, kind, labels, unit: "" }
    }

    /// The same under another name.
    #[must_use]
    pub const fn with_name(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// The same with another help text.
    #[must_use]
    pub const fn with_help(self, help: &'a str) -> Self {
        Self { help, ..self }
    }

    /// The same with another type.
    #[must_use]
    pub const fn with_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// The same with a unit of the values. It is left out if the name does not end with `_` and the
    /// unit, before `_total` of a counter.
    #[must_use]
    pub const fn with_unit(self, unit: &'a str) -> Self {
        let unit = if names_unit(self.name, unit) { unit } else { "" };
        Self { unit, ..self }
    }

    /// The same with other labels.
    #[must_use]
    pub const fn with_labels(self, labels: &'a [&'a str]) -> Self {
        Self { labels, ..self }
    }
}

/// Lists the families of a metric: one family, or a table of them.
///
/// A family whose name is found at run time is listed with the unknown part in angle brackets: `node_memory_<field>`.
pub trait Describe: Sync {
    /// Calls `visit` for each family.
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>));
}

impl<const N: usize> Describe for Desc<'_, N> {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        visit(self.as_dyn());
    }
}

impl Describe for DynDesc<'_> {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        visit(*self);
    }
}

/// One column of a table: a family, and the value of a row.
#[derive(Debug)]
#[non_exhaustive]
pub struct Column<Row, const N: usize> {
    /// The family.
    pub desc: Desc<'static, N>,
    /// The value of a row; `None` leaves its sample out.
    pub value: fn(&Row) -> Option<f64>,
}

impl<Row, const N: usize, const M: usize> Describe for [Column<Row, N>; M] {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for column in self {
            column.desc.describe(visit);
        }
    }
}

/// Families by the names of what they are read from: the fields of a file, or the files of a
/// directory.
impl<const N: usize, const M: usize> Describe for [(&'static str, Desc<'static, N>); M] {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for (_, desc) in self {
            desc.describe(visit);
        }
    }
}

/// Whether `name` matches `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub const fn is_metric_name(name: &str) -> bool {
    is_name(name, true)
}

/// Whether `name` matches `[a-zA-Z_][a-zA-Z0-9_]*`.
pub const fn is_label_name(name: &str) -> bool {
    is_name(name, false)
}

#[expect(clippy::indexing_slicing, reason = "the table has an entry for each byte")]
const fn is_name(name: &str, colon: bool) -> bool {
    let mut rest = name.as_bytes();
    let mut takes = LETTER | if colon { COLON } else { 0 };
    if rest.is_empty() {
        return false;
    }
    while let [byte, tail @ ..] = rest {
        if CLASSES[*byte as usize] & takes == 0 {
            return false;
        }
        takes |= DIGIT;
        rest = tail;
    }
    true
}

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const COLON: u8 = 4;

/// The class of each byte. Names are checked several times per page, and a table is faster than
/// comparisons.
static CLASSES: [u8; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        classes[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => LETTER,
            b'0'..=b'9' => DIGIT,
            b':' => COLON,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

const fn has_suffix(name: &str, suffix: &str) -> bool {
    stem(name.as_bytes(), suffix.as_bytes()).is_some()
}

/// Whether a name ends with its unit, before `_total` of a counter.
const fn names_unit(name: &str, unit: &str) -> bool {
    let name = name.as_bytes();
    let name = match stem(name, b"_total") {
        Some(stem) => stem,
        None => name,
    };
    match stem(name, unit.as_bytes()) {
        Some([head @ .., b'_']) => !head.is_empty() && !unit.is_empty(),
        _ => false,
    }
}

/// What is before `suffix`.
const fn stem<'a>(mut text: &'a [u8], mut suffix: &[u8]) -> Option<&'a [u8]> {
    while let Some((last, before)) = suffix.split_last() {
        match text.split_last() {
            Some((byte, rest)) if *byte == *last => text = rest,
            _ => return None,
        }
        suffix = before;
    }
    Some(text)
}
