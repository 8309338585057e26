//! What a metric is, as far as it is known before anything is measured.

/// A metric family with `N` labels.
///
/// `N` is part of the type, so a sample with a label missing does not compile; the names are
/// checked as the program is compiled. The lifetime is for the few families whose names come
/// from the machine, such as the fields of `/proc/meminfo`; all others are `static`.
#[derive(Clone, Copy, Debug)]
pub struct Desc<'a, const N: usize = 0> {
    pub name: &'a str,
    pub help: &'a str,
    pub kind: Kind,
    pub labels: [&'a str; N],
}

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
    Untyped,
}

impl Kind {
    /// Whether its series are one number each.
    pub(crate) const fn is_plain(self) -> bool {
        matches!(self, Self::Counter | Self::Gauge | Self::Untyped)
    }
}

impl<'a, const N: usize> Desc<'a, N> {
    /// A family whose name was found on the machine, unless it cannot be one.
    pub fn try_new(name: &'a str, help: &'a str, kind: Kind, labels: [&'a str; N]) -> Option<Self> {
        let legal = is_metric_name(name) && labels.iter().all(|label| is_label_name(label));
        legal.then_some(Self { name, help, kind, labels })
    }

    pub const fn counter(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::Counter, labels)
    }

    pub const fn gauge(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::Gauge, labels)
    }

    pub const fn histogram(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::Histogram, labels)
    }

    pub const fn summary(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::Summary, labels)
    }

    pub const fn untyped(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {
        Self::new(name, help, Kind::Untyped, labels)
    }

    const fn new(name: &'a str, help: &'a str, kind: Kind, labels: [&'a str; N]) -> Self {
        assert!(is_metric_name(name), "not a metric name");
        let mut rest: &[&str] = &labels;
        while let [label, tail @ ..] = rest {
            assert!(is_label_name(label), "not a label name");
            rest = tail;
        }
        Self { name, help, kind, labels }
    }

    /// This family with its label count forgotten.
    pub const fn as_dyn(&self) -> DynDesc<'_> {
        DynDesc { name: self.name, help: self.help, kind: self.kind, labels: &self.labels }
    }
}

impl<const N: usize> Desc<'static, N> {
    /// This family as a column of a table of `Row`s.
    pub const fn column<Row>(self, value: fn(&Row) -> Option<f64>) -> Column<Row, N> {
        Column { desc: self, value }
    }
}

/// A family with its label count forgotten: a line of the metric reference, or a family whose
/// labels are only known when it is read.
#[derive(Clone, Copy, Debug)]
pub struct DynDesc<'a> {
    pub name: &'a str,
    pub help: &'a str,
    pub kind: Kind,
    pub labels: &'a [&'a str],
}

/// Anything that can list the families it stands for: one family, or a table of them.
///
/// A family whose name is found on the machine is listed with the unknown part in angle
/// brackets: `node_memory_<field>`.
pub trait Describe: Sync {
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

/// One column of a table: a family, and where in a row its value is.
#[derive(Debug)]
pub struct Column<Row, const N: usize> {
    pub desc: Desc<'static, N>,
    pub value: fn(&Row) -> Option<f64>,
}

impl<Row, const N: usize, const M: usize> Describe for [Column<Row, N>; M] {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for column in self {
            column.desc.describe(visit);
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

#[expect(clippy::indexing_slicing, reason = "there is a class for each byte")]
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

/// What each byte is. Names are looked at several times a page: a table is quicker than
/// comparisons.
static CLASSES: [u8; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "evaluated as the program is compiled")]
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
