//! The flags that a program takes, as data, and what the command line made of them.
//!
//! The grammar is that of the Go exporters: `--flag=v`, `--flag v`, `--switch` and
//! `--no-switch`; only lists may be repeated.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use crate::duration;
use crate::error::Error;

/// One flag, declared where it is used.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Without the leading dashes: `collector.diskstats.device-exclude`.
    pub name: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    pub value: Value,
    /// Accepted, but not shown by `--help`.
    pub hidden: bool,
}

/// What follows a flag, with its default.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// Nothing: `--x` is on, `--no-x` is off.
    Switch(bool),
    Text(&'static str),
    /// One entry each time the flag is given; these when it never is.
    List(&'static [&'static str]),
}

impl Flag {
    pub const fn switch(name: &'static str, default: bool, about: &'static str) -> Self {
        Self { name, about, value: Value::Switch(default), hidden: false }
    }

    pub const fn text(name: &'static str, default: &'static str, about: &'static str) -> Self {
        Self { name, about, value: Value::Text(default), hidden: false }
    }

    pub const fn list(
        name: &'static str,
        default: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { name, about, value: Value::List(default), hidden: false }
    }

    #[must_use]
    pub const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    /// An error about this flag's value.
    pub fn error(&self, problem: impl Into<String>) -> Error {
        Error::Flag { flag: self.name, problem: problem.into() }
    }
}

/// What was given on the command line. What was not given has its default.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    given: HashMap<&'static str, Vec<String>>,
    /// The collectors that are on, where a command line has said so.
    collectors: Option<Vec<&'static str>>,
}

impl Flags {
    /// Flags as given: what `options` makes of a command line, and what tests write down.
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

    /// With the collectors that are on, for one that goes by whether another is.
    #[must_use]
    pub fn with_collectors(self, names: impl IntoIterator<Item = &'static str>) -> Self {
        Self { collectors: Some(names.into_iter().collect()), ..self }
    }

    /// Whether the collector of this name is on. All are where nothing has been said.
    pub fn has_collector(&self, name: &str) -> bool {
        self.collectors.as_ref().is_none_or(|names| names.contains(&name))
    }

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

    pub fn text<'a>(&'a self, flag: &Flag) -> &'a str {
        match (self.last(flag), flag.value) {
            (Some(value), _) => value,
            (None, Value::Text(default)) => default,
            (None, _) => "",
        }
    }

    pub fn list<'a>(&'a self, flag: &Flag) -> Vec<&'a str> {
        match (self.given.get(flag.name), flag.value) {
            (Some(values), _) => values.iter().map(String::as_str).collect(),
            (None, Value::List(default)) => default.to_vec(),
            (None, _) => Vec::new(),
        }
    }

    /// A value of another type, or an error that names the flag and says what it `expected`.
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
