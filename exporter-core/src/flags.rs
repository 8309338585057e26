//! The flags of a program as data, and their values from the command line.
//!
//! The syntax is that of the Go exporters: `--flag=v`, `--flag v`, `--switch` and `--no-switch`;
//! only lists may be repeated.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use crate::duration;
use crate::error::Error;

/// One flag, declared where it is used.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Flag {
    /// Without the leading dashes: `collector.diskstats.device-exclude`.
    pub name: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// The type of its value, and its default.
    pub value: Value,
    /// Accepted, but not shown by `--help`.
    pub hidden: bool,
}

/// The type of a flag's value, with its default.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Value {
    /// No value: `--x` is on, `--no-x` is off.
    Switch(bool),
    /// A value of any text.
    Text(&'static str),
    /// An entry for each time the flag is given; these entries if it is never given.
    List(&'static [&'static str]),
}

impl Flag {
    /// A flag without a value: `--x` is on, `--no-x` is off.
    pub const fn switch(name: &'static str, default: bool, about: &'static str) -> Self {
        Self { name, about, value: Value::Switch(default), hidden: false }
    }

    /// A flag with a value. It is an error to give it several times.
    pub const fn text(name: &'static str, default: &'static str, about: &'static str) -> Self {
        Self { name, about, value: Value::Text(default), hidden: false }
    }

    /// A flag that may be given several times, with a value each time.
    pub const fn list(
        name: &'static str,
        default: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { name, about, value: Value::List(default), hidden: false }
    }

    /// The same flag, accepted but not shown by `--help`.
    #[must_use]
    pub const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    /// An error about this flag's value.
    pub fn error(&self, problem: impl Into<String>) -> Error {
        Error::Flag { flag: self.name, problem: problem.into() }
    }
}

/// The values from the command line. Flags that were not given have their default.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    given: HashMap<&'static str, Vec<String>>,
    /// The enabled collectors, if the command line has determined them.
    collectors: Option<Vec<&'static str>>,
    /// How often collectors run at most, by their names.
    intervals: HashMap<&'static str, Duration>,
}

impl Flags {
    /// Flags with the given values: from the command line, or in tests.
    pub fn new<V: Into<String>>(given: impl IntoIterator<Item = (&'static Flag, V)>) -> Self {
        let mut flags = Self::default();
        for (flag, value) in given {
            flags.give(flag.name, value.into());
        }
        flags
    }

    pub(crate) fn give(&mut self, name: &'static str, value: String) {
        self.given.entry(name).or_default().push(value);
    }

    /// Adds the enabled collectors, for collectors that depend on whether another is enabled.
    #[must_use]
    pub fn with_collectors(self, names: impl IntoIterator<Item = &'static str>) -> Self {
        Self { collectors: Some(names.into_iter().collect()), ..self }
    }

    /// Whether the collector with this name is enabled. By default, all are.
    pub fn has_collector(&self, name: &str) -> bool {
        self.collectors.as_ref().is_none_or(|names| names.contains(&name))
    }

    /// Limits how often the collector with this name runs.
    #[must_use]
    pub fn with_interval(mut self, collector: &'static str, interval: Duration) -> Self {
        self.intervals.insert(collector, interval);
        self
    }

    /// How often the collector with this name runs at most; `None` if it runs for each scrape.
    pub fn interval(&self, collector: &str) -> Option<Duration> {
        self.intervals.get(collector).copied()
    }

    /// Whether the flag is on the command line.
    pub fn is_given(&self, flag: &Flag) -> bool {
        self.given.contains_key(flag.name)
    }

    /// Whether a switch is on.
    pub fn is_on(&self, flag: &Flag) -> bool {
        match self.last(flag) {
            Some(value) => value == "true",
            None => matches!(flag.value, Value::Switch(true)),
        }
    }

    /// The value of a flag with text, or its default.
    pub fn text<'a>(&'a self, flag: &Flag) -> &'a str {
        match (self.last(flag), flag.value) {
            (Some(value), _) => value,
            (None, Value::Text(default)) => default,
            (None, _) => "",
        }
    }

    /// The values of a list, or its default.
    pub fn list<'a>(&'a self, flag: &Flag) -> Vec<&'a str> {
        match (self.given.get(flag.name), flag.value) {
            (Some(values), _) => values.iter().map(String::as_str).collect(),
            (None, Value::List(default)) => default.to_vec(),
            (None, _) => Vec::new(),
        }
    }

    /// A parsed value, or an error that names the flag and says what it `expected`.
    pub fn parsed<T: FromStr>(&self, flag: &Flag, expected: &str) -> Result<T, Error> {
        let text = self.text(flag);
        text.parse().map_err(|_| flag.error(format!("expected {expected}, found {text:?}")))
    }

    /// A duration as Go writes it, such as `5s` or `1m30s`.
    pub fn duration(&self, flag: &Flag) -> Result<Duration, Error> {
        let text = self.text(flag);
        let problem = || flag.error(format!("expected a duration such as 5s, found {text:?}"));
        duration::parse(text).ok_or_else(problem)
    }

    fn last(&self, flag: &Flag) -> Option<&str> {
        self.given.get(flag.name)?.last().map(String::as_str)
    }
}
